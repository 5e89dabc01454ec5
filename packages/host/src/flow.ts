import type { Transport } from '@vesper-gpu/wire';

/** Why nothing more is read from a guest. */
export type HoldReason = 'guest-does-not-read' | 'rate' | 'submits' | 'gpu-time';

/** Stops reading from a guest while there is any reason to: the stream then fills up, and the guest has to wait. */
export class Flow {
  readonly #transport: Transport;
  readonly #reasons = new Set<HoldReason>();
  /** Called when the last reason is gone: what had been received already can be gone on with. */
  readonly #resumed: () => void;

  constructor(transport: Transport, resumed: () => void) {
    this.#transport = transport;
    this.#resumed = resumed;
  }

  /** Whether what has been received is to be left alone. */
  get isHeld(): boolean {
    return this.#reasons.size > 0;
  }

  hold(reason: HoldReason): void {
    this.#reasons.add(reason);
    if (this.#reasons.size === 1) this.#transport.pause();
  }

  release(reason: HoldReason): void {
    if (!this.#reasons.delete(reason) || this.#reasons.size > 0) return;
    this.#resumed();
    // What had been received may have been another reason to wait.
    if (this.#reasons.size === 0) this.#transport.resume();
  }
}
