import type { ServeOptions } from '@vesper-gpu/host';
import { HostSession } from './host-session.ts';
import type { Finding, Mode } from './mode.ts';
import { Random } from './random.ts';
import { SequenceMaker, type Bearing } from './sequence.ts';

/** Sequences of one session at most: a reproducer holds a session. */
const SESSION_SEQUENCES = 50;

/** What a mode of whole sequences needs to know. */
export interface SequenceOptions {
  readonly name: string;
  readonly seed: number;
  readonly bearing: Bearing;
  /** How each session is served; by the number of its first sequence. */
  serve(sessionBegan: number): ServeOptions;
  /** Whether a policy may refuse what a correct guest asks for, which then goes on with what it has not got. */
  readonly isRestricted?: true;
  /** Number of the first sequence. */
  readonly first?: number;
  /** Called before each sequence, with its number and that of its session's first. */
  begins?(sequence: number, sessionBegan: number): void;
  /** A reason of refusals that is to be taken for a finding. */
  readonly treatAsFinding?: string | undefined;
}

/** Sequences of commands that are nearly those of a program, against a host with a backend. */
export class SequenceMode implements Mode {
  readonly name: string;
  readonly unit = 'sequences';
  executions = 0;
  readonly verdicts = new Map<string, number>();
  /** Commands that hosts have taken. */
  commands = 0;
  readonly #options: SequenceOptions;
  #next: number;
  #maker: SequenceMaker | undefined;
  #session: HostSession | undefined;
  #sessionBegan = 0;
  #rejection: string | undefined;
  readonly #onRejection = (error: unknown): void => {
    this.#rejection ??= `an unhandled rejection: ${String((error as Error).stack ?? error)}`;
  };

  constructor(options: SequenceOptions) {
    this.name = options.name;
    this.#options = options;
    this.#next = options.first ?? 0;
    process.on('unhandledRejection', this.#onRejection);
  }

  async run(most: number): Promise<Finding | undefined> {
    const endMs = performance.now() + 20;
    let left = most;
    do {
      const finding = await this.#sequence(this.#next++);
      if (finding !== undefined) return finding;
      this.executions++;
      left--;
    } while (left > 0 && performance.now() < endMs);
    return undefined;
  }

  async #sequence(number: number): Promise<Finding | undefined> {
    const { seed, begins } = this.#options;
    if (this.#session === undefined) this.#sessionBegan = number;
    begins?.(number, this.#sessionBegan);
    const opened = await this.#open();
    const session = this.#session!;
    const maker = this.#maker!;
    const steps = maker.next(new Random(seed, 3, number));
    let wrong = opened;
    for (const step of steps) {
      wrong ??= await session.step(step);
      if (wrong !== undefined || session.end !== undefined) break;
    }
    wrong ??= await this.#conclude(session, maker);
    wrong ??= this.#rejection;
    return wrong === undefined
      ? undefined
      : { mode: this.name, execution: number, what: wrong, stream: session.stream };
  }

  /** @returns what is wrong, if something is. */
  async #open(): Promise<string | undefined> {
    if (this.#session !== undefined) return undefined;
    this.#session = new HostSession(this.#options.serve(this.#sessionBegan));
    this.#maker = new SequenceMaker(this.#options.bearing);
    let wrong: string | undefined;
    for (const step of this.#maker.begin()) wrong ??= await this.#session.step(step);
    return wrong ?? (this.#session.end === undefined ? undefined : 'a session ended before it began');
  }

  /** What must hold behind a sequence. */
  async #conclude(session: HostSession, maker: SequenceMaker): Promise<string | undefined> {
    const { end } = session;
    const refusal = (end?.error as { reason?: string } | undefined)?.reason;
    const verdict = end === undefined ? 'alive' : (refusal ?? end.reason);
    this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1);
    const isFaultless = !maker.isWild && this.#options.isRestricted === undefined;
    if (end !== undefined && isFaultless) return `a correct guest was refused: ${end.message}`;
    if (verdict === this.#options.treatAsFinding) return `refused: ${end!.message}`;
    if (end === undefined && isFaultless) {
      const { objects } = session.session.statistics;
      if (objects !== maker.model.count) return `the host has ${objects} objects, the guest ${maker.model.count}`;
    }
    const isOver =
      end !== undefined || maker.isWild || maker.isOver || this.#next - this.#sessionBegan >= SESSION_SEQUENCES;
    return isOver ? this.#leave(session) : undefined;
  }

  async #leave(session: HostSession): Promise<string | undefined> {
    this.commands += session.session.statistics.commands;
    this.#session = undefined;
    return session.leave();
  }

  async close(): Promise<void> {
    if (this.#session !== undefined) await this.#leave(this.#session);
    process.off('unhandledRejection', this.#onRejection);
  }
}
