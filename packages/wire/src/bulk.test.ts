import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BulkQueue } from './bulk.ts';
import { ProtocolError, type ProtocolErrorReason } from './errors.ts';
import { FrameReader } from './frame.ts';
import { WireReader } from './reader.ts';
import { OPCODE_BEGIN_BULK, OPCODE_BULK_CHUNK } from './record.ts';
import { WireWriter } from './writer.ts';

const fail = (reason: ProtocolErrorReason, detail: string): never => {
  throw new ProtocolError(reason, detail);
};

function reasonOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.reason;
    throw error;
  }
  return 'accepted';
}

function add(queue: BulkQueue, data: Uint8Array, chunkBytes = data.byteLength): void {
  queue.begin(data.byteLength, fail);
  for (let at = 0; at < data.byteLength; at += chunkBytes) queue.chunk(data.subarray(at, at + chunkBytes), fail);
}

describe('BulkQueue', () => {
  it('gives blocks in order, whole, in memory of their own', () => {
    const block = fc.tuple(fc.integer({ min: 1, max: 3 << 20 }), fc.integer({ min: 1000, max: 1 << 20 }));
    fc.assert(
      fc.property(fc.array(block, { maxLength: 4 }), (blocks) => {
        const queue = new BulkQueue(2 ** 31);
        for (const [i, [byteLength, chunkBytes]] of blocks.entries()) {
          const data = new Uint8Array(byteLength).fill(i + 1);
          data[byteLength - 1] = 99;
          add(queue, data, chunkBytes);
          data.fill(0xee);
        }
        for (const [i, [byteLength]] of blocks.entries()) {
          const data = queue.take(byteLength);
          expect(data?.byteLength).toBe(byteLength);
          expect(data?.at(-1)).toBe(99);
          expect(data?.subarray(0, -1).every((byte) => byte === i + 1)).toBe(true);
        }
        expect(queue.take(0)).toBeUndefined();
      }),
      { numRuns: 25 },
    );
  });

  it('takes data that was put where it belongs, and what comes another way, for the same', () => {
    const lengths = fc.array(
      fc.oneof(fc.integer({ min: 70_000, max: 300_000 }), fc.integer({ min: 1 << 20, max: 3 << 20 })),
      { minLength: 1, maxLength: 3 },
    );
    let [there, elsewhere] = [0, 0];
    fc.assert(
      fc.property(lengths, fc.infiniteStream(fc.integer({ min: 1, max: 400_000 })), (sizes, reads) => {
        const frames: Uint8Array[] = [];
        const writer: WireWriter = new WireWriter({ started() {}, full: () => void frames.push(writer.takeFrame()) });
        writer.maxInlineBytes = 64 << 10;
        const sent = sizes.map((size, i) => new Uint8Array(size).map((_, at) => (at * 7 + (at >> 8) + i) & 0xff));
        for (const data of sent) {
          const start = writer.begin(100);
          writer.bytes(data);
          writer.end(start);
        }
        const bytes = Buffer.concat([...frames, writer.takeFrame()]);
        const queue = new BulkQueue(2 ** 31);
        const records = new WireReader(100, queue);
        const received: Uint8Array[] = [];
        const reader = new FrameReader(16 << 20, {
          begin() {},
          data: (data) => queue.chunk(data),
          end: () => true,
          room: (byteLength) => queue.room(byteLength),
          isUnfinished: () => queue.isUnfinished,
        });
        for (let at = 0; at < bytes.byteLength;) {
          const size = Math.min(reads.next().value, bytes.byteLength - at);
          const { room } = reader;
          const into = room?.subarray(0, size) ?? new Uint8Array(size);
          if (room === undefined) elsewhere++;
          else there++;
          into.set(bytes.subarray(at, at + into.byteLength));
          at += into.byteLength;
          reader.push(into, (frame) => {
            records.open(frame);
            while (records.nextRecord()) {
              if (records.opcode === OPCODE_BEGIN_BULK) queue.begin(records.u32(), fail);
              else if (records.opcode === OPCODE_BULK_CHUNK) queue.chunk(records.inlineBytes(), fail);
              else received.push(records.bytes());
              records.finish();
            }
          });
        }
        expect(received.map((data, i) => Buffer.compare(data, sent[i]!))).toEqual(sizes.map(() => 0));
      }),
      { numRuns: 40 },
    );
    expect(Math.min(there, elsewhere)).toBeGreaterThan(40);
  });

  it('fills memory again that was handed out and has come back, and none that has not', () => {
    const lengths = fc.constantFrom(1, 128 << 10, 200 << 10, 1 << 20, 3 << 20);
    fc.assert(
      fc.property(fc.array(fc.tuple(lengths, fc.boolean()), { maxLength: 12 }), (blocks) => {
        for (const use of ['kept', 'executed at once'] as const) {
          const queue = new BulkQueue(2 ** 31, use);
          const held: [Uint8Array, number][] = [];
          for (const [i, [byteLength, comesBack]] of blocks.entries()) {
            add(queue, new Uint8Array(byteLength).fill(i), 100_000);
            const data = queue.take(byteLength)!;
            expect(use === 'kept' && data.buffer.byteLength !== byteLength).toBe(false);
            held.push([data, i]);
            for (const [block, value] of held) expect(block.every((byte) => byte === value)).toBe(true);
            if (!comesBack) continue;
            if (use === 'kept') for (const [block] of held) queue.give(block.buffer as ArrayBuffer);
            else queue.recycle();
            held.length = 0;
          }
        }
      }),
      { numRuns: 8 },
    );
  });

  it('serves a second block of a length with the memory of the first', () => {
    const queue = new BulkQueue(2 ** 31, 'executed at once');
    const buffers = [1, 2].map((value) => {
      add(queue, new Uint8Array(2 << 20).fill(value), 1 << 20);
      const { buffer } = queue.take(2 << 20)!;
      queue.recycle();
      return buffer;
    });
    expect(buffers[1]).toBe(buffers[0]);
  });

  it('gives nothing for another length, and nothing before the last byte', () => {
    const queue = new BulkQueue(100);
    queue.begin(10, fail);
    queue.chunk(new Uint8Array(9), fail);
    expect(queue.take(10)).toBeUndefined();
    queue.chunk(new Uint8Array(1), fail);
    expect(queue.take(9)).toBeUndefined();
    expect(queue.take(11)).toBeUndefined();
    expect(queue.take(10)?.byteLength).toBe(10);
    expect(queue.take(10)).toBeUndefined();
  });

  it('checks the sum against the limit before it allocates, and counts what was taken no more', () => {
    const queue = new BulkQueue(2 ** 30);
    const before = process.memoryUsage().arrayBuffers;
    expect(reasonOf(() => queue.begin(2 ** 30 + 1, fail))).toBe('limit');
    expect(reasonOf(() => queue.begin(0xffff_ffff, fail))).toBe('limit');
    queue.begin(2 ** 30, fail);
    queue.chunk(new Uint8Array(100), fail);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20);

    const small = new BulkQueue(10);
    add(small, new Uint8Array(6));
    expect(reasonOf(() => small.begin(5, fail))).toBe('limit');
    add(small, new Uint8Array(4));
    small.take(6);
    add(small, new Uint8Array(6));
    expect(reasonOf(() => small.begin(1, fail))).toBe('limit');
  });

  it('refuses more than was announced, and data that was not', () => {
    const queue = new BulkQueue(100);
    expect(reasonOf(() => queue.chunk(new Uint8Array(1), fail))).toBe('bad-bulk');
    expect(reasonOf(() => queue.begin(0, fail))).toBe('bad-bulk');
    queue.begin(4, fail);
    expect(reasonOf(() => queue.begin(4, fail))).toBe('bad-bulk');
    expect(reasonOf(() => queue.chunk(new Uint8Array(0), fail))).toBe('bad-bulk');
    expect(reasonOf(() => queue.chunk(new Uint8Array(5), fail))).toBe('bad-bulk');
    queue.chunk(new Uint8Array(4), fail);
    expect(reasonOf(() => queue.chunk(new Uint8Array(1), fail))).toBe('bad-bulk');
  });

  it('bounds the number of blocks, which cost more than their bytes', () => {
    const queue = new BulkQueue(2 ** 31);
    for (let i = 0; i < 2048; i++) add(queue, new Uint8Array(1));
    expect(reasonOf(() => queue.begin(1, fail))).toBe('limit');
    queue.take(1);
    expect(reasonOf(() => queue.begin(1, fail))).toBe('accepted');
  });
});
