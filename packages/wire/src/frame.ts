import { ProtocolError } from './errors.ts';
import { OPCODE_BULK_CHUNK } from './record.ts';

const HEADER_BYTES = 4;
/** A frame's whole length is set aside once so many of its bytes have arrived. */
const TRUSTED_BYTES = 32 << 10;
/** Longer frames take their memory with them, whoever is done with them when. */
const MAX_KEPT_BYTES = 2 << 20;
const SMALL_BYTES = 4096;

/** Frames from this length on are looked at for whether they are one record of bulk data. */
const MIN_STREAMED_BYTES = 16 << 10;
/** The header of a frame, that of a record in its long form, and the length of the data. */
const LONG_PREFIX_BYTES = 16;
/** The same with a record header of one word. */
const SHORT_PREFIX_BYTES = 12;

/**
 * What takes the data of frames that are one record of bulk data each. It goes there as it comes, not by way of a frame:
 * each byte is copied once.
 */
export interface BulkSink {
  /** A record begins. */
  begin(): void;
  /** More of its data, at least a byte; valid during the call. */
  data(data: Uint8Array): void;
  /** It is complete. @returns false to stop, as `deliver` does */
  end(): boolean;
  /** Where the next `byteLength` bytes of data belong, as far as there is memory for them: they may lie there already. */
  room?(byteLength: number): Uint8Array<ArrayBuffer> | undefined;
  /** Whether more records have to come before what they carry is complete. */
  isUnfinished?(): boolean;
}

/**
 * Cuts a byte stream into frames. A frame is one word, its length in bytes (the word included, a multiple of 4),
 * followed by records. Little-endian, whatever the machine.
 */
export class FrameReader {
  /** A longer frame is refused by its header. */
  maxFrameBytes: number;
  /** Small frames are copied out of it, so that it is never given away. */
  readonly #small = new Uint8Array(SMALL_BYTES);
  /** Memory for what comes before data, which itself then need not be copied. */
  readonly #prefix = new Uint8Array(LONG_PREFIX_BYTES);
  #buffer = this.#small;
  #filled = 0;
  #length = 0;
  readonly #bulk: BulkSink | undefined;
  /** Whether the frame may still turn out to be one record of bulk data. */
  #isBulkPossible = false;
  /** Of a record of bulk data: bytes that are still to come. */
  #dataBytes = 0;
  /** Zeros that are to come behind them. */
  #paddingBytes = 0;

  /** @param bulk without one, records of bulk data come in frames, as all others do */
  constructor(maxFrameBytes: number, bulk?: BulkSink) {
    this.maxFrameBytes = maxFrameBytes;
    this.#bulk = bulk;
  }

  /**
   * Adds received bytes and calls `deliver` for each whole frame with its records (no header). What it is given is its
   * own until it is given to `reuse`. `deliver` returning false stops: the rest of `chunk` is returned.
   */
  push(chunk: Uint8Array, deliver: (records: Uint8Array<ArrayBuffer>) => boolean | void): Uint8Array | undefined {
    let rest = chunk;
    while (rest.byteLength > 0) {
      if (this.#isWithinBulk) {
        rest = this.#takeBulk(rest);
        if (!this.#isWithinBulk && !this.#bulk!.end()) return rest;
        continue;
      }
      const take = Math.min(rest.byteLength, this.#wantedBytes - this.#filled);
      this.#append(rest.subarray(0, take));
      rest = rest.subarray(take);
      if (this.#length === 0 && this.#filled === HEADER_BYTES) this.#readHeader();
      else if (this.#isBulkPossible && this.#filled === LONG_PREFIX_BYTES) this.#readBulkPrefix();
      if (this.#length !== 0 && this.#filled === this.#length && deliver(this.#takeFrame()) === false) return rest;
    }
    return undefined;
  }

  /** Whether the stream stands within a frame: its end is then a truncation. */
  get isWithinFrame(): boolean {
    return this.#filled > 0 || this.#isWithinBulk;
  }

  /** See `TransportHandlers.room`. */
  get room(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#dataBytes > 0) return this.#bulk?.room?.(this.#dataBytes);
    return this.#filled === 0 && this.#bulk?.isUnfinished?.() ? this.#prefix : undefined;
  }

  /** Nothing uses what `deliver` was given any more: its memory serves for other frames. */
  reuse(records: Uint8Array<ArrayBuffer>): void {
    const { buffer } = records;
    if (this.#filled > 0 || buffer.byteLength > MAX_KEPT_BYTES || buffer.byteLength <= this.#buffer.byteLength) return;
    this.#buffer = new Uint8Array(buffer);
  }

  get #isWithinBulk(): boolean {
    return this.#dataBytes + this.#paddingBytes > 0;
  }

  /** Up to where the frame has to have come before it is looked at. */
  get #wantedBytes(): number {
    if (this.#length === 0) return HEADER_BYTES;
    return this.#isBulkPossible ? LONG_PREFIX_BYTES : this.#length;
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
    this.#isBulkPossible = this.#bulk !== undefined && length >= MIN_STREAMED_BYTES;
  }

  /** Takes the frame for bulk data if it is one whole record of it; whatever else is in it is for others to judge. */
  #readBulkPrefix(): void {
    this.#isBulkPossible = false;
    const prefix = new DataView(this.#buffer.buffer);
    const header = prefix.getUint32(4, true);
    const isLong = header >>> 16 === 0;
    const start = isLong ? LONG_PREFIX_BYTES : SHORT_PREFIX_BYTES;
    const recordWords = isLong ? prefix.getUint32(8, true) : header >>> 16;
    const dataBytes = prefix.getUint32(start - 4, true);
    const paddedBytes = this.#length - start;
    const isWhole = recordWords === this.#length / 4 - 1 && Math.ceil(dataBytes / 4) * 4 === paddedBytes;
    if ((header & 0xffff) !== OPCODE_BULK_CHUNK || !isWhole) return;
    const first = this.#buffer.slice(start, this.#filled);
    this.#filled = 0;
    this.#length = 0;
    this.#dataBytes = dataBytes;
    this.#paddingBytes = paddedBytes - dataBytes;
    this.#bulk!.begin();
    if (first.byteLength > 0) this.#takeBulk(first);
  }

  /** @returns what is behind the record */
  #takeBulk(bytes: Uint8Array): Uint8Array {
    const data = bytes.subarray(0, this.#dataBytes);
    if (data.byteLength > 0) this.#bulk!.data(data);
    this.#dataBytes -= data.byteLength;
    const padding = bytes.subarray(data.byteLength, data.byteLength + this.#paddingBytes);
    if (this.#dataBytes > 0) return padding.subarray(0, 0);
    if (padding.some((byte) => byte !== 0)) throw new ProtocolError('bad-record', 'padding that is not zero');
    this.#paddingBytes -= padding.byteLength;
    return bytes.subarray(data.byteLength + padding.byteLength);
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
    if (length <= SMALL_BYTES) return this.#buffer.slice(HEADER_BYTES, length);
    const records = this.#buffer.subarray(HEADER_BYTES, length);
    this.#buffer = this.#small;
    return records;
  }
}
