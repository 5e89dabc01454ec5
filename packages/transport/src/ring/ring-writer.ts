import { AlignedCopy, isShared } from './aligned-copy.ts';
import { ENDED, HEAD, READER_WAITS, START, TAIL, WRITER_WAITS, type RingMemory } from './layout.ts';
import { RingError } from './ring-error.ts';

/** Bulk data: frames of commands are shorter, and a second copy would cost a page of a browser more than it spares. */
const MIN_COPIED_BYTES = 128 << 10;
/** So many are copied at a time, to be still in a cache when they are stored. */
const PIECE_BYTES = 64 << 10;

/** The producer's end of a ring. It believes of the other side what {@link RingReader} does. */
export class RingWriter {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #capacity: number;
  /** Where the bytes end that were written. */
  #tail = START;
  /** Where the bytes end that were read, as far as was seen. */
  #head = START;
  readonly #copy: AlignedCopy | undefined;

  constructor({ words, bytes }: RingMemory) {
    this.#words = words;
    this.#bytes = bytes;
    this.#capacity = bytes.byteLength;
    this.#copy = isShared(bytes) ? new AlignedCopy() : undefined;
  }

  /** How many bytes can be written. @throws RingError */
  free(): number {
    const head = Atomics.load(this.#words, HEAD);
    const used = (this.#tail - this.#head) >>> 0;
    const read = (head - this.#head) >>> 0;
    if (read > used) throw new RingError(`the reader claims to have read ${read} bytes of ${used}`);
    this.#head = head;
    return this.#capacity - (used - read);
  }

  /**
   * Copies as much of `bytes` as there is room for into the ring, and publishes it.
   * @returns how many bytes that were
   * @throws RingError
   */
  write(bytes: Uint8Array): number {
    const count = Math.min(this.free(), bytes.byteLength);
    if (count === 0) return 0;
    const at = this.#tail & (this.#capacity - 1);
    const first = Math.min(count, this.#capacity - at);
    this.#store(first === bytes.byteLength ? bytes : bytes.subarray(0, first), at);
    if (first < count) this.#store(bytes.subarray(first, count), 0);
    this.#tail = (this.#tail + count) | 0;
    Atomics.store(this.#words, TAIL, this.#tail);
    return count;
  }

  #store(bytes: Uint8Array, at: number): void {
    const copy = this.#copy;
    if (copy === undefined || bytes.byteLength < MIN_COPIED_BYTES || ((bytes.byteOffset - at) & 7) === 0) {
      return this.#bytes.set(bytes, at);
    }
    for (let from = 0; from < bytes.byteLength; from += PIECE_BYTES) {
      const to = at + from;
      this.#bytes.set(copy.of(bytes.subarray(from, from + PIECE_BYTES), to), to);
    }
  }

  /** Nothing more will be written. */
  end(): void {
    Atomics.store(this.#words, ENDED, 1);
  }

  /**
   * Asks to be woken when half of the ring is free: for less, both sides would wake each other all the time.
   * @returns false when it is already, and nobody will wake this side
   * @throws RingError
   */
  sleep(): boolean {
    Atomics.store(this.#words, WRITER_WAITS, 1);
    // Behind the store: a reader that did not see it has given back what is seen here.
    if (this.free() < this.#capacity / 2) return true;
    Atomics.store(this.#words, WRITER_WAITS, 0);
    return false;
  }

  /** Whether the reader sleeps and is to be woken. Says so once. */
  takeReaderWaits(): boolean {
    return Atomics.load(this.#words, READER_WAITS) !== 0 && Atomics.exchange(this.#words, READER_WAITS, 0) !== 0;
  }
}
