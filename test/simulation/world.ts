import { createHash, type Hash } from 'node:crypto';
import { serveGuest, type SessionEnd } from '@vesper-gpu/host';
import { Clock } from './clock.ts';
import { HostileGuest } from './hostile-guest.ts';
import { link, type LinkAction, type LinkEnd } from './link.ts';
import { runProgram, type Log } from './program.ts';
import { Random } from './random.ts';
import { StubGpu } from './stub-gpu.ts';

/** Most actions before the scheduler stops being unfair: no more cuts, nobody sleeps. */
const UNFAIR_ACTIONS = 600;
/** Behind that, a simulation that is not over has lost its way. */
const MOST_ACTIONS = 200_000;
/** Longer than anybody waits for a handshake. */
const PATIENCE_MS = 31_000;

/** What happened to a guest's connection from outside. */
type Disturbance = 'none' | 'cut' | 'silenced';

interface Participant {
  index: number;
  programSeed: number;
  guestEnd: LinkEnd;
  hostEnd: LinkEnd;
  gpu: StubGpu;
  /** Answers that the GPU owes. */
  owed: (() => void)[];
  log: Log | undefined;
  hostile: HostileGuest | undefined;
  end: SessionEnd | undefined;
  disturbance: Disturbance;
  /** Ends that the scheduler leaves alone for so many actions: a process that does not get to run. */
  sleeps: Map<LinkEnd, number>;
}

/** What a simulation came to. */
export interface Result {
  /** Of everything that happened, in order. */
  digest: string;
  actions: number;
  participants: {
    programSeed: number;
    outcomes: readonly string[] | undefined;
    isOver: boolean;
    /** Digest of the backend's calls after each. */
    calls: readonly string[];
    end: SessionEnd | undefined;
    disturbance: Disturbance;
    /** Most bytes that waited for the guest, and for the host. */
    mostBytes: { guest: number; host: number };
    /** Objects of the session at its end, and devices of the backend that nobody destroyed. */
    leftDevices: number;
  }[];
  /** How often each kind of action happened, and how many bytes were delivered. */
  counts: Record<string, number>;
}

/** How a simulation is set up. */
export interface Setup {
  seed: number;
  /** Seeds of the programs; each is a guest. */
  programs: readonly number[];
  hostileGuests: number;
  /** A calm one delivers everything at once and in order. */
  isCalm: boolean;
}

type Action = { weight: number; name: string; run: () => void };

/** Runs guests and hosts of one process as if each were a process of its own, in an order that the seed decides. */
export async function simulate(setup: Setup): Promise<Result> {
  const clock = new Clock();
  const giveBack = clock.install();
  try {
    return await new World(setup, clock).run();
  } finally {
    giveBack();
  }
}

class World {
  readonly #setup: Setup;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #trace: Hash = createHash('sha256');
  readonly #participants: Participant[] = [];
  readonly #counts: Record<string, number> = {};
  #actions = 0;
  #isFair: boolean;

  constructor(setup: Setup, clock: Clock) {
    this.#setup = setup;
    this.#clock = clock;
    this.#random = new Random(setup.seed);
    this.#isFair = setup.isCalm;
  }

  async run(): Promise<Result> {
    const { programs, hostileGuests } = this.#setup;
    for (const seed of programs) this.#join(seed);
    for (let i = 0; i < hostileGuests; i++) this.#join(undefined);
    await this.#clock.settle();
    await this.#runUntilIdle();
    await this.#finish();
    return this.#result();
  }

  #join(programSeed: number | undefined): void {
    const index = this.#participants.length;
    const [guestEnd, hostEnd] = link();
    const owed: (() => void)[] = [];
    const gpu = new StubGpu((answer) => owed.push(answer));
    const one: Participant = {
      index,
      programSeed: programSeed ?? -1,
      guestEnd,
      hostEnd,
      gpu,
      owed,
      log: undefined,
      hostile: undefined,
      end: undefined,
      disturbance: 'none',
      sleeps: new Map(),
    };
    this.#participants.push(one);
    this.#clock.as(2 * index + 1, () => {
      void serveGuest(hostEnd, { gpu: gpu.api, turnMs: Infinity }).ended.then((end) => {
        one.end = end;
        this.#note(`session ${index} ended: ${end.reason} ${end.message}`);
      });
    });
    this.#clock.as(2 * index, () => {
      if (programSeed === undefined) {
        one.hostile = new HostileGuest(guestEnd, new Random(this.#random.u32()), () =>
          owed.length > 0 ? 0 : Math.min(gpu.calls.count, 1) + gpu.devices.length,
        );
        return;
      }
      one.log = { outcomes: [], isOver: false };
      void runProgram(programSeed, guestEnd, (holder) => this.#clock.drop(holder), one.log);
    });
  }

  #note(text: string): void {
    this.#trace.update(`${text}\n`);
  }

  /** Does one thing after the other, until there is nothing to do. */
  async #runUntilIdle(): Promise<void> {
    for (; this.#actions < MOST_ACTIONS; this.#actions++) {
      if (this.#actions === UNFAIR_ACTIONS) this.#isFair = true;
      const actions = this.#possible();
      if (actions.length === 0) {
        if (this.#isFair) return;
        // Whoever is left sleeps.
        this.#isFair = true;
        continue;
      }
      const action = this.#setup.isCalm ? actions[0]! : this.#choose(actions);
      const kind = action.name.split(' ')[0]!;
      this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
      this.#note(`${this.#actions} ${this.#clock.nowMs} ${action.name}`);
      action.run();
      await this.#clock.settle();
      if (!this.#isFair && this.#random.oneIn(50)) await this.#pass();
    }
    throw new Error(
      `not over after ${MOST_ACTIONS} actions: ${this.#possible()
        .map(({ name }) => name)
        .join(', ')}`,
    );
  }

  /** Time goes by: a little, so that a slow guest is not taken for one that does not answer. */
  async #pass(): Promise<void> {
    const ms = this.#random.below(200);
    this.#note(`${ms} ms pass`);
    await this.#clock.advance(ms);
  }

  #choose(actions: readonly Action[]): Action {
    let at = this.#random.below(actions.reduce((sum, action) => sum + action.weight, 0));
    for (const action of actions) if ((at -= action.weight) < 0) return action;
    throw new Error('no action');
  }

  #possible(): Action[] {
    const actions = this.#participants.flatMap((one) => this.#actionsOf(one));
    for (const actor of this.#clock.busy)
      actions.push({ weight: 12, name: `task ${actor}`, run: () => this.#clock.runTask(actor) });
    if (this.#clock.garbageCount > 0 && !this.#setup.isCalm) {
      const index = this.#random.below(this.#clock.garbageCount);
      actions.push({ weight: 3, name: `collect ${index}`, run: () => this.#clock.collect(index) });
    }
    return actions;
  }

  #actionsOf(one: Participant): Action[] {
    const actions: Action[] = [];
    const [guest, host] = [2 * one.index, 2 * one.index + 1];
    for (const [end, actor] of [
      [one.guestEnd, guest],
      [one.hostEnd, host],
    ] as const) {
      const sleep = one.sleeps.get(end) ?? 0;
      if (sleep > 0 && !this.#isFair) {
        one.sleeps.set(end, sleep - 1);
        continue;
      }
      for (const action of end.actions()) actions.push(this.#linkAction(one, action, actor));
    }
    if (one.owed.length > 0) {
      const index = this.#setup.isCalm ? 0 : this.#random.below(one.owed.length);
      const run = (): void => this.#clock.as(host, one.owed.splice(index, 1)[0]!);
      actions.push({ weight: 6, name: `answer ${one.index} ${index}`, run });
    }
    if (one.hostile?.canAct)
      actions.push({
        weight: 6,
        name: `attack ${one.index}`,
        run: () => this.#clock.as(guest, () => one.hostile!.act()),
      });
    if (!this.#isFair) actions.push(...this.#disturbances(one));
    return actions;
  }

  #linkAction(one: Participant, { what, end }: LinkAction, actor: number): Action {
    const name = `${what} ${one.index} ${end === one.guestEnd ? 'guest' : 'host'}`;
    const run = (): void => {
      if (what === 'drain') return this.#clock.as(actor, () => end.drain());
      if (what === 'end') return this.#clock.as(actor, () => end.end());
      const most = this.#setup.isCalm ? 1 << 20 : this.#slice();
      this.#clock.as(actor, () => {
        const bytes = end.deliver(most);
        this.#note(`${bytes.byteLength} ${createHash('sha256').update(bytes).digest('hex')}`);
      });
    };
    return { weight: 10, name, run };
  }

  /** How many bytes come at once: often a few, seldom all. */
  #slice(): number {
    return 1 + this.#random.below(this.#random.pick([8, 200, 2000, 64 << 10]));
  }

  #disturbances(one: Participant): Action[] {
    if (one.disturbance !== 'none' || one.guestEnd.hasEnded || one.hostEnd.hasEnded) return [];
    // Some are left in peace: only so is it seen that the others do not disturb them.
    if (one.index === 0) return [];
    const disturb = (how: Disturbance, run: () => void): void => {
      one.disturbance = how;
      run();
    };
    const sleeper = this.#random.oneIn(2) ? one.guestEnd : one.hostEnd;
    const roll = this.#random.below(300);
    if (roll === 0)
      return [{ weight: 40, name: `cut ${one.index}`, run: () => disturb('cut', () => one.guestEnd.cut()) }];
    if (roll === 1)
      return [
        { weight: 40, name: `silence ${one.index}`, run: () => disturb('silenced', () => one.guestEnd.silence()) },
      ];
    if (roll < 10) {
      const actions = this.#random.below(400);
      return [{ weight: 40, name: `sleep ${one.index} ${actions}`, run: () => void one.sleeps.set(sleeper, actions) }];
    }
    return [];
  }

  /** What is broken and was not noticed is noticed now, and whoever waits for an answer has waited long enough. */
  async #finish(): Promise<void> {
    for (const one of this.#participants) {
      if (one.guestEnd.hasEnded && one.hostEnd.hasEnded) continue;
      const isProgramRunning = one.log !== undefined && !one.log.isOver;
      if (one.disturbance !== 'none' || !isProgramRunning) one.guestEnd.cut();
    }
    await this.#runUntilIdle();
    await this.#clock.advance(PATIENCE_MS);
    await this.#runUntilIdle();
  }

  #result(): Result {
    const participants = this.#participants.map((one) => ({
      programSeed: one.programSeed,
      outcomes: one.log?.outcomes,
      isOver: one.log?.isOver ?? true,
      calls: one.gpu.calls.digests,
      end: one.end,
      disturbance: one.disturbance,
      mostBytes: { guest: one.guestEnd.mostBytes, host: one.hostEnd.mostBytes },
      leftDevices: one.gpu.devices.filter((device) => !device.isLost).length,
    }));
    this.#note(JSON.stringify(participants.map(({ outcomes, calls }) => [outcomes, calls.at(-1)])));
    return { digest: this.#trace.digest('hex'), actions: this.#actions, participants, counts: this.#counts };
  }
}
