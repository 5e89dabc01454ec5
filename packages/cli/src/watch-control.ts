/** The executor's main thread's side of its watch: starts the worker, and shares memory with it. */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { commandInfo } from '@vesper-gpu/protocol/host';
import { beatMs, watchLine, WATCH_DESCRIPTOR, type WatchLimits } from './broker/watch.ts';
import { PHASE, PHASE_OVER, PHASE_SERVING, PULSE, WATCH_WORDS, type WatchData } from './executor-watch.ts';

/** How often, in milliseconds, a guest that reads too slowly is looked at. */
const BEHIND_MS = 20;

/** The watch over this process. */
export interface Watch {
  /** For ServeOptions.activity. */
  readonly activity: Int32Array<SharedArrayBuffer>;
  /** From now on the limits hold, and the broker hears from this process. */
  start(limits: WatchLimits): void;
  /** From now on the process may occupy so many bytes. */
  setProcessMemory(bytes: number): void;
  /**
   * To be called when something was sent to the guest, the hello first: the broker must know where no frame can be added.
   * @param waitingBytes how many bytes wait for the guest to read; 0 once it is gone
   */
  sent(waitingBytes: () => number): void;
  /** The guest is gone: nothing is watched any more. */
  stop(): void;
}

/** Starts the thread, which sleeps until a guest comes. */
export function startWatch(): Watch {
  const activity = new Int32Array(new SharedArrayBuffer(WATCH_WORDS * 4));
  const limits = new Float64Array(new SharedArrayBuffer(3 * 8));
  const workerData: WatchData = {
    activity,
    limits,
    commands: commandInfo.map((info) => info && { name: info.name, compiles: info.cost === 'compile' }),
  };
  // An executor is always what was built.
  const worker = new Worker(new URL('./executor-watch.js', import.meta.url), {
    workerData,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
  worker.unref();
  // Nobody may be served unwatched.
  worker.on('error', (error) => {
    throw error;
  });
  let behind: NodeJS.Timeout | undefined;
  let hasGreeted = false;
  const setBehind = (isBehind: boolean): void => void say(watchLine({ type: 'behind', isBehind }));
  return {
    activity,
    start: (watch) => {
      limits.set([watch.hangMs, watch.compileMs, watch.processMemory ?? Infinity]);
      setInterval(() => activity[PULSE]!++, beatMs(watch)).unref();
      Atomics.store(activity, PHASE, PHASE_SERVING);
      Atomics.notify(activity, PHASE);
    },
    setProcessMemory: (bytes) => {
      limits[2] = bytes;
    },
    sent: (waitingBytes) => {
      if (!hasGreeted) say(watchLine({ type: 'greeted' }));
      hasGreeted = true;
      if (behind !== undefined || waitingBytes() === 0) return;
      setBehind(true);
      behind = setInterval(() => {
        if (waitingBytes() > 0) return;
        clearInterval(behind);
        behind = undefined;
        setBehind(false);
      }, BEHIND_MS).unref();
    },
    stop: () => {
      Atomics.store(activity, PHASE, PHASE_OVER);
      Atomics.notify(activity, PHASE);
    },
  };
}

function say(line: string): void {
  try {
    writeSync(WATCH_DESCRIPTOR, line);
  } catch {
    // The broker is gone: the IPC channel says so too.
  }
}
