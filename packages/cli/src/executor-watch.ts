/**
 * The thread that watches an executor's main thread; see `broker/watch.ts`. It has no event loop to speak of: it
 * sleeps, looks at shared memory, and writes to its pipe.
 */
import { writeSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';
import { beatMs, watchLine, WATCH_DESCRIPTOR, type Violation, type WatchLine } from './broker/watch.ts';

// The words that are shared. The first two are the host package's: see its ServeOptions.activity.
export const RECORDS = 0;
export const OPCODE = 1;
/** The main thread's event loop adds to it. */
export const PULSE = 2;
/** One of the three below. */
export const PHASE = 3;
/** How many there are. */
export const WATCH_WORDS = 4;

/** No guest yet. */
export const PHASE_WAITING = 0;
export const PHASE_SERVING = 1;
export const PHASE_OVER = 2;

/** What the thread is given. */
export interface WatchData {
  readonly activity: Int32Array<SharedArrayBuffer>;
  /** Milliseconds of a hang, milliseconds of a compilation, bytes of memory: once PHASE is PHASE_SERVING. */
  readonly limits: Float64Array<SharedArrayBuffer>;
  /** By opcode. */
  readonly commands: readonly ({ name: string; compiles: boolean } | undefined)[];
}

/** How often, in milliseconds, a main thread that works is looked at, and its memory. */
const LOOK_MS = 100;
/** The same for one that has nothing to do: there may be many of these. */
const IDLE_LOOK_MS = 500;

if (!isMainThread) watch(workerData as WatchData);

function watch({ activity, limits, commands }: WatchData): void {
  Atomics.wait(activity, PHASE, PHASE_WAITING);
  const [hangMs, compileMs] = limits as unknown as [number, number];
  const beatEveryMs = beatMs({ hangMs, compileMs });
  const idleLookMs = Math.min(IDLE_LOOK_MS, beatEveryMs);
  let seenRecords = 0;
  let seenPulse = -1;
  let progressMs = performance.now();
  let nextBeatMs = 0;
  while (Atomics.load(activity, PHASE) === PHASE_SERVING) {
    const records = Atomics.load(activity, RECORDS);
    const pulse = Atomics.load(activity, PULSE);
    const opcode = Atomics.load(activity, OPCODE);
    const isIdle = records === seenRecords && opcode === 0;
    const nowMs = performance.now();
    if (records !== seenRecords || pulse !== seenPulse) {
      seenRecords = records;
      seenPulse = pulse;
      progressMs = nowMs;
    } else {
      const command = opcode === 0 ? undefined : commands[opcode];
      const limitMs = command?.compiles === true ? compileMs : hangMs;
      if (nowMs - progressMs > limitMs) {
        // Records of the protocol's own have no name.
        if (opcode === 0) violated({ kind: 'frozen', limitMs });
        else violated({ kind: 'stuck', command: command?.name ?? `record ${opcode}`, limitMs });
        return;
      }
    }
    // It may shrink: a part of it can be given away.
    const processMemory = limits[2]!;
    if (processMemory < Infinity && process.memoryUsage.rss() > processMemory) {
      violated({ kind: 'memory', limitBytes: processMemory });
      return;
    }
    if (nowMs >= nextBeatMs) {
      say({ type: 'beat' });
      nextBeatMs = nowMs + beatEveryMs;
    }
    Atomics.wait(activity, PHASE, PHASE_SERVING, isIdle ? idleLookMs : LOOK_MS);
  }
}

function violated(violation: Violation): void {
  say({ type: 'violation', violation });
}

function say(line: WatchLine): void {
  try {
    writeSync(WATCH_DESCRIPTOR, watchLine(line));
  } catch (error) {
    // Without a broker nobody would end this process, and its main thread may be the one that hangs.
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') process.kill(process.pid, 'SIGKILL');
  }
}
