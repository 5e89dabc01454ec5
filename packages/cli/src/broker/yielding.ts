/**
 * Which executors yield the processors. A guest that keeps them busy, with shaders that a processor runs or with compilers,
 * would make one that uses little wait for the kernel's next tick. So while one that is known to use little does something,
 * the busy ones run only when nobody else wants to, in control groups of their own (where this process may make none, with
 * the highest nice value, by themselves and as sessions), and all that are not known to use little keep off one processor.
 * At other times all share alike, as with the rest of the machine: a host that is busy otherwise would starve them.
 * Linux only: it reads /proc.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { ProcessorGroup, ProcessorGroups } from './processor-groups.ts';
import type { ReservedProcessor } from './reserved-processor.ts';

/** How often, in milliseconds, is looked. */
const PERIOD_MS = 100;
/** Use of processors since the last look, 1 is all of one, from which on an executor yields, */
const BUSY = 0.5;
/** and below which it does no more: of all looks, of which each counts half as much as the next. */
const LIGHT = 0.25;
const MEMORY = 0.5;
/** For so long, in milliseconds, an executor must not have been busy for its guest to be known as one that uses little. */
const PROBATION_MS = 1000;
/** For how long, in milliseconds, an executor that did something is expected to do more. */
const ACTIVE_MS = 10_000;
/** Ticks a second in /proc/PID/stat: USER_HZ, the same on all architectures of today's kernels (proc(5)). */
const TICKS_PER_SECOND = 100;
const LOWEST = 19;
const NORMAL = 0;

/** What of an executor is looked at. */
export interface Watched {
  /** The process that was started, and leads the session of all that it starts. */
  readonly leader: number;
  /** Those between it and the program, and the program itself as the last; unknown while it starts. */
  processes: readonly number[];
  ticks: number;
  seenAtMs: number;
  use: number;
  /** When it was last found to have used a processor. */
  usedAtMs: number;
  /** Whether it keeps processors busy, or nobody waits for it. */
  isBusy: boolean;
  yields: boolean;
  /** Whether it has a guest, or is about to: a spare does something now and then, too. */
  serves: boolean;
  /** Since when it has not been busy for its guest; Infinity where that is not known yet. */
  lightSinceMs: number;
  isKeptOff: boolean;
  /** Whether it was when it was started: what it has started itself inherited that. */
  readonly wasKeptOff: boolean;
  /** Its control group; undefined where there are none. */
  readonly group: ProcessorGroup | undefined;
  /** Whether the kernel has heard of `yields`: of groups it hears ten times a second at most (sched(7), autogroup). */
  isGroupTold: boolean;
}

/** Lets busy executors wait for the others. */
export class Yielding {
  readonly #all = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;
  readonly #groups: ProcessorGroups | undefined;
  readonly #reserved: ReservedProcessor;
  /** Whether one that is known to use little does something. */
  #isOneActive = false;
  /** Whether a process that was made to wait can be let go first again. */
  #canRaise: boolean | undefined;

  constructor(groups: ProcessorGroups | undefined, reserved: ReservedProcessor) {
    this.#groups = groups;
    this.#reserved = reserved;
  }

  /** Whether one that is known to use little does something: busy ones yield. */
  get isOneActive(): boolean {
    return this.#isOneActive;
  }

  /** How, in words. */
  get means(): string {
    if (process.platform !== 'linux') return 'not: that is for Linux';
    const order = this.#groups === undefined ? 'by nice values' : 'by control groups';
    return this.#reserved.isPossible ? `${order}, and keeping off one processor` : order;
  }

  /** What the command of a new executor is preceded by. */
  get prefix(): readonly string[] {
    return this.#isOneActive ? this.#reserved.prefix : [];
  }

  /** Watches what was just started as process `leader`. One that nobody waits for counts as busy while it starts. */
  add(leader: number, isAwaited: boolean): Watched | undefined {
    if (process.platform !== 'linux') return undefined;
    this.#canRaise ??= canRaise(leader);
    const group = this.#groups?.add([leader]);
    const processes = [leader];
    const watched: Watched = {
      leader,
      processes,
      group,
      ticks: 0,
      seenAtMs: 0,
      use: 0,
      usedAtMs: -Infinity,
      isBusy: !isAwaited,
      yields: false,
      serves: false,
      lightSinceMs: Infinity,
      isKeptOff: this.#isOneActive,
      wasKeptOff: this.#isOneActive,
      isGroupTold: true,
    };
    this.#all.add(watched);
    this.#setYields(watched);
    this.#timer ??= setInterval(() => this.#look(), PERIOD_MS).unref();
    return watched;
  }

  /** Its program runs: what it uses from now on counts. */
  started(watched: Watched): void {
    this.#find(watched);
    watched.ticks = ticksOf(watched.processes.at(-1)!, watched.leader) ?? 0;
    watched.seenAtMs = performance.now();
  }

  /** A guest waits for it: it does not yield until it is found to be busy. */
  awaited(watched: Watched): void {
    this.#find(watched);
    watched.isBusy = false;
    this.#setYields(watched);
    watched.serves = true;
  }

  /** What it has started meanwhile inherited what it was told of at its start. */
  #find(watched: Watched): void {
    const known = new Set(watched.processes);
    watched.processes = chain(watched.leader);
    watched.group?.take(watched.processes);
    if (watched.isKeptOff === watched.wasKeptOff) return;
    for (const pid of watched.processes) if (!known.has(pid)) this.#reserved.keepOff(pid, watched.isKeptOff);
  }

  remove(watched: Watched): void {
    this.#all.delete(watched);
    if (watched.group !== undefined) this.#groups!.remove(watched.group);
    if (this.#all.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    for (const watched of this.#all) {
      if (watched.seenAtMs > 0) this.#measure(watched, now);
      if (!watched.isGroupTold) tellGroup(watched);
    }
    this.#reserve(now);
  }

  #reserve(now: number): void {
    const all = [...this.#all];
    const isLight = ({ lightSinceMs }: Watched) => now - lightSinceMs >= PROBATION_MS;
    this.#isOneActive = all.some((watched) => isLight(watched) && now - watched.usedAtMs < ACTIVE_MS);
    for (const watched of all) {
      this.#setYields(watched);
      this.#setKeptOff(watched, this.#isOneActive && !isLight(watched));
    }
  }

  #setKeptOff(watched: Watched, isKeptOff: boolean): void {
    if (isKeptOff === watched.isKeptOff) return;
    watched.isKeptOff = isKeptOff;
    for (const pid of watched.processes) this.#reserved.keepOff(pid, isKeptOff);
  }

  #measure(watched: Watched, now: number): void {
    const ticks = ticksOf(watched.processes.at(-1)!, watched.leader);
    if (ticks === undefined) return; // it has ended
    const seconds = (now - watched.seenAtMs) / 1000;
    const used = (ticks - watched.ticks) / TICKS_PER_SECOND / seconds;
    watched.use = watched.use * MEMORY + used * (1 - MEMORY);
    if (used > 0) watched.usedAtMs = now;
    watched.ticks = ticks;
    watched.seenAtMs = now;
    watched.isBusy = watched.isBusy ? watched.use > LIGHT : used > BUSY;
    if (watched.isBusy) watched.lightSinceMs = Infinity;
    else if (watched.serves) watched.lightSinceMs = Math.min(watched.lightSinceMs, now);
  }

  #setYields(watched: Watched): void {
    const yields = watched.isBusy && this.#isOneActive;
    if (yields === watched.yields) return;
    watched.yields = yields;
    this.#tell(watched);
  }

  #tell(watched: Watched): void {
    if (watched.group?.setIdle(watched.yields) === true) return;
    watched.isGroupTold = false;
    tellGroup(watched);
    // Where executors are in one group with the others, as in a service's, their threads count one by one.
    if (this.#canRaise !== true) return;
    for (const pid of watched.processes) {
      for (const thread of threadsOf(pid)) trySetPriority(thread, watched.yields ? LOWEST : NORMAL);
    }
  }
}

/** The nice value of the leader's session, all of which the kernel weighs as one where it groups by session. */
function tellGroup(watched: Watched): void {
  try {
    writeFileSync(`/proc/${watched.leader}/autogroup`, String(watched.yields ? LOWEST : NORMAL));
    watched.isGroupTold = true;
  } catch (error) {
    // Too often: at the next look. Anything else: this kernel has no such groups, or the process is gone.
    watched.isGroupTold = (error as NodeJS.ErrnoException).code !== 'EAGAIN';
  }
}

/** Whether this process may lower nice values again; `pid` is the one that it is tried with. */
function canRaise(pid: number): boolean {
  return trySetPriority(pid, NORMAL + 1) && trySetPriority(pid, NORMAL);
}

function trySetPriority(thread: number, nice: number): boolean {
  try {
    setPriority(thread, nice);
    return true;
  } catch {
    return false;
  }
}

/** `leader`, its child, and so on to the program: wrappers have one child each. */
function chain(leader: number): number[] {
  const found = [leader];
  try {
    for (;;) {
      const pid = found.at(-1)!;
      const child = Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
      if (Number.isNaN(child)) return found;
      found.push(child);
    }
  } catch {
    return found;
  }
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** Processor time of a process and its threads, in ticks; undefined when it is none of the session of `leader`. */
function ticksOf(pid: number, leader: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [session, user, system] = [3, 11, 12].map((i) => Number(fields[i]));
    return session === leader ? user! + system! : undefined;
  } catch {
    return undefined;
  }
}
