import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from './errors.ts';
import { decodeUnion, WireReader } from './reader.ts';

type Read = (reader: WireReader) => unknown;

/** Everything that a generated decoder may call. */
const reads: Record<string, Read> = {
  u32: (r) => r.u32(),
  i32: (r) => r.i32(),
  u64: (r) => r.u64(),
  f32: (r) => r.f32(),
  f64: (r) => r.f64(),
  boolean: (r) => r.boolean(),
  presence: (r) => r.presence(5),
  presence32: (r) => r.presence(32),
  count: (r) => r.count(1),
  enumeration: (r) => r.enumeration(['a', undefined, 'c']),
  string: (r) => r.string(),
  inlineBytes: (r) => r.inlineBytes(),
  bytes: (r) => r.bytes(),
  union: (r) => decodeUnion<unknown>(r, [() => r.u32(), () => r.string()]),
};

const word = fc.oneof(
  fc.nat(4),
  fc.nat(40),
  fc.nat(40).map((n) => n << 16),
  fc.integer(),
  fc.constantFrom(-1, 0x7fff_ffff, -0x8000_0000),
);

function frameOf(words: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Int32Array(words).buffer);
}

/** A reader within a record of these words. */
function inRecord(...words: number[]): WireReader {
  const reader = new WireReader(100);
  reader.open(frameOf([9 | ((words.length + 1) << 16), ...words]));
  reader.nextRecord();
  return reader;
}

function refusal(run: () => unknown): ProtocolError {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('WireReader before a hostile peer', () => {
  it('throws nothing but ProtocolError, and never reads beyond the record or the frame', () => {
    const calls = fc.array(fc.constantFrom(...Object.keys(reads)), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), calls, (words, names) => {
        const reader = new WireReader(1000);
        reader.open(frameOf(words));
        try {
          while (reader.nextRecord()) {
            expect(reader.end).toBeLessThanOrEqual(words.length);
            expect(reader.end).toBeGreaterThanOrEqual(reader.position);
            for (const name of names) {
              if (!reader.more) break;
              const before = reader.position;
              reads[name]!(reader);
              expect(reader.position).toBeGreaterThan(before);
              expect(reader.position).toBeLessThanOrEqual(reader.end);
            }
            reader.finish();
          }
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
          if (error.offset < 0 || error.offset > words.length * 4)
            throw new Error(`offset ${error.offset}`, { cause: error });
        }
      }),
      { numRuns: 3000 },
    );
  });

  it.each(Object.keys(reads))('refuses %s outside of a record and at its end', (name) => {
    const reader = new WireReader(100);
    reader.open(frameOf([1, 2, 3]));
    expect(refusal(() => reads[name]!(reader)).reason).toBe('truncated');
    const atEnd = new WireReader(100);
    // Another record follows: its words are not the first one's.
    atEnd.open(frameOf([5 | (1 << 16), 6 | (2 << 16), 0]));
    atEnd.nextRecord();
    const error = refusal(() => reads[name]!(atEnd));
    expect([error.reason, error.opcode, error.offset]).toEqual(['truncated', 5, 4]);
  });

  it.each([
    ['a record longer than the frame', [1 | (3 << 16), 0], 'truncated'],
    ['a long record without its length', [1], 'truncated'],
    ['a long record of no words', [1, 0], 'bad-record'],
    ['a long record of one word', [1, 1], 'bad-record'],
    ['a long record longer than the frame', [1, 3], 'truncated'],
    ['a long record of 2³² − 1 words', [1, -1], 'truncated'],
    ['a long record of 2³¹ words', [1, -0x8000_0000], 'truncated'],
  ])('refuses %s', (_, words, reason) => {
    const reader = new WireReader(100);
    reader.open(frameOf(words));
    expect(refusal(() => reader.nextRecord()).reason).toBe(reason);
  });

  it.each<[string, Read, number[], string]>([
    ['a boolean of 2', reads['boolean']!, [2], 'bad-boolean'],
    ['a boolean of -1', reads['boolean']!, [-1], 'bad-boolean'],
    ['an unknown presence bit', reads['presence']!, [1 << 5], 'unknown-field'],
    ['the highest presence bit', reads['presence']!, [1 << 31], 'unknown-field'],
    ['an enum value behind the last', reads['enumeration']!, [3], 'bad-enum'],
    ['a removed enum value', reads['enumeration']!, [1], 'bad-enum'],
    ['an enum value of 2³² − 1', reads['enumeration']!, [-1], 'bad-enum'],
    ['a count of more than can follow', reads['count']!, [2, 0], 'truncated'],
    ['a count of 2³² − 1', reads['count']!, [-1, 0], 'truncated'],
    ['a union member behind the last', reads['union']!, [2], 'bad-union'],
    ['a string longer than the record', reads['string']!, [5, 0], 'truncated'],
    ['a string over the limit', reads['string']!, [101], 'limit'],
    ['a string of 2³² − 1 bytes', reads['string']!, [-1], 'limit'],
    ['a string with padding', reads['string']!, [3, 0x61616161], 'bad-record'],
    ['a string of bad UTF-8', reads['string']!, [1, 0x80], 'bad-string'],
    ['a string with a surrogate', reads['string']!, [3, 0x80a0ed], 'bad-string'],
    ['bytes of 2³² − 1 bytes', reads['inlineBytes']!, [-1], 'truncated'],
    ['bytes in an unknown place', reads['bytes']!, [2, 0], 'bad-bulk'],
    ['bulk bytes that were not sent', reads['bytes']!, [1, 4], 'bad-bulk'],
  ])('refuses %s', (_, read, words, reason) => {
    expect(refusal(() => read(inRecord(...words))).reason).toBe(reason);
  });

  it('refuses words that are left over, naming the place', () => {
    const reader = inRecord(1, 2, 3);
    reader.u32();
    const error = refusal(() => reader.finish());
    expect(error.message).toBe('trailing-bytes: 8 bytes are left over in the record (opcode 9, byte 8)');
  });

  it('accepts all 32 presence bits, and an empty string at the end', () => {
    expect(inRecord(-1).presence(32) >>> 0).toBe(0xffff_ffff);
    expect(inRecord(0).string()).toBe('');
    expect(inRecord(2, 0, 0).count(1)).toBe(2);
  });

  it('reads a u64 above 2⁵³ as the nearest double', () => {
    expect(inRecord(-1, -1).u64()).toBe(2 ** 64);
    expect(inRecord(1, 0x20_0000).u64()).toBe(2 ** 53);
  });
});
