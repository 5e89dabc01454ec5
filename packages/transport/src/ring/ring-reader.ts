import { AlignedCopy, isShared } from './aligned-copy.ts';
import { ENDED, HEAD, READER_WAITS, START, TAIL, WRITER_WAITS, type RingMemory } from './layout.ts';
import { RingError } from './ring-error.ts';

/**
 * The consumer's end of a ring. The other side can write anything anywhere in it at any time: where this side stands is
 * known from a variable of its own, the other side's counter is read once for each look and believed only if it can be
 * true, and the bytes are for copying.
 */
export class RingReader {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #capacity: number;
  /** Where the bytes end that were read. */
  #head = START;
  /** Where the bytes end that were written, as far as was seen. */
  #tail = START;
  #hasEnded = false;
  readonly #copy: AlignedCopy | undefined;

  constructor({ words, bytes }: RingMemory) {
    this.#words = words;
    this.#bytes = bytes;
    this.#capacity = bytes.byteLength;
    this.#copy = isShared(bytes) ? new AlignedCopy() : undefined;
  }

  /** How many bytes can be read. @throws RingError */
  available(): number {
    const tail = Atomics.load(this.#words, TAIL);
    const known = (this.#tail - this.#head) >>> 0;
    const grown = (tail - this.#tail) >>> 0;
    // A counter that went back is one that went forth too far.
    if (grown > this.#capacity - known) {
      throw new RingError(`the writer claims ${grown} more bytes, where there is room for ${this.#capacity - known}`);
    }
    this.#tail = tail;
    return known + grown;
  }

  /**
   * The next bytes that lie together, `maxBytes` at most; undefined when there are none. They may lie in the ring, where
   * the other side can change them, until `consume`: copy them before looking at them.
   * @throws RingError
   */
  peek(maxBytes: number): Uint8Array | undefined {
    const available = this.available();
    if (available === 0) return undefined;
    const at = this.#head & (this.#capacity - 1);
    const bytes = this.#bytes.subarray(at, at + Math.min(available, maxBytes, this.#capacity - at));
    return this.#copy === undefined ? bytes : this.#copy.of(bytes);
  }

  /** Gives the room of so many bytes, which `peek` or `available` told of, back to the writer. */
  consume(byteLength: number): void {
    this.#head = (this.#head + byteLength) | 0;
    Atomics.store(this.#words, HEAD, this.#head);
  }

  /** Whether the writer has ended. What `available` says afterwards is then the last. */
  get hasEnded(): boolean {
    // Once and for all: a side that took it back would lead this one around in circles.
    this.#hasEnded ||= Atomics.load(this.#words, ENDED) !== 0;
    return this.#hasEnded;
  }

  /**
   * Asks to be woken when bytes come, or the end.
   * @returns false when there is something already, and nobody will wake this side
   * @throws RingError
   */
  sleep(): boolean {
    Atomics.store(this.#words, READER_WAITS, 1);
    // Behind the store: a writer that did not see it has published what is seen here.
    if (!this.hasEnded && this.available() === 0) return true;
    Atomics.store(this.#words, READER_WAITS, 0);
    return false;
  }

  /** Whether the writer is to be woken: it waits, and half of the ring is free. Says so once. */
  takeWriterWaits(): boolean {
    if (Atomics.load(this.#words, WRITER_WAITS) === 0) return false;
    if ((this.#tail - this.#head) >>> 0 > this.#capacity / 2) return false;
    return Atomics.exchange(this.#words, WRITER_WAITS, 0) !== 0;
  }
}
