import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { control, escape, MARK, NONCE_BYTES, TAG } from '../pump/port-marks.mjs';
import { PortReader, type PortPart } from './port-reader.ts';

/** Bytes in which marks, and what looks like one, are frequent. */
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(MARK.byteLength).map((length) => Uint8Array.from(MARK.subarray(0, length))),
      fc.constantFrom(...Object.values(TAG)).map((tag) => Uint8Array.from(control(tag))),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts));
const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 });
const nonces = fc.uint8Array({ minLength: NONCE_BYTES, maxLength: NONCE_BYTES, max: MARK[0]! - 1 });

/** Reads `stream` in pieces of these sizes, again and again. */
function read(stream: Uint8Array, sizes: readonly number[], reader = new PortReader()): PortPart[] {
  const parts: PortPart[] = [];
  for (let at = 0, i = 0; at < stream.byteLength; i++) {
    const size = sizes[i % sizes.length]!;
    parts.push(...reader.read(stream.subarray(at, at + size)));
    at += size;
  }
  return parts;
}

function dataOf(parts: readonly PortPart[]): Buffer {
  return Buffer.concat(parts.flatMap((part) => (part.type === 'data' ? [part.bytes] : [])));
}

describe('bytes on a port', () => {
  it('arrive as they were, whatever they look like and however they are cut; nothing of a chunk waits for the next', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 4 }), cuts, (chunks, sizes) => {
        const reader = new PortReader();
        const sent: Buffer[] = [];
        const received: PortPart[] = [];
        for (const chunk of chunks) {
          sent.push(chunk);
          received.push(...read(Buffer.concat(escape(chunk)), sizes, reader));
          expect(received.every(({ type }) => type === 'data')).toBe(true);
          expect(dataOf(received).equals(Buffer.concat(sent))).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('that stop anywhere hide neither the beginning nor the end of a session behind them', () => {
    fc.assert(
      fc.property(bytes, fc.nat(300), nonces, cuts, fc.boolean(), (old, length, nonce, sizes, isEnd) => {
        const cutOff = Buffer.concat([...escape(old), control(TAG.start, nonce)]).subarray(0, length);
        const turn = isEnd ? control(TAG.end) : control(TAG.start, nonce);
        const parts = read(Buffer.concat([cutOff, turn, Buffer.from('new')]), sizes);
        const at = parts.findLastIndex(({ type }) => type !== 'data');
        expect(parts[at]).toEqual(isEnd ? { type: 'end' } : { type: 'start', nonce });
        expect(dataOf(parts.slice(at + 1)).toString()).toBe('new');
      }),
      { numRuns: 2000 },
    );
  });

  it('cost nothing where there is no mark, and are not copied', () => {
    const chunk = Buffer.alloc(1000, 7);
    expect(escape(chunk)).toEqual([chunk]);
    const [part, ...more] = new PortReader().read(chunk);
    expect(more).toEqual([]);
    expect(part?.type === 'data' && part.bytes.buffer).toBe(chunk.buffer);
  });

  it('are refused where a mark has a tag that there is not', () => {
    const reader = new PortReader();
    expect(() => [...reader.read(control(9))]).toThrow('a mark on the port with the tag 9');
  });

  it('that are not complete are kept, and can be given to another reader', () => {
    const nonce = Uint8Array.from({ length: NONCE_BYTES }, (_, i) => i);
    const stream = control(TAG.start, nonce);
    for (let length = 0; length < stream.byteLength; length++) {
      const first = new PortReader();
      expect([...first.read(stream.subarray(0, length))]).toEqual([]);
      const second = new PortReader();
      expect(read(Buffer.concat([first.pending, stream.subarray(length)]), [7], second)).toEqual([
        { type: 'start', nonce },
      ]);
    }
  });
});
