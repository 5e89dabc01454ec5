import { BufferPool } from './buffer-pool.ts';
import { RecordTooLargeError } from './errors.ts';
import { BULK_CHUNK_BYTES } from './limits.ts';
import {
  BYTES_BULK,
  BYTES_INLINE,
  MAX_SHORT_RECORD_WORDS,
  OPCODE_BEGIN_BULK,
  OPCODE_BULK_CHUNK,
  recordHeader,
} from './record.ts';

const INITIAL_WORDS = 16 << 10;
/** The first of several frames is shorter: what is at the other side has something to do so much earlier. */
const FIRST_WORDS = INITIAL_WORDS / 4;
/** Room behind a frame, so that the last record of a frame, with some data in it, seldom makes the buffer grow. */
const SPARE_WORDS = 2 << 10;
/** A larger buffer is let go once its frame was sent. */
const MAX_KEPT_BYTES = 2 * BULK_CHUNK_BYTES;
/** Bulk data from this length on is worth a call of the transport to itself, where that spares a copy. */
const MIN_PIECE_BYTES = 16 << 10;
/** Lengths of bulk data are of one word. */
const MAX_BLOCK_BYTES = 0xffff_ffff;
/** Up to this many bytes, a loop is quicker than a call of `set`. */
const LOOP_BYTES = 32;
const encoder = new TextEncoder();
const scratch = new DataView(new ArrayBuffer(8));
const zeros = new Uint8Array(3);

/** The word that a float is stored as. */
export function f32Bits(value: number): number {
  scratch.setFloat32(0, value, true);
  return scratch.getInt32(0, true);
}

/** Anything whose bytes a record can carry. */
export type ByteSource = Uint8Array | ArrayBufferView | ArrayBufferLike;

/** A view of the bytes of `source`; nothing is copied. */
export function bytesOf(source: ByteSource): Uint8Array {
  if (source instanceof Uint8Array) return source;
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}

/** What a stream does at the two moments that a writer cannot handle alone. */
export interface FrameSink {
  /** The first record of a frame is about to be written. */
  started(): void;
  /** The frame has reached its usual size: `takeFrame` should be called now. */
  full(): void;
  /** Whether `pieces` can be called: not where the transport keeps what it is given. */
  takesPieces?(): boolean;
  /** Sends a frame that lies in pieces, all of which are the caller's again when it returns. */
  pieces?(pieces: readonly Uint8Array[]): void;
}

/**
 * Writes records into a growing buffer of words. Word 0 is kept free for the frame header.
 * Generated encoders use `record` and `words` directly for commands of a fixed size.
 */
export class WireWriter {
  /** The buffer; another one once it has grown. */
  words: Int32Array<ArrayBuffer>;
  /** Next free word. */
  position = 1;
  /** The host's schema revision: what is newer is not written. */
  revision = Infinity;
  /** Longest string that the other side takes, in bytes: a longer one is cut, so that it costs no session. */
  maxStringBytes = Infinity;
  /** Longest frame that the other side takes, in bytes: a record that cannot be within one is refused by `end`. */
  maxFrameBytes = Infinity;
  /** Most bulk data of one record that the other side takes, in bytes: see `maxFrameBytes`. */
  maxBulkBytes = Infinity;
  /** Longest data that stands in a record, in bytes; what is longer is sent as bulk data before it. */
  maxInlineBytes = BULK_CHUNK_BYTES;
  /** Data too long for a record, to be sent before the record that refers to it; in order of reference. */
  readonly pendingBulk: Uint8Array[] = [];
  #bytes: Uint8Array<ArrayBuffer>;
  /** Words that may be filled without asking; 1 at the start of a frame, so that its first record is noticed. */
  #capacity = 1;
  readonly #sink: FrameSink | undefined;
  /** Frames that were sent. */
  readonly #pool = new BufferPool();
  /** A frame that has grown to this many words takes no further record. */
  readonly #frameWords: number;
  /** The same of the current frame. */
  #cutWords: number;

  constructor(sink?: FrameSink, initialWords = INITIAL_WORDS) {
    this.#sink = sink;
    this.#frameWords = initialWords;
    this.#cutWords = Math.min(FIRST_WORDS, initialWords);
    this.words = new Int32Array(initialWords + SPARE_WORDS);
    this.#bytes = new Uint8Array(this.words.buffer);
  }

  /** Makes room for `count` words of a record that has begun, and returns the index of the first. */
  reserve(count: number): number {
    const start = this.position;
    const end = start + count;
    if (end > this.words.length) this.#grow(end);
    this.position = end;
    return start;
  }

  /** Makes room for a whole record of `count` words, or for its beginning, and returns the index of the first. */
  record(count: number): number {
    const start = this.position;
    const end = start + count;
    if (end > this.#capacity) return this.#recordSlowly(count);
    this.position = end;
    return start;
  }

  #recordSlowly(count: number): number {
    if (this.position > 1 && this.position + count > this.#cutWords) {
      this.#sink?.full();
      this.#cutWords = this.#frameWords;
    }
    if (this.position === 1) this.#sink?.started();
    const start = this.reserve(count);
    // Not what a long string made of the buffer: a frame of that size would exceed the peer's limit.
    this.#capacity = Math.min(this.words.length, this.#cutWords);
    return start;
  }

  #grow(words: number): void {
    // With room for what ends the record, so that this is not done twice.
    const byteLength = Math.max(words + SPARE_WORDS, this.words.length * 2) * 4;
    const bytes = this.#pool.take(byteLength) ?? new Uint8Array(byteLength);
    bytes.set(this.#bytes.subarray(0, this.position * 4));
    this.#bytes = bytes;
    this.words = new Int32Array(bytes.buffer, 0, bytes.byteLength >> 2);
  }

  /** A frame that `takeFrame` gave has been sent, and is nobody's. */
  recycle(frame: Uint8Array<ArrayBuffer>): void {
    this.#pool.give(frame.buffer);
  }

  /** Starts a record; `end` must follow with what this returns. */
  begin(opcode: number): number {
    const start = this.record(1);
    this.words[start] = opcode;
    return start;
  }

  /**
   * Ends the record that `begin` started: fills in its length, and puts the bulk data that it refers to before it.
   * @throws RecordTooLargeError when the other side does not take so much; the record is taken back.
   */
  end(start: number): void {
    this.#fillLength(start);
    if (this.pendingBulk.length > 0 || this.position * 4 > this.maxFrameBytes) this.#endSlowly(start);
  }

  #endSlowly(start: number): void {
    this.#requireFitting(start);
    if (this.pendingBulk.length > 0) this.#moveBehindBulk(start);
    else this.#moveToNextFrame(start);
  }

  #requireFitting(start: number): void {
    const frameBytes = (this.position - start + 1) * 4;
    const bulkBytes = this.pendingBulk.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const maxBulkBytes = Math.min(this.maxBulkBytes, MAX_BLOCK_BYTES);
    const isFrame = frameBytes > this.maxFrameBytes;
    if (!isFrame && bulkBytes <= maxBulkBytes) return;
    this.rewind(start);
    throw new RecordTooLargeError(
      isFrame
        ? `the call takes a message of ${frameBytes} bytes, the other side accepts ${this.maxFrameBytes}`
        : `the call has ${bulkBytes} bytes of data, the other side accepts ${maxBulkBytes}`,
    );
  }

  /** The record is one that fits, but not behind what stands in the frame already. */
  #moveToNextFrame(start: number): void {
    const record = this.words.slice(start, this.position);
    this.position = start;
    this.#sink?.full();
    const moved = this.record(record.length);
    this.words.set(record, moved);
  }

  #moveBehindBulk(start: number): void {
    const record = this.words.slice(start, this.position);
    const blocks = this.pendingBulk.splice(0);
    this.position = start;
    for (const block of blocks) {
      const begin = this.begin(OPCODE_BEGIN_BULK);
      this.u32(block.byteLength);
      this.#fillLength(begin);
      for (let offset = 0; offset < block.byteLength; offset += BULK_CHUNK_BYTES) {
        this.#writeChunk(block.subarray(offset, offset + BULK_CHUNK_BYTES));
      }
    }
    // Before `words` is looked at: it is another array when a frame was cut.
    const moved = this.record(record.length);
    this.words.set(record, moved);
  }

  #writeChunk(data: Uint8Array): void {
    if (this.#sendChunk(data)) return;
    const start = this.begin(OPCODE_BULK_CHUNK);
    this.inlineBytes(data);
    this.#fillLength(start);
  }

  /** Sends the chunk from where its data lies, as a frame of its own. @returns whether that was possible */
  #sendChunk(data: Uint8Array): boolean {
    const sink = this.#sink;
    if (data.byteLength < MIN_PIECE_BYTES || !sink?.takesPieces?.()) return false;
    if (!this.isEmpty) sink.full();
    const { words } = this;
    const dataWords = (data.byteLength + 3) >> 2;
    const isLong = 2 + dataWords > MAX_SHORT_RECORD_WORDS;
    const prefixWords = isLong ? 4 : 3;
    words[0] = (prefixWords + dataWords) * 4;
    words[1] = isLong ? OPCODE_BULK_CHUNK : recordHeader(OPCODE_BULK_CHUNK, 2 + dataWords);
    if (isLong) words[2] = 3 + dataWords;
    words[prefixWords - 1] = data.byteLength;
    const padding = zeros.subarray(0, dataWords * 4 - data.byteLength);
    sink.pieces?.([this.#bytes.subarray(0, prefixWords * 4), data, padding]);
    return true;
  }

  #fillLength(start: number): void {
    const length = this.position - start;
    if (length <= MAX_SHORT_RECORD_WORDS) {
      this.words[start] = recordHeader(this.words[start]! & 0xffff, length);
      return;
    }
    this.reserve(1);
    this.words.copyWithin(start + 2, start + 1, this.position - 1);
    this.words[start] = this.words[start]! & 0xffff;
    this.words[start + 1] = length + 1;
  }

  /** Takes back everything written since `start`, and the bulk data that it referred to. */
  rewind(start: number): void {
    this.position = start;
    // The frame is empty again: its first record has to be noticed again.
    if (start === 1) this.#capacity = 1;
    this.pendingBulk.length = 0;
  }

  /** One word, unsigned. */
  u32(value: number): void {
    const at = this.reserve(1);
    this.words[at] = value;
  }

  /** One word, signed. */
  i32(value: number): void {
    const at = this.reserve(1);
    this.words[at] = value;
  }

  /** An integer of up to 2⁵³ − 1: low word, high word. */
  u64(value: number): void {
    const at = this.reserve(2);
    this.words[at] = value;
    this.words[at + 1] = value / 0x1_0000_0000;
  }

  /** One word, the nearest float. */
  f32(value: number): void {
    const at = this.reserve(1);
    this.words[at] = f32Bits(value);
  }

  /** Two words. */
  f64(value: number): void {
    const at = this.reserve(2);
    scratch.setFloat64(0, value, true);
    this.words[at] = scratch.getInt32(0, true);
    this.words[at + 1] = scratch.getInt32(4, true);
  }

  /** One word, 0 or 1. */
  boolean(value: boolean): void {
    const at = this.reserve(1);
    this.words[at] = value ? 1 : 0;
  }

  /** Length in bytes, then UTF-8, then zeros up to a whole word. Lone surrogates become U+FFFD. */
  string(value: string): void {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    const room = 1 + ((value.length * 3 + 3) >> 2);
    const at = this.reserve(room);
    const start = (at + 1) * 4;
    const written = value.length < 64 ? this.#ascii(value, start) : this.#utf8(value, start);
    this.#finishBytes(at, written);
  }

  /** Short ASCII strings, nearly all of them, without a call into the encoder. */
  #ascii(value: string, start: number): number {
    const bytes = this.#bytes;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) return encoder.encodeInto(value, bytes.subarray(start)).written;
      bytes[start + i] = unit;
    }
    return value.length;
  }

  /** Ends at a whole character where the other side takes no more. */
  #utf8(value: string, start: number): number {
    return encoder.encodeInto(value, this.#bytes.subarray(start, start + this.maxStringBytes)).written;
  }

  #finishBytes(at: number, byteLength: number): void {
    this.words[at] = byteLength;
    const end = (at + 1) * 4 + byteLength;
    this.position = (end + 3) >> 2;
    // At most three; a call of `fill` costs more.
    for (let i = end; i < this.position * 4; i++) this.#bytes[i] = 0;
  }

  /** A place word, the length in bytes, and the bytes themselves where they are few. */
  bytes(source: ByteSource): void {
    const data = bytesOf(source);
    // Not `byteLength`, of which V8 makes a call.
    const byteLength = data.length;
    const inline = byteLength <= this.maxInlineBytes;
    this.u32(inline ? BYTES_INLINE : BYTES_BULK);
    if (inline) {
      this.inlineBytes(data);
    } else {
      this.u32(byteLength);
      this.pendingBulk.push(data);
    }
  }

  /** The length in bytes and the bytes, padded with zeros to a whole word. */
  inlineBytes(data: Uint8Array): void {
    const byteLength = data.length;
    const at = this.reserve(1 + ((byteLength + 3) >> 2));
    const bytes = this.#bytes;
    const start = (at + 1) * 4;
    if (byteLength > LOOP_BYTES) bytes.set(data, start);
    else for (let i = 0; i < byteLength; i++) bytes[start + i] = data[i]!;
    this.#finishBytes(at, byteLength);
  }

  /** Whether there is nothing to send. */
  get isEmpty(): boolean {
    return this.position === 1;
  }

  /** Ends the frame: its bytes, header first, are the caller's; the writer starts the next one. */
  takeFrame(): Uint8Array<ArrayBuffer> {
    const frame = this.#endFrame();
    // A small frame is copied out, so that the buffer serves again; a large one is given away.
    if (frame.byteLength <= INITIAL_WORDS) return frame.slice();
    this.#replaceBuffer();
    return frame;
  }

  /** As `takeFrame`, but the frame stays the writer's, in the same memory as the next: it is there until a record is written. */
  borrowFrame(): Uint8Array<ArrayBuffer> {
    const frame = this.#endFrame();
    // What bulk data made of the buffer is needed again; what a long string made of it is not.
    if (this.words.byteLength > MAX_KEPT_BYTES) this.#replaceBuffer();
    return frame;
  }

  #endFrame(): Uint8Array<ArrayBuffer> {
    const byteLength = this.position * 4;
    this.words[0] = byteLength;
    this.position = 1;
    this.#capacity = 1;
    this.#cutWords = Math.min(FIRST_WORDS, this.#frameWords);
    return this.#bytes.subarray(0, byteLength);
  }

  #replaceBuffer(): void {
    const byteLength = (this.#frameWords + SPARE_WORDS) * 4;
    this.#bytes = this.#pool.takeExact(byteLength) ?? new Uint8Array(byteLength);
    this.words = new Int32Array(this.#bytes.buffer);
  }
}
