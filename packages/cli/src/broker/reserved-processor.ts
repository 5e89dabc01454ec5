/**
 * One processor that busy executors can be kept off. Where all processors are busy, Linux lets what wakes up wait now and
 * then until its next tick, of 1 to 10 ms, whatever the priorities are: what ran a moment too long is not eligible again
 * until others had their share, and who has the least share runs on. (EEVDF, https://docs.kernel.org/scheduler/sched-eevdf.html)
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Processors of this process, and which of them can be kept free. By taskset(1), which may set what is one's own. */
export class ReservedProcessor {
  readonly #all: string;
  readonly #others: string;
  readonly #taskset: string | undefined;

  /** @param taskset its file; undefined where there is none. */
  constructor(taskset: string | undefined, processors = allowedProcessors()) {
    this.#all = processors.join(',');
    this.#others = processors.slice(1).join(',');
    // The only one there is cannot be kept free.
    this.#taskset = processors.length > 1 ? taskset : undefined;
  }

  /** Whether there is one. */
  get isPossible(): boolean {
    return this.#taskset !== undefined;
  }

  /** What a command is preceded by for all that it starts to be kept off. */
  get prefix(): readonly string[] {
    return this.#taskset === undefined ? [] : [this.#taskset, '-c', this.#others];
  }

  /** Whether the threads of a process, and what they start, are kept off. */
  keepOff(pid: number, isKeptOff: boolean): void {
    if (this.#taskset === undefined) return;
    const list = isKeptOff ? this.#others : this.#all;
    try {
      const child = spawn(this.#taskset, ['-a', '-c', '-p', list, String(pid)], { stdio: 'ignore' });
      // That the process is gone is its exit status.
      child.on('error', () => {});
      child.unref();
    } catch {
      // There can be no more processes: node emits that for some reasons, and throws for others.
    }
  }
}

/** As the kernel lists them, "0-2,5"; none where it does not. (proc(5)) */
function allowedProcessors(): number[] {
  try {
    const [, list] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
    return list!.split(',').flatMap((range) => {
      const [first, last = first] = range.split('-').map(Number);
      return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
    });
  } catch {
    return [];
  }
}
