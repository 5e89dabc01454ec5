import type { api } from '@vesper-gpu/protocol/host';
import type { Guard } from './guard.ts';

/** How far apart, in milliseconds, submits are that the backend is asked about: progress is seen in steps of that size. */
const ASK_EVERY_MS = 100;

/** What a queue was asked about. */
interface Watched {
  /** Questions without an answer. */
  open: number;
  /** When the last question was asked. */
  askedMs: number;
  /** Since when there is an open question. */
  busySinceMs: number;
  /** Asks about the last submits, which came too soon behind a question. */
  trailing: ReturnType<typeof setTimeout> | undefined;
  hang: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Watches that the GPU gets on. A program may submit minutes of work at once: what counts is that some of it gets done
 * now and then, so the backend is asked about submits one by one, or a few at a time where they come fast.
 */
export class HangWatch {
  readonly #hangMs: number;
  readonly #hung: () => void;
  readonly #queues = new Map<api.GPUQueue, Watched>();
  #busyMs = 0;

  /**
   * @param hangMs how long the GPU may work without getting anything done.
   * @param hung called when it did.
   */
  constructor(guard: Guard, hangMs: number, hung: () => void) {
    this.#hangMs = Math.min(2 ** 31 - 1, hangMs);
    this.#hung = hung;
    guard.around('GPUQueue.submit', (next, args) => {
      const result = next(...args);
      this.#submitted(args[0] as api.GPUQueue);
      return result;
    });
  }

  /** Time in which a queue had submits that were not done, in milliseconds, until the last answer. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /** Nothing is watched any more. */
  stop(): void {
    for (const { trailing, hang } of this.#queues.values()) {
      clearTimeout(trailing);
      clearTimeout(hang);
    }
    this.#queues.clear();
  }

  #submitted(queue: api.GPUQueue): void {
    const nowMs = performance.now();
    let watched = this.#queues.get(queue);
    if (watched === undefined) {
      watched = { open: 0, askedMs: -Infinity, busySinceMs: nowMs, trailing: undefined, hang: undefined };
      this.#queues.set(queue, watched);
    }
    if (watched.trailing !== undefined) return;
    const waitMs = watched.askedMs + ASK_EVERY_MS - nowMs;
    if (waitMs <= 0) return this.#ask(queue, watched);
    const found = watched;
    watched.trailing = setTimeout(() => {
      found.trailing = undefined;
      this.#ask(queue, found);
    }, waitMs);
  }

  #ask(queue: api.GPUQueue, watched: Watched): void {
    watched.askedMs = performance.now();
    if (watched.open++ === 0) watched.busySinceMs = watched.askedMs;
    watched.hang ??= setTimeout(this.#hung, this.#hangMs);
    const answered = (): void => {
      if (this.#queues.get(queue) !== watched) return;
      const nowMs = performance.now();
      this.#busyMs += nowMs - watched.busySinceMs;
      watched.busySinceMs = nowMs;
      clearTimeout(watched.hang);
      watched.open--;
      watched.hang = watched.open > 0 ? setTimeout(this.#hung, this.#hangMs) : undefined;
      if (watched.open === 0 && watched.trailing === undefined) this.#queues.delete(queue);
    };
    queue.onSubmittedWorkDone().then(answered, answered);
  }
}
