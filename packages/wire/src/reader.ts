import { ProtocolError, type ProtocolErrorReason } from './errors.ts';
import { MAX_LABEL_BYTES } from './limits.ts';
import { BYTES_BULK, BYTES_INLINE } from './record.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const scratch = new DataView(new ArrayBuffer(8));

/** Hands out the bulk data that was sent before the record which refers to it. */
export interface BulkSource {
  /** @returns the oldest complete block, or undefined when there is none of just `byteLength` bytes. */
  take(byteLength: number): Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Reads the records of one frame. Every access is checked against the end of the record; what does not fit
 * throws a `ProtocolError` with its offset in the frame. Nothing is allocated before its length is checked.
 */
export class WireReader {
  #words: Int32Array;
  #bytes: Uint8Array<ArrayBuffer>;
  /** Next word. */
  position = 0;
  /** First word of the current record, its header. */
  recordStart = 0;
  /** First word behind the current record. */
  end = 0;
  /** First word of the current record behind its header. */
  start = 0;
  /** Opcode of the current record, -1 outside of one. */
  opcode = -1;
  readonly #bulk: BulkSource | undefined;
  readonly #maxStringBytes: number;

  constructor(maxStringBytes: number, bulk?: BulkSource) {
    this.#bytes = new Uint8Array(0);
    this.#words = new Int32Array(this.#bytes.buffer);
    this.#maxStringBytes = maxStringBytes;
    this.#bulk = bulk;
  }

  /** The frame's words. */
  get words(): Int32Array {
    return this.#words;
  }

  /** Starts a frame's records: `frame` is a whole number of words, without the frame header, at a word boundary. */
  open(frame: Uint8Array<ArrayBuffer>): void {
    this.#bytes = frame;
    this.#words = new Int32Array(frame.buffer, frame.byteOffset, frame.byteLength >> 2);
    this.position = 0;
    this.end = 0;
    this.opcode = -1;
  }

  /** Drops the frame's memory. */
  close(): void {
    this.open(new Uint8Array(0));
  }

  /** Whether another record follows; `opcode` and `end` are then its own. */
  nextRecord(): boolean {
    const start = this.position;
    if (start === this.#words.length) return false;
    this.recordStart = start;
    const header = this.#words[start]!;
    this.opcode = header & 0xffff;
    let length = header >>> 16;
    let position = start + 1;
    if (length === 0) {
      if (position === this.#words.length) this.fail('truncated', 'a long record ends within its header');
      length = this.#words[position]! >>> 0;
      position++;
      if (length < 2) this.fail('bad-record', `a long record of ${length} words`);
    }
    if (length > this.#words.length - start) {
      this.fail('truncated', `a record of ${length} words, with ${this.#words.length - start} left in the frame`);
    }
    this.position = position;
    this.start = position;
    this.end = start + length;
    return true;
  }

  /** Goes back to before the current record, of which nothing may have been used: it comes once more. */
  rewind(): void {
    this.position = this.recordStart;
  }

  /** Goes on behind the current record, which is not read. */
  skip(): void {
    this.position = this.end;
  }

  /** Whether no record is left. */
  get isAtEnd(): boolean {
    return this.position === this.#words.length;
  }

  /** The first word of the current record behind its header: the id of its target, where it has one. 0 if empty. */
  get target(): number {
    return this.start < this.end ? this.#words[this.start]! >>> 0 : 0;
  }

  /** Whether the record has words left. */
  get more(): boolean {
    return this.position < this.end;
  }

  /** Requires that the record was read whole. */
  finish(): void {
    if (this.position !== this.end) {
      this.fail('trailing-bytes', `${(this.end - this.position) * 4} bytes are left over in the record`);
    }
  }

  /** Ends the reading. @throws ProtocolError with the place in the frame. */
  fail(reason: ProtocolErrorReason, detail: string): never {
    throw new ProtocolError(reason, detail, this.position * 4, this.opcode);
  }

  #take(words: number): number {
    const at = this.position;
    if (words > this.end - at) this.fail('truncated', `${words * 4} bytes wanted, ${(this.end - at) * 4} left`);
    this.position = at + words;
    return at;
  }

  /** One word, unsigned. */
  u32(): number {
    return this.#words[this.#take(1)]! >>> 0;
  }

  /**
   * One word, unsigned, that stands for an integer which may be absent. webgpu.h writes an absent one as 2³² − 1
   * (WGPU_DEPTH_SLICE_UNDEFINED and its kin), and a backend behind it takes a given one for absent. No such index, count
   * or stride of 2³² − 1 can be valid where 2³² − 2 is not, so that one is given in its place.
   */
  optionalU32(): number {
    return Math.min(this.u32(), 0xffff_fffe);
  }

  /** One word, signed. */
  i32(): number {
    return this.#words[this.#take(1)]!;
  }

  /** A count, and as many integers. A plain array, which backends take more quickly than a typed one. */
  u32s(): number[] {
    const values: number[] = [];
    for (let left = this.count(1); left > 0; left--) values.push(this.u32());
    return values;
  }

  /** Exact up to 2⁵³ − 1; above it, the nearest double, which WebGPU refuses as out of range. */
  u64(): number {
    const at = this.#take(2);
    return (this.#words[at + 1]! >>> 0) * 0x1_0000_0000 + (this.#words[at]! >>> 0);
  }

  /** One word; any float, NaN and infinities too. */
  f32(): number {
    scratch.setInt32(0, this.#words[this.#take(1)]!, true);
    return scratch.getFloat32(0, true);
  }

  /** Two words; any double. */
  f64(): number {
    const at = this.#take(2);
    scratch.setInt32(0, this.#words[at]!, true);
    scratch.setInt32(4, this.#words[at + 1]!, true);
    return scratch.getFloat64(0, true);
  }

  /** One word, 0 or 1. */
  boolean(): boolean {
    const value = this.#words[this.#take(1)]!;
    if (value !== 0 && value !== 1) this.fail('bad-boolean', `a boolean of ${value}`);
    return value === 1;
  }

  /** The presence mask of a dictionary of `fieldCount` optional fields. */
  presence(fieldCount: number): number {
    const mask = this.#words[this.#take(1)]!;
    if (fieldCount < 32 && mask >>> fieldCount !== 0) this.fail('unknown-field', `presence mask ${mask >>> 0}`);
    return mask;
  }

  /** A count of items that take at least `minimumWords` words each, so that it can be trusted for an allocation. */
  count(minimumWords: number): number {
    const count = this.u32();
    if (count * minimumWords > this.end - this.position) {
      this.fail('truncated', `${count} items cannot fit in the record`);
    }
    return count;
  }

  /** The name that schema number `number` stands for. `names` has holes where values were removed. */
  enumeration<Name extends string>(names: readonly (Name | undefined)[]): Name {
    const number = this.u32();
    const name = number < names.length ? names[number] : undefined;
    if (name === undefined) this.fail('bad-enum', `enum value ${number}`);
    return name;
  }

  /** Length in bytes, UTF-8, zeros up to a whole word. */
  string(): string {
    return this.#string(this.#maxStringBytes);
  }

  /** A string that only serves messages: a backend keeps it as long as the object, and repeats it in each of its errors. */
  label(): string {
    return this.#string(Math.min(MAX_LABEL_BYTES, this.#maxStringBytes));
  }

  #string(maxBytes: number): string {
    const byteLength = this.u32();
    if (byteLength > maxBytes) this.fail('limit', `a string of ${byteLength} bytes, limit ${maxBytes}`);
    const data = this.#inline(byteLength);
    // Short strings are nearly always ASCII; TextDecoder costs about a microsecond a call.
    if (byteLength < 32) {
      let text = '';
      for (let i = 0; i < byteLength; i++) {
        const unit = data[i]!;
        if (unit > 0x7f) return this.#utf8(data);
        text += String.fromCharCode(unit);
      }
      return text;
    }
    return this.#utf8(data);
  }

  #utf8(data: Uint8Array): string {
    try {
      return decoder.decode(data);
    } catch {
      return this.fail('bad-string', 'a string that is not UTF-8');
    }
  }

  #inline(byteLength: number): Uint8Array<ArrayBuffer> {
    const words = Math.ceil(byteLength / 4);
    const start = this.#take(words) * 4;
    for (let i = start + byteLength; i < start + words * 4; i++) {
      if (this.#bytes[i] !== 0) this.fail('bad-record', 'padding that is not zero');
    }
    return this.#bytes.subarray(start, start + byteLength);
  }

  /** A view into the frame, valid as long as the frame. */
  inlineBytes(): Uint8Array<ArrayBuffer> {
    return this.#inline(this.u32());
  }

  /** Bytes of the record itself (a view into the frame), or of the bulk records before it. */
  bytes(): Uint8Array<ArrayBuffer> {
    const place = this.u32();
    if (place === BYTES_INLINE) return this.inlineBytes();
    if (place !== BYTES_BULK) this.fail('bad-bulk', `bytes in place ${place}`);
    const byteLength = this.u32();
    const data = this.#bulk?.take(byteLength);
    if (data === undefined) this.fail('bad-bulk', `no bulk data of ${byteLength} bytes was sent`);
    return data;
  }
}

/** A sequence that was left out. */
export const NO_ITEMS = Object.freeze([]) as unknown as never[];

/** Reads a union: the number of the member, then its value. */
export function decodeUnion<T>(reader: WireReader, members: readonly (() => T)[]): T {
  const index = reader.u32();
  const decode = members[index];
  return decode === undefined ? reader.fail('bad-union', `union member ${index}`) : decode();
}
