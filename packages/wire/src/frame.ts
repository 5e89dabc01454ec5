import { ProtocolError } from './errors.ts';

const HEADER_BYTES = 4;
/** A frame's whole length is set aside once so many of its bytes have arrived. */
const TRUSTED_BYTES = 32 << 10;

/**
 * Cuts a byte stream into frames. A frame is one word, its length in bytes (the word included, a multiple of 4),
 * and its records. A frame's memory grows with the bytes that arrive, not with the length that is announced.
 */
export class FrameReader {
  /** A longer frame is refused by its header. */
  maxFrameBytes: number;
  #buffer = new Uint8Array(4096);
  #filled = 0;
  #length = 0;

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /**
   * Adds received bytes and calls `deliver` for each whole frame with its records (no header). What it is given is
   * its own: the memory is not used again. `deliver` returning false stops: the rest of `chunk` is returned.
   */
  push(chunk: Uint8Array, deliver: (records: Uint8Array<ArrayBuffer>) => boolean | void): Uint8Array | undefined {
    let rest = chunk;
    while (rest.byteLength > 0) {
      const wanted = this.#length === 0 ? HEADER_BYTES : this.#length;
      const take = Math.min(rest.byteLength, wanted - this.#filled);
      this.#append(rest.subarray(0, take));
      rest = rest.subarray(take);
      if (this.#length === 0 && this.#filled === HEADER_BYTES) this.#readHeader();
      if (this.#length !== 0 && this.#filled === this.#length && deliver(this.#takeFrame()) === false) return rest;
    }
    return undefined;
  }

  /** Whether the stream stands within a frame: its end is then a truncation. */
  get isWithinFrame(): boolean {
    return this.#filled > 0;
  }

  #readHeader(): void {
    const length = new DataView(this.#buffer.buffer).getUint32(0, true);
    if (length < HEADER_BYTES || length % 4 !== 0) {
      throw new ProtocolError('bad-frame', `a frame of ${length} bytes`);
    }
    if (length > this.maxFrameBytes) {
      throw new ProtocolError('frame-too-large', `a frame of ${length} bytes, limit ${this.maxFrameBytes}`);
    }
    this.#length = length;
  }

  #append(data: Uint8Array): void {
    const filled = this.#filled + data.byteLength;
    if (filled > this.#buffer.byteLength) {
      // A frame of which this much has come is likely to come whole: growing once copies less.
      const size =
        this.#filled >= TRUSTED_BYTES
          ? this.#length
          : Math.max(filled, Math.min(this.#length, this.#buffer.byteLength * 8));
      const grown = new Uint8Array(size);
      grown.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = grown;
    }
    this.#buffer.set(data, this.#filled);
    this.#filled = filled;
  }

  #takeFrame(): Uint8Array<ArrayBuffer> {
    const length = this.#length;
    this.#filled = 0;
    this.#length = 0;
    // A small frame is copied out, so that the buffer serves again; a large one is given away.
    if (length <= 4096) return this.#buffer.slice(HEADER_BYTES, length);
    const records = this.#buffer.subarray(HEADER_BYTES, length);
    this.#buffer = new Uint8Array(4096);
    return records;
  }
}
