import type { Flow } from '../flow.ts';
import type { Budget } from './policy.ts';
import { TokenBucket } from './token-bucket.ts';

/** Holds a guest to the rates of its budget, and ends its session where a total is spent. */
export class Rates {
  readonly #budget: Budget;
  readonly #flow: Flow;
  readonly #end: (rule: keyof Budget, detail: string) => void;
  readonly #bytes: TokenBucket | undefined;
  readonly #commands: TokenBucket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #wallTimer: ReturnType<typeof setTimeout> | undefined;
  #totalBytes = 0;

  /** @param end ends the session. */
  constructor(budget: Budget, flow: Flow, end: (rule: keyof Budget, detail: string) => void) {
    this.#budget = budget;
    this.#flow = flow;
    this.#end = end;
    const nowMs = performance.now();
    const { bytesPerSec, commandsPerSec, wallMs } = budget;
    this.#bytes = bytesPerSec === undefined ? undefined : new TokenBucket(bytesPerSec, nowMs);
    this.#commands = commandsPerSec === undefined ? undefined : new TokenBucket(commandsPerSec, nowMs);
    if (wallMs !== undefined)
      this.#wallTimer = setTimeout(
        () => end('wallMs', `the ${wallMs} ms that the policy of this guest allows a session are over`),
        Math.min(2 ** 31 - 1, wallMs),
      );
  }

  /** Bytes that have come. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** The budget has changed: a part was carved out, or given back. */
  budgetChanged(): void {
    const { bytesPerSec, commandsPerSec } = this.#budget;
    if (bytesPerSec !== undefined) this.#bytes?.setRate(bytesPerSec);
    if (commandsPerSec !== undefined) this.#commands?.setRate(commandsPerSec);
  }

  /** Bytes have come. @returns whether the session goes on. */
  receivedBytes(count: number): boolean {
    this.#totalBytes += count;
    const { bytes = Infinity } = this.#budget;
    if (this.#totalBytes > bytes) {
      this.#end('bytes', `the ${bytes} bytes that the policy of this guest allows are spent`);
      return false;
    }
    this.#owe(this.#bytes?.spend(count, performance.now()));
    return true;
  }

  /** Commands were executed. */
  executed(count: number): void {
    this.#owe(this.#commands?.spend(count, performance.now()));
  }

  #owe(waitMs: number | undefined): void {
    // One that is waited for already is waited for longer by the next frame, if it has to be.
    if (waitMs === undefined || waitMs === 0 || this.#timer !== undefined) return;
    this.#flow.hold('rate');
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#flow.release('rate');
      },
      Math.min(2 ** 31 - 1, waitMs),
    );
  }

  /** Nothing is held or ended any more. */
  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#wallTimer);
  }
}
