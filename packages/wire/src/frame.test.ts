import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from './errors.ts';
import { FrameReader } from './frame.ts';
import { OPCODE_BULK_CHUNK, recordHeader } from './record.ts';

/** A frame: its header and its content of whole words. */
function frame(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array((words.length + 1) * 4);
  new Int32Array(bytes.buffer).set([bytes.byteLength, ...words]);
  return bytes;
}

/** Cuts at any places, and gives each piece in memory that is used again at once. */
function* pieces(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let start = 0;
  const ends = [...cuts.map((cut) => cut % (bytes.byteLength + 1)).toSorted((a, b) => a - b), bytes.byteLength];
  for (const end of ends) {
    const piece = bytes.slice(start, end);
    yield piece;
    piece.fill(0xee);
    start = end;
  }
}

const words = fc.oneof(
  fc.array(fc.integer(), { maxLength: 20 }),
  fc.integer({ min: 1000, max: 20_000 }).map((n) => Array.from({ length: n }, (_, i) => i)),
);

describe('FrameReader', () => {
  it('gives the same frames however the stream is cut, in memory of their own', () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 40 }), (frames, cuts) => {
        const reader = new FrameReader(1 << 20);
        const received: Uint8Array<ArrayBuffer>[] = [];
        for (const piece of pieces(Buffer.concat(frames.map(frame)), cuts)) {
          expect(reader.push(piece, (records) => void received.push(records))).toBeUndefined();
        }
        expect(reader.isWithinFrame).toBe(false);
        // Only now: memory that was used again would show.
        const contents = received.map((records) =>
          Array.from(new Int32Array(records.buffer, records.byteOffset, records.byteLength / 4)),
        );
        expect(contents).toEqual(frames.map((content) => Array.from(Int32Array.from(content))));
      }),
    );
  });

  it('stops when told to, and returns what is left', () => {
    const reader = new FrameReader(100);
    const bytes = Buffer.concat([frame([1]), frame([2]), frame([3])]);
    const seen: number[] = [];
    const rest = reader.push(bytes, (records) => {
      seen.push(records[0]!);
      return seen.length < 2;
    });
    expect(seen).toEqual([1, 2]);
    expect([...(rest ?? [])]).toEqual([...frame([3])]);
    expect(reader.isWithinFrame).toBe(false);
    expect(reader.push(frame([4]), () => false)?.byteLength).toBe(0);
  });

  it('knows a truncation at every byte', () => {
    const bytes = frame([1, 2]);
    for (let length = 0; length <= bytes.byteLength; length++) {
      const reader = new FrameReader(100);
      reader.push(bytes.subarray(0, length), () => {});
      expect(reader.isWithinFrame).toBe(length > 0 && length < bytes.byteLength);
    }
  });

  it.each([
    [0, 'bad-frame'],
    [3, 'bad-frame'],
    [6, 'bad-frame'],
    [104, 'frame-too-large'],
    [0x8000_0000, 'frame-too-large'],
    [0xffff_fffc, 'frame-too-large'],
  ])('refuses a frame of %i bytes, again and again', (length, reason) => {
    const reader = new FrameReader(100);
    const header = new Uint8Array(4);
    new DataView(header.buffer).setUint32(0, length, true);
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(() => reader.push(header, () => {})).toThrow(ProtocolError);
      expect(() => reader.push(header, () => {})).toThrow(new RegExp(`^${reason}: a frame of ${length} bytes`));
    }
  });

  it('accepts a frame of just the limit, and one without records', () => {
    const reader = new FrameReader(100);
    const sizes: number[] = [];
    reader.push(
      Buffer.concat([frame([]), frame(Array.from({ length: 24 }, () => 0))]),
      (records) => void sizes.push(records.byteLength),
    );
    expect(sizes).toEqual([0, 96]);
  });

  it('takes memory as bytes arrive, not as they are announced', () => {
    const readers: FrameReader[] = [];
    const header = new Uint8Array(8);
    new DataView(header.buffer).setUint32(0, 1 << 30, true);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 50; i++) {
      const reader = new FrameReader(2 ** 31);
      reader.push(header, () => {});
      readers.push(reader);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20);
    expect(readers.every((reader) => reader.isWithinFrame)).toBe(true);
  });

  it('uses memory again only when it was given back', () => {
    const reader = new FrameReader(1 << 20);
    const bytes = frame(Array.from({ length: 5000 }, (_, i) => i));
    const received: Uint8Array<ArrayBuffer>[] = [];
    for (let i = 0; i < 4; i++) {
      reader.push(bytes, (records) => {
        received.push(records);
        if (i > 0) reader.reuse(records);
      });
    }
    const buffers = received.map(({ buffer }) => buffer);
    expect(new Set(buffers).size).toBe(2);
    expect(buffers[0]).not.toBe(buffers[1]);
  });
});

/** The words of a record of bulk data, in the long form where asked for, with `padding` in place of its zeros. */
function bulkRecord(data: Uint8Array, isLong: boolean, padding = 0): number[] {
  const padded = new Uint8Array(Math.ceil(data.byteLength / 4) * 4).fill(padding);
  padded.set(data);
  const words = [data.byteLength, ...new Int32Array(padded.buffer)];
  const length = words.length + (isLong ? 2 : 1);
  return isLong ? [OPCODE_BULK_CHUNK, length, ...words] : [recordHeader(OPCODE_BULK_CHUNK, length) | 0, ...words];
}

const random = (byteLength: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: byteLength }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 0xff);

describe('FrameReader with a place for bulk data', () => {
  /** What came, in order: frames as their words, bulk data whole. */
  function receive(stream: Uint8Array, cuts: readonly number[], stopsAt = -1): { came: unknown[]; isWithin: boolean } {
    const came: unknown[] = [];
    let data: number[] | undefined;
    const reader = new FrameReader(1 << 20, {
      begin: () => {
        expect(data).toBeUndefined();
        data = [];
      },
      data: (piece) => {
        expect(piece.byteLength).toBeGreaterThan(0);
        for (const byte of piece) data!.push(byte);
      },
      end: () => {
        came.push({ data });
        data = undefined;
        return came.length !== stopsAt;
      },
    });
    const deliver = (records: Uint8Array<ArrayBuffer>): boolean => {
      came.push(Array.from(new Int32Array(records.buffer, records.byteOffset, records.byteLength / 4)));
      reader.reuse(records);
      return came.length !== stopsAt;
    };
    for (const piece of pieces(stream, cuts)) {
      const rest = reader.push(piece, deliver);
      // It stops where it is told to, and goes on from there.
      expect(rest === undefined || came.length === stopsAt).toBe(true);
      expect(reader.push(rest ?? new Uint8Array(0), deliver)).toBeUndefined();
    }
    return { came, isWithin: reader.isWithinFrame };
  }

  const bulk = fc
    .tuple(fc.integer({ min: 16_380, max: 70_000 }), fc.boolean(), fc.nat())
    .map(([byteLength, isLong, seed]) => ({ data: random(byteLength, seed), isLong }));
  /** A record that only looks like one of bulk data that has the frame to itself. */
  const lookAlike = fc
    .tuple(bulk, fc.constantFrom('two records', 'another opcode', 'a short length', 'a long length'))
    .map(([{ data, isLong }, how]) => {
      const words = bulkRecord(data, isLong);
      const lengthAt = isLong ? 2 : 1;
      if (how === 'two records') return [...words, ...words];
      if (how === 'another opcode') words[0] = words[0]! ^ 1;
      else words[lengthAt] = words[lengthAt]! + (how === 'a short length' ? -4 : 4);
      return words;
    });

  it('hands on what has a frame to itself, and delivers all else, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(words, bulk, lookAlike), { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        fc.nat({ max: 5 }),
        (contents, cuts, stopsAt) => {
          const frames = contents.map((one) => frame(Array.isArray(one) ? one : bulkRecord(one.data, one.isLong)));
          const { came, isWithin } = receive(Buffer.concat(frames), cuts, stopsAt);
          expect(isWithin).toBe(false);
          const expected = contents.map((one, i) =>
            Array.isArray(one) || frames[i]!.byteLength < 16 << 10
              ? Array.from(new Int32Array(frames[i]!.buffer, 4))
              : { data: Array.from(one.data) },
          );
          expect(came).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('knows a truncation within the data, within its padding, and none behind it', () => {
    const bytes = frame(bulkRecord(random(20_001, 1), false));
    for (const missing of [1, 2, 3, 4, 5, 10_000, 20_000]) {
      expect(receive(bytes.subarray(0, bytes.byteLength - missing), []).isWithin).toBe(true);
    }
    expect(receive(bytes, []).isWithin).toBe(false);
  });

  it.each([1, 2, 3])('refuses padding of %i bytes that is not zero', (padding) => {
    const bytes = frame(bulkRecord(random(20_004 - padding, 1), true, 7));
    expect(() => receive(bytes, [])).toThrow(/bad-record: padding that is not zero/);
    expect(() => receive(bytes, [bytes.byteLength - padding])).toThrow(/padding that is not zero/);
  });
});
