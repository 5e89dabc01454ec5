import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BulkQueue } from './bulk.ts';
import { RecordTooLargeError } from './errors.ts';
import { BULK_CHUNK_BYTES, DEFAULT_LIMITS } from './limits.ts';
import { WireReader } from './reader.ts';
import { MAX_SHORT_RECORD_WORDS, OPCODE_BEGIN_BULK, OPCODE_BULK_CHUNK } from './record.ts';
import { WireWriter, type FrameSink } from './writer.ts';

const COMMAND = 100;
/** Data of a record with a header of one word, and a word for its length, is not longer. */
const MAX_SHORT_BYTES = (MAX_SHORT_RECORD_WORDS - 2) * 4;

/** What the other side of a writer does with its frames: keeps them, copies them, or copies them in pieces as well. */
type Taking = 'takes' | 'borrows' | 'borrows pieces';

/** A writer whose frames are kept as they are cut, or copies where they are borrowed; `finish` takes the last. */
function cutting(initialWords?: number, taking: Taking = 'takes') {
  const frames: Uint8Array<ArrayBuffer>[] = [];
  let [started, inPieces] = [0, 0];
  const cut = (): void => void frames.push(taking === 'takes' ? writer.takeFrame() : writer.borrowFrame().slice());
  const pieces = (all: readonly Uint8Array[]): void => {
    expect(writer.isEmpty).toBe(true);
    inPieces++;
    frames.push(new Uint8Array(Buffer.concat(all)));
  };
  const takesPieces = (): boolean => taking === 'borrows pieces';
  const sink: FrameSink = { started: () => void started++, full: cut, takesPieces, pieces };
  const writer: WireWriter = new WireWriter(sink, initialWords);
  return {
    writer,
    frames,
    get inPieces() {
      return inPieces;
    },
    get started() {
      return started;
    },
    finish(): Uint8Array<ArrayBuffer>[] {
      if (!writer.isEmpty) cut();
      return frames;
    },
  };
}

/** Reads commands of `(number, bytes)` out of frames, with their bulk data. */
function readCommands(frames: readonly Uint8Array<ArrayBuffer>[]): [number, Uint8Array][] {
  const bulk = new BulkQueue(2 ** 31);
  const reader = new WireReader(2 ** 31, bulk);
  const commands: [number, Uint8Array][] = [];
  for (const frame of frames) {
    expect(new DataView(frame.buffer, frame.byteOffset).getUint32(0, true)).toBe(frame.byteLength);
    reader.open(frame.subarray(4));
    while (reader.nextRecord()) {
      if (reader.opcode === OPCODE_BEGIN_BULK) bulk.begin(reader.u32(), (r, d) => reader.fail(r, d));
      else if (reader.opcode === OPCODE_BULK_CHUNK) bulk.chunk(reader.inlineBytes(), (r, d) => reader.fail(r, d));
      else commands.push([reader.u32(), reader.bytes()]);
      reader.finish();
    }
  }
  return commands;
}

function command(writer: WireWriter, number: number, data: Uint8Array): void {
  const start = writer.begin(COMMAND);
  writer.u32(number);
  writer.bytes(data);
  writer.end(start);
}

function data(byteLength: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(byteLength / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + seed, 0x9e37_79b1);
  return new Uint8Array(words.buffer, 0, byteLength);
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe('WireWriter cutting frames', () => {
  it('keeps every command whole and in order, with its bulk data before it', () => {
    const size = fc.oneof(
      fc.nat(100),
      fc.nat(70_000),
      fc.integer({ min: BULK_CHUNK_BYTES - 4, max: 3 * BULK_CHUNK_BYTES + 4 }),
    );
    const initialWords = fc.constantFrom(16, 1000, undefined);
    const taking = fc.constantFrom<Taking>('takes', 'borrows', 'borrows pieces');
    fc.assert(
      fc.property(fc.array(size, { maxLength: 8 }), initialWords, taking, (sizes, words, takes) => {
        const target = cutting(words, takes);
        const sent = sizes.map((byteLength, i) => data(byteLength, i));
        for (const [i, bytes] of sent.entries()) command(target.writer, i, bytes);
        const frames = target.finish();
        const received = readCommands(frames);
        expect(received.map(([number]) => number)).toEqual(sizes.map((_, i) => i));
        expect(received.every(([, bytes], i) => same(bytes, sent[i]!))).toBe(true);
        expect(target.started).toBe(frames.length - target.inPieces);
      }),
      { numRuns: 60 },
    );
  });

  it('sends each chunk of bulk data in a frame within the limit', () => {
    const target = cutting();
    command(target.writer, 1, data(20 * BULK_CHUNK_BYTES + 5, 1));
    const frames = target.finish();
    expect(frames.length).toBeGreaterThan(20);
    expect(Math.max(...frames.map((frame) => frame.byteLength))).toBeLessThan(2 * BULK_CHUNK_BYTES);
    expect(readCommands(frames)[0]?.[1].byteLength).toBe(20 * BULK_CHUNK_BYTES + 5);
  });

  it('sends long data from where it lies, where that is possible', () => {
    const [target, plain] = [cutting(undefined, 'borrows pieces'), cutting()];
    for (const { writer } of [target, plain]) {
      for (const length of [
        MAX_SHORT_BYTES - 3,
        MAX_SHORT_BYTES,
        2 * BULK_CHUNK_BYTES + 1,
        3 * BULK_CHUNK_BYTES + 99_999,
      ])
        command(writer, length, data(length, length));
    }
    const records = (frames: Uint8Array[]): Buffer => Buffer.concat(frames.map((frame) => frame.subarray(4)));
    expect(same(records(target.finish()), records(plain.finish()))).toBe(true);
    expect(target.inPieces).toBe(6);
  });

  it('sends no frame more for bulk data where pieces are not possible', () => {
    const target = cutting();
    for (const length of [40_000, 100_000, BULK_CHUNK_BYTES]) {
      target.writer.maxInlineBytes = 32 << 10;
      command(target.writer, length, data(length, length));
    }
    expect(target.finish().length).toBe(4);
  });

  it('keeps two bulk fields of one record in their order', () => {
    const target = cutting();
    const [first, second] = [data(2 * BULK_CHUNK_BYTES, 1), data(BULK_CHUNK_BYTES + 1, 2)];
    const start = target.writer.begin(COMMAND);
    target.writer.bytes(first);
    target.writer.bytes(second);
    target.writer.end(start);
    const bulk = new BulkQueue(2 ** 31);
    const reader = new WireReader(100, bulk);
    const received: Uint8Array[] = [];
    for (const frame of target.finish()) {
      reader.open(frame.subarray(4));
      while (reader.nextRecord()) {
        if (reader.opcode === OPCODE_BEGIN_BULK) bulk.begin(reader.u32(), (r, d) => reader.fail(r, d));
        else if (reader.opcode === OPCODE_BULK_CHUNK) bulk.chunk(reader.inlineBytes(), (r, d) => reader.fail(r, d));
        else received.push(reader.bytes(), reader.bytes());
        reader.finish();
      }
    }
    expect([same(received[0]!, first), same(received[1]!, second)]).toEqual([true, true]);
  });

  it('cuts the first of several frames at a quarter of their usual size, each time', () => {
    const target = cutting();
    const few = new Uint8Array(12);
    for (let turn = 0; turn < 2; turn++) {
      for (let i = 0; i < 8000; i++) command(target.writer, i, few);
      target.finish();
    }
    const sizes = target.frames.map((frame) => Math.round(frame.byteLength / (16 << 10)) / 4);
    const [first, ...others] = sizes.slice(0, sizes.length / 2);
    expect(first).toBe(0.25);
    expect(new Set(others.slice(0, -1))).toEqual(new Set([1]));
    expect(sizes.slice(sizes.length / 2)).toEqual([first, ...others]);
  });

  it('does not touch a frame that it has given away', () => {
    const target = cutting();
    for (let i = 0; i < 20; i++) command(target.writer, i, data(i * 10_000, i));
    const given = target.frames.length;
    expect(given).toBeGreaterThan(2);
    const copies = target.frames.map((frame) => frame.slice());
    for (let i = 0; i < 20; i++) command(target.writer, i, data(i * 100_000, i + 50));
    expect(copies.every((copy, i) => same(copy, target.frames[i]!))).toBe(true);
  });

  it('keeps frames within the limit of a host that takes long strings', () => {
    const target = cutting();
    const longest = 'x'.repeat(5 << 20);
    for (let i = 0; i < 6; i++) {
      const start = target.writer.begin(COMMAND);
      target.writer.string(longest);
      target.writer.end(start);
      for (let j = 0; j < 100_000; j++) target.writer.words[target.writer.record(1)] = COMMAND | (1 << 16);
    }
    for (const frame of target.finish()) expect(frame.byteLength).toBeLessThan(DEFAULT_LIMITS.maxFrameBytes);
  });

  it('notices the first record of a frame again after all of it was taken back', () => {
    const target = cutting();
    const start = target.writer.begin(COMMAND);
    target.writer.bytes(data(2 * BULK_CHUNK_BYTES, 1));
    target.writer.rewind(start);
    expect([target.writer.isEmpty, target.started]).toEqual([true, 1]);
    command(target.writer, 5, data(3, 1));
    expect(target.started).toBe(2);
    const received = readCommands(target.finish());
    expect(received.map(([number, bytes]) => [number, bytes.byteLength])).toEqual([[5, 3]]);
  });

  it('takes back the last record alone', () => {
    const target = cutting();
    command(target.writer, 1, data(10, 1));
    const start = target.writer.begin(COMMAND);
    target.writer.string('never');
    target.writer.rewind(start);
    command(target.writer, 2, data(20, 1));
    expect(readCommands(target.finish()).map(([number]) => number)).toEqual([1, 2]);
    expect(target.started).toBe(1);
  });
});

describe('a writer that knows what the other side takes', () => {
  /** Room for one record of 1 MiB of data, not for two: the least that a guest accepts of a host. */
  const maxFrameBytes = 2 * BULK_CHUNK_BYTES;

  function isTaken(write: () => void): boolean {
    try {
      write();
      return true;
    } catch (error) {
      if (error instanceof RecordTooLargeError) return false;
      throw error;
    }
  }

  it('sends no frame that is too large, and loses no record that fits', () => {
    const sizes = fc.oneof(
      fc.nat({ max: 1000 }),
      fc.nat({ max: BULK_CHUNK_BYTES }),
      fc.nat({ max: 3 * BULK_CHUNK_BYTES }),
    );
    fc.assert(
      fc.property(fc.array(sizes, { maxLength: 12 }), (lengths) => {
        const { writer, finish } = cutting();
        Object.assign(writer, { maxFrameBytes, maxBulkBytes: 2 * BULK_CHUNK_BYTES });
        const expected: [number, number][] = [];
        lengths.forEach((byteLength, number) => {
          const fits = byteLength <= 2 * BULK_CHUNK_BYTES;
          const act = (): void => command(writer, number, data(byteLength, number));
          expect(isTaken(act)).toBe(fits);
          if (fits) expected.push([number, byteLength]);
        });
        const frames = finish();
        expect(Math.max(0, ...frames.map((frame) => frame.byteLength))).toBeLessThanOrEqual(maxFrameBytes);
        expect(readCommands(frames).map(([number, { byteLength }]) => [number, byteLength])).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('takes back a record that cannot be in any frame, and only that', () => {
    const { writer, finish } = cutting();
    writer.maxFrameBytes = maxFrameBytes;
    const twoOf = (number: number): void => {
      const start = writer.begin(COMMAND);
      writer.u32(number);
      writer.bytes(data(BULK_CHUNK_BYTES, 1));
      writer.bytes(data(BULK_CHUNK_BYTES, 2));
      writer.end(start);
    };
    expect(() => twoOf(1)).toThrow(RecordTooLargeError);
    expect(writer.isEmpty).toBe(true);
    command(writer, 2, data(8, 0));
    expect(() => twoOf(3)).toThrow(`${2 * BULK_CHUNK_BYTES + 32} bytes, the other side accepts ${maxFrameBytes}`);
    command(writer, 4, data(BULK_CHUNK_BYTES, 0));
    expect(readCommands(finish()).map(([number]) => number)).toEqual([2, 4]);
  });

  it('writes the next frame where the borrowed one was, and keeps no buffer that a long string has made grow', () => {
    const writer = new WireWriter();
    const buffer = (write: () => void): ArrayBuffer => {
      write();
      return writer.borrowFrame().buffer;
    };
    const small = (): void => command(writer, 1, data(100, 1));
    const bulk = (): void => command(writer, 1, data(BULK_CHUNK_BYTES + 100, 1));
    const first = buffer(small);
    expect(buffer(small)).toBe(first);
    const grown = buffer(bulk);
    expect([buffer(small), buffer(bulk)]).toEqual([grown, grown]);
    const long = buffer(() => writer.string('x'.repeat(BULK_CHUNK_BYTES)));
    expect(long.byteLength).toBeGreaterThan(2 * BULK_CHUNK_BYTES);
    expect(buffer(small).byteLength).toBe(first.byteLength);
  });
});
