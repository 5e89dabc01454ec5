import { MAX_MESSAGE_LENGTH } from '@vesper-gpu/wire';

/** Uncaptured errors of a session that are told whole, in UTF-16 units altogether: some ten thousand of the usual length. */
const WHOLE_TEXTS_LENGTH = 1 << 20;

/** What is told of each one after that, in UTF-16 units: most of a backend's messages are no longer. */
const SHORT_LENGTH = 256;

/**
 * Bounds what a flood of errors costs. Every error is told, as WebGPU has it; but a record of 20 bytes can make the
 * backend write 16 KiB, about the same object again and again, and nobody reads the ten thousandth.
 */
export class UncapturedTexts {
  #left = WHOLE_TEXTS_LENGTH;

  /** The part of a message that is sent on. */
  cut(message: string): string {
    const length = Math.min(message.length, MAX_MESSAGE_LENGTH);
    if (length <= SHORT_LENGTH) return message;
    if (length <= this.#left) {
      this.#left -= length;
      return message.slice(0, length);
    }
    return message.slice(0, SHORT_LENGTH);
  }
}
