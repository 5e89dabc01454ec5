import type { Transport } from '@vesper-gpu/wire';

/** Why nothing more is read from a guest, or executed. */
export type HoldReason = 'guest-does-not-read' | 'turn' | 'rate' | 'submits' | 'gpu-time' | 'memory';

/**
 * How long, in milliseconds, a guest may have to wait in one go, except for its own reading: whoever owes more than that
 * is not served, as a stream that is not read does not say either that the guest has left.
 */
const LONGEST_HOLD_MS = 60_000;

/** Stops reading from a guest while there is any reason to: the stream then fills up, and the guest has to wait. */
export class Flow {
  readonly #transport: Transport;
  readonly #reasons = new Set<HoldReason>();
  readonly #resumed: () => void;
  readonly #tooLong: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param resumed called when the last reason is gone: what had been received already can be gone on with.
   * @param tooLong called when the guest has to wait for longer than any should.
   */
  constructor(transport: Transport, resumed: () => void, tooLong: () => void) {
    this.#transport = transport;
    this.#resumed = resumed;
    this.#tooLong = tooLong;
  }

  /** Whether what has been received is to be left alone. */
  get isHeld(): boolean {
    return this.#reasons.size > 0;
  }

  hold(reason: HoldReason): void {
    this.#reasons.add(reason);
    if (this.#reasons.size === 1) this.#transport.pause();
    if (isBounded(reason)) this.#timer ??= setTimeout(this.#tooLong, LONGEST_HOLD_MS);
  }

  release(reason: HoldReason): void {
    if (!this.#reasons.delete(reason)) return;
    if (![...this.#reasons].some(isBounded)) this.stop();
    if (this.#reasons.size > 0) return;
    this.#resumed();
    // What had been received may have been another reason to wait.
    if (this.#reasons.size === 0) this.#transport.resume();
  }

  /** Nobody waits any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** Whether it is the guest's debt: how long it takes to read is its own affair, and a turn is over at once. */
function isBounded(reason: HoldReason): boolean {
  return reason !== 'guest-does-not-read' && reason !== 'turn';
}
