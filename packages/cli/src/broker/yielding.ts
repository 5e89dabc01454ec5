/**
 * Which executors yield the processors. A guest that keeps them busy, with shaders that a processor runs or with compilers,
 * would make one that uses little wait for the kernel's next tick: so the busy one's nice value is the highest, by itself
 * and as a group, until it uses little again. Those that are busy share alike. Linux only: it reads /proc.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** How often, in milliseconds, is looked. */
const PERIOD_MS = 200;
/** Use of processors, 1 is all of one, from which on an executor yields, and below which it does no more. */
const BUSY = 0.5;
const LIGHT = 0.25;
/** How much of what was seen before counts, at each look. */
const MEMORY = 0.5;
/** Ticks a second in /proc/PID/stat: USER_HZ, the same on all architectures of today's kernels (proc(5)). */
const TICKS_PER_SECOND = 100;
const LOWEST = 19;
const NORMAL = 0;

/** What of an executor is looked at. */
interface Watched {
  /** The process that was started, and leads the session of all that it starts. */
  readonly leader: number;
  /** Those between it and the program, and the program itself as the last; unknown while it starts. */
  processes: readonly number[];
  ticks: number;
  seenAtMs: number;
  use: number;
  yields: boolean;
  /** Whether the kernel has heard of `yields`: of groups it hears ten times a second at most (sched(7), autogroup). */
  isGroupTold: boolean;
}

/** Lets busy executors wait for the others. */
export class Yielding {
  readonly #all = new Map<number, Watched>();
  #timer: NodeJS.Timeout | undefined;
  /** Whether a process that was made to wait can be let go first again. */
  #canRaise: boolean | undefined;

  /** Watches what was just started as process `leader`. It does not yield before its program runs: that is waited for. */
  add(leader: number): void {
    if (process.platform !== 'linux') return;
    this.#canRaise ??= canRaise(leader);
    const watched = { leader, processes: [leader], ticks: 0, seenAtMs: 0, use: 0, yields: false, isGroupTold: true };
    this.#all.set(leader, watched);
    this.#timer ??= setInterval(() => this.#look(), PERIOD_MS).unref();
  }

  /** The program behind `leader` runs: what it uses from now on counts. */
  started(leader: number): void {
    const watched = this.#all.get(leader);
    if (watched === undefined) return;
    watched.processes = chain(leader);
    watched.ticks = ticksOf(watched.processes.at(-1)!, leader) ?? 0;
    watched.seenAtMs = performance.now();
  }

  remove(leader: number): void {
    this.#all.delete(leader);
    if (this.#all.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Whether the executor of process `leader` waits for others. */
  yields(leader: number): boolean {
    return this.#all.get(leader)?.yields ?? false;
  }

  #look(): void {
    const now = performance.now();
    for (const watched of this.#all.values()) {
      if (watched.seenAtMs > 0) this.#measure(watched, now);
      if (!watched.isGroupTold) tellGroup(watched);
    }
  }

  #measure(watched: Watched, now: number): void {
    const ticks = ticksOf(watched.processes.at(-1)!, watched.leader);
    if (ticks === undefined) return; // it has ended
    const seconds = (now - watched.seenAtMs) / 1000;
    const used = (ticks - watched.ticks) / TICKS_PER_SECOND / seconds;
    watched.use = watched.use * MEMORY + used * (1 - MEMORY);
    watched.ticks = ticks;
    watched.seenAtMs = now;
    const yields = watched.use > (watched.yields ? LIGHT : BUSY);
    if (yields === watched.yields) return;
    watched.yields = yields;
    this.#tell(watched);
  }

  #tell(watched: Watched): void {
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
