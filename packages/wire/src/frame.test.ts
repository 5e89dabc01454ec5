import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from './errors.ts';
import { FrameReader } from './frame.ts';

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
});
