import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireReader } from './reader.ts';
import { WireWriter } from './writer.ts';

/** One field of a record: how it is written, how it is read, and what should be read. */
interface Field {
  write(writer: WireWriter): void;
  read(reader: WireReader): unknown;
  value: unknown;
}

const u32 = fc.oneof(fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff), fc.nat());
const i32 = fc.oneof(fc.constantFrom(0, -1, -0x8000_0000, 0x7fff_ffff), fc.integer());
const u64 = fc.oneof(
  fc.constantFrom(0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 2 ** 32, 2 ** 52, 2 ** 53 - 1, 2 ** 53 - 2 ** 31),
  fc.maxSafeNat(),
);
/** Full of what UTF-16 allows: astral characters, lone surrogates, NUL, a byte order mark. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 100 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    '',
    '\0',
    '\ufeff',
    '🌍',
    '\ud800',
    '🌍'.repeat(40),
    'a'.repeat(31),
    'a'.repeat(32),
    'a'.repeat(63) + 'é',
    'a'.repeat(64),
  ),
);

const field: fc.Arbitrary<Field> = fc.oneof(
  u32.map((v) => ({ write: (w) => w.u32(v), read: (r) => r.u32(), value: v }) satisfies Field),
  i32.map((v) => ({ write: (w) => w.i32(v), read: (r) => r.i32(), value: v }) satisfies Field),
  u64.map((v) => ({ write: (w) => w.u64(v), read: (r) => r.u64(), value: v }) satisfies Field),
  fc.float().map((v) => ({ write: (w) => w.f32(v), read: (r) => r.f32(), value: v }) satisfies Field),
  fc.double().map((v) => ({ write: (w) => w.f64(v), read: (r) => r.f64(), value: v }) satisfies Field),
  fc.boolean().map((v) => ({ write: (w) => w.boolean(v), read: (r) => r.boolean(), value: v }) satisfies Field),
  text.map((v) => ({ write: (w) => w.string(v), read: (r) => r.string(), value: v.toWellFormed() }) satisfies Field),
  fc
    .uint8Array({ maxLength: 300 })
    .map((v) => ({ write: (w) => w.bytes(v), read: (r) => r.bytes(), value: v }) satisfies Field),
);

/** The records of a writer's only frame, opened. */
function open(writer: WireWriter): WireReader {
  const frame = writer.takeFrame();
  expect(new DataView(frame.buffer, frame.byteOffset).getUint32(0, true)).toBe(frame.byteLength);
  const reader = new WireReader(2 ** 31);
  reader.open(frame.subarray(4));
  return reader;
}

describe('WireWriter and WireReader', () => {
  it('round trip any records', () => {
    const records = fc.array(fc.record({ opcode: fc.nat(0xffff), fields: fc.array(field, { maxLength: 12 }) }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(records, fc.integer({ min: 1, max: 64 }), (list, initialWords) => {
        const writer = new WireWriter(undefined, initialWords);
        for (const { opcode, fields } of list) {
          const start = writer.begin(opcode);
          for (const { write } of fields) write(writer);
          writer.end(start);
        }
        const reader = open(writer);
        for (const { opcode, fields } of list) {
          expect(reader.nextRecord()).toBe(true);
          expect(reader.opcode).toBe(opcode);
          for (const { read, value } of fields) expect(read(reader)).toEqual(value);
          expect(reader.more).toBe(false);
          reader.finish();
        }
        expect(reader.nextRecord()).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('keep NaN, infinities and the sign of zero', () => {
    const values = [NaN, Infinity, -Infinity, -0, 0, 2 ** -149];
    const writer = new WireWriter();
    const start = writer.begin(7);
    for (const value of values) {
      writer.f32(value);
      writer.f64(value);
    }
    writer.end(start);
    const reader = open(writer);
    reader.nextRecord();
    for (const value of values) {
      expect(reader.f32()).toBe(value);
      expect(reader.f64()).toBe(value);
    }
    reader.finish();
  });

  it.each([
    [65_534, 'short'],
    [65_535, 'long'],
    [65_536, 'long'],
    [300_000, 'long'],
  ])('carry a record of %i words and a header, in the %s form', (words, form) => {
    const writer = new WireWriter(undefined, 16);
    const start = writer.begin(0xabcd);
    for (let i = 0; i < words; i++) writer.u32(i * 3);
    writer.end(start);
    const behind = writer.begin(0x1234);
    writer.end(behind);
    expect(writer.words[start]! >>> 16 === 0 ? 'long' : 'short').toBe(form);
    const reader = open(writer);
    expect(reader.nextRecord()).toBe(true);
    expect(reader.opcode).toBe(0xabcd);
    let differences = 0;
    for (let i = 0; i < words; i++) if (reader.u32() !== i * 3) differences++;
    expect(differences).toBe(0);
    reader.finish();
    expect(reader.nextRecord()).toBe(true);
    expect(reader.opcode).toBe(0x1234);
    reader.finish();
    expect(reader.nextRecord()).toBe(false);
  });

  it('carry long strings of every width', () => {
    for (const unit of ['a', 'é', '€', '🌍']) {
      const value = unit.repeat(100_000);
      const writer = new WireWriter();
      const start = writer.begin(1);
      writer.string(value);
      writer.end(start);
      const reader = open(writer);
      reader.nextRecord();
      expect(reader.string() === value).toBe(true);
      reader.finish();
    }
  });

  it('take a view by its own bytes, and copy them', () => {
    const data = new Uint16Array([1, 2, 3, 4, 5]).subarray(1, 4);
    const writer = new WireWriter();
    const start = writer.begin(1);
    writer.bytes(data);
    writer.bytes(data.buffer);
    writer.end(start);
    data.fill(0);
    const reader = open(writer);
    reader.nextRecord();
    expect([...reader.bytes()]).toEqual([2, 0, 3, 0, 4, 0]);
    expect([...reader.bytes()]).toEqual([1, 0, 2, 0, 3, 0, 4, 0, 5, 0]);
    reader.finish();
  });

  it('leave zeros between the end of a string and the next word, whatever was there before', () => {
    const writer = new WireWriter();
    for (let i = 0; i < 100; i++) writer.u32(-1);
    writer.rewind(1);
    const start = writer.begin(1);
    writer.string('abcde');
    writer.string('é'.repeat(65));
    writer.inlineBytes(new Uint8Array([1]));
    writer.end(start);
    const reader = open(writer);
    reader.nextRecord();
    expect(reader.string()).toBe('abcde');
    expect(reader.string()).toBe('é'.repeat(65));
    expect([...reader.inlineBytes()]).toEqual([1]);
    reader.finish();
  });
});

describe('a string that is longer than the other side takes', () => {
  it('is cut at a whole character', () => {
    const writer = new WireWriter();
    writer.maxStringBytes = 1024;
    const record = writer.begin(1);
    writer.string('é€🌟'.repeat(400));
    writer.u32(7);
    writer.end(record);
    const reader = new WireReader(1024);
    reader.open(writer.takeFrame().subarray(4));
    reader.nextRecord();
    const text = reader.string();
    expect(new TextEncoder().encode(text).byteLength).toBeLessThanOrEqual(1024);
    expect(text.length).toBeGreaterThan(400);
    expect('é€🌟'.repeat(400).startsWith(text)).toBe(true);
    expect(reader.u32()).toBe(7);
    reader.finish();
  });
});
