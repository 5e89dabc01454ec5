import type { api } from '@vesper-gpu/protocol/host';
import type { Flow } from '../flow.ts';
import type { Guard } from './guard.ts';
import { HangWatch } from './hang-watch.ts';
import type { Budget } from './policy.ts';
import { TokenBucket } from './token-bucket.ts';

/** Work that a queue has been given. */
interface QueueWork {
  readonly queue: api.GPUQueue;
  /** Submits that the backend has not been asked about yet. */
  unasked: number;
  /** Submits that it has been asked about, and that are not done. */
  asked: number;
  /** Since when the queue has been busy. */
  busySinceMs: number;
  /** What waits for the work that the backend has not been asked about, and for that which it has been. */
  afterUnasked: (() => void)[];
  afterAsked: (() => void)[];
  /** Whether it was given something that the backend has not been asked about. */
  hasUnasked: boolean;
}

/**
 * Watches what is submitted: how long it takes, how much of it there is. The backend is
 * asked by onSubmittedWorkDone, about one lot of submits at a time; the time counts in which a queue has work.
 */
export class GPUTime {
  readonly #budget: Budget;
  readonly #flow: Flow;
  readonly #end: (rule: keyof Budget, detail: string) => void;
  readonly #isExact: boolean;
  readonly #rate: TokenBucket | undefined;
  readonly #queues = new Map<object, QueueWork>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #hangs: HangWatch | undefined;
  #totalMs = 0;

  /** @param end ends the session. */
  constructor(guard: Guard, budget: Budget, flow: Flow, end: (rule: keyof Budget, detail: string) => void) {
    this.#budget = budget;
    this.#flow = flow;
    this.#end = end;
    const { inflightSubmits, gpuMsPerSec, gpuMsTotal } = budget;
    this.#isExact =
      inflightSubmits !== undefined ||
      gpuMsPerSec !== undefined ||
      gpuMsTotal !== undefined ||
      budget.gpuMemory !== undefined;
    this.#rate = gpuMsPerSec === undefined ? undefined : new TokenBucket(gpuMsPerSec, performance.now());
    const { hangMs } = budget;
    if (hangMs !== undefined)
      this.#hangs = new HangWatch(guard, hangMs, () =>
        end('hangMs', `the GPU did not get any submit done within ${hangMs} ms`),
      );
    if (!this.#isExact) return;
    guard.around('GPUQueue.submit', (next, args) => {
      const result = next(...args);
      this.#given(args[0] as api.GPUQueue, 1);
      return result;
    });
    // A write can clear gigabytes, with four bytes.
    for (const name of ['GPUQueue.writeBuffer', 'GPUQueue.writeTexture'])
      guard.around(name, (next, args) => {
        const result = next(...args);
        this.#given(args[0] as api.GPUQueue, 0);
        return result;
      });
  }

  /**
   * Calls `act` once `queue` has done what it was given by now; at once where nobody counts. It is asked in any case: a
   * backend gives memory back only while it is asked for something.
   */
  readonly whenDone = (queue: object | undefined, act: () => void): void => {
    if (!this.#isExact || queue === undefined) return act();
    this.#given(queue as api.GPUQueue, 0);
    this.#queues.get(queue)!.afterUnasked.push(act);
  };

  /** Time in which a queue had work, in milliseconds. Where only hangs are watched, an estimate from below. */
  get totalMs(): number {
    return this.#isExact ? this.#totalMs : (this.#hangs?.busyMs ?? 0);
  }

  /** The budget has changed: a part was carved out, or given back. */
  budgetChanged(): void {
    if (this.#budget.gpuMsPerSec !== undefined) this.#rate?.setRate(this.#budget.gpuMsPerSec);
    if (this.#isFew()) this.#flow.release('submits');
    else this.#holdIfMany();
  }

  /** Nothing is watched any more. */
  stop(): void {
    this.#hangs?.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#queues.clear();
  }

  /** @param submits 0 for work that is no submit */
  #given(queue: api.GPUQueue, submits: number): void {
    const found = this.#queues.get(queue);
    if (found !== undefined) {
      found.unasked += submits;
      found.hasUnasked = true;
    } else {
      const work: QueueWork = {
        queue,
        unasked: submits,
        hasUnasked: true,
        asked: 0,
        busySinceMs: performance.now(),
        afterUnasked: [],
        afterAsked: [],
      };
      this.#queues.set(queue, work);
      // Behind this task, so that one question is about all that comes with it.
      queueMicrotask(() => this.#askIfWatched(work));
    }
    this.#holdIfMany();
  }

  #askIfWatched(work: QueueWork): void {
    if (this.#queues.get(work.queue) === work) this.#ask(work);
  }

  #ask(work: QueueWork): void {
    work.asked = work.unasked;
    work.unasked = 0;
    work.hasUnasked = false;
    work.afterAsked = work.afterAsked.concat(work.afterUnasked);
    work.afterUnasked = [];
    const { gpuMsTotal } = this.#budget;
    const spent =
      gpuMsTotal === undefined ? undefined : this.#after(gpuMsTotal - this.#totalMs, () => this.#endSpent(gpuMsTotal));
    const done = (): void => {
      this.#cancel(spent);
      // The session may have ended.
      if (this.#queues.get(work.queue) === work) this.#done(work);
    };
    // Dawn gives memory back behind a submit, even an empty one, and holds on to it until one comes.
    if (work.afterAsked.length > 0) work.queue.submit([]);
    work.queue.onSubmittedWorkDone().then(done, done);
  }

  #done(work: QueueWork): void {
    const nowMs = performance.now();
    const busyMs = nowMs - work.busySinceMs;
    this.#totalMs += busyMs;
    work.busySinceMs = nowMs;
    work.asked = 0;
    const acts = work.afterAsked;
    work.afterAsked = [];
    for (const act of acts) act();
    if (this.#budget.gpuMsTotal !== undefined && this.#totalMs > this.#budget.gpuMsTotal)
      return this.#endSpent(this.#budget.gpuMsTotal);
    const owedMs = this.#rate?.spend(busyMs, nowMs) ?? 0;
    if (owedMs > 0) {
      this.#flow.hold('gpu-time');
      this.#after(owedMs, () => this.#flow.release('gpu-time'));
    }
    if (work.hasUnasked) this.#ask(work);
    else this.#queues.delete(work.queue);
    if (this.#isFew()) this.#flow.release('submits');
  }

  #endSpent(gpuMsTotal: number): void {
    this.#end('gpuMsTotal', `the ${gpuMsTotal} ms of GPU time that the policy of this guest allows are spent`);
  }

  #isFew(): boolean {
    // All of it can be given away; one at a time is always left.
    const inflightSubmits = Math.max(1, this.#budget.inflightSubmits ?? Infinity);
    let count = 0;
    for (const { asked, unasked } of this.#queues.values()) count += asked + unasked;
    return count < inflightSubmits;
  }

  #holdIfMany(): void {
    if (this.#budget.inflightSubmits !== undefined && !this.#isFew()) this.#flow.hold('submits');
  }

  #after(delayMs: number, act: () => void): ReturnType<typeof setTimeout> {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        act();
      },
      // A timer takes 2³¹ − 1 ms at most, and one millisecond for more.
      Math.min(2 ** 31 - 1, Math.max(0, delayMs)),
    );
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer: ReturnType<typeof setTimeout> | undefined): void {
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#timers.delete(timer);
  }
}
