import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferPool } from './buffer-pool.ts';

const MIB = 1 << 20;

describe('BufferPool', () => {
  it('gives each buffer to one user at a time, of the length that is asked for', () => {
    const step = fc.record({
      act: fc.constantFrom('take', 'takeExact', 'give'),
      byteLength: fc.constantFrom(1, 128 << 10, 200 << 10, MIB, 3 * MIB),
      which: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pool = new BufferPool();
        const used: ArrayBuffer[] = [];
        for (const { act, byteLength, which } of steps) {
          if (act === 'give') {
            const [given] = used.splice(which % Math.max(1, used.length), 1);
            if (given !== undefined) pool.give(given);
            continue;
          }
          const taken = pool[act](byteLength) ?? new Uint8Array(byteLength);
          expect(taken.byteLength).toBe(taken.buffer.byteLength);
          expect(taken.byteLength).toBeGreaterThanOrEqual(byteLength);
          expect(act === 'takeExact' && taken.byteLength > byteLength).toBe(false);
          expect(used).not.toContain(taken.buffer);
          used.push(taken.buffer);
        }
      }),
    );
  });

  it('keeps no small ones, and no more than 72 MiB: the last that came', () => {
    const pool = new BufferPool();
    pool.give(new ArrayBuffer(1000));
    expect(pool.take(1)).toBeUndefined();
    pool.give(new ArrayBuffer(73 * MIB));
    expect(pool.take(1)).toBeUndefined();
    for (let i = 1; i <= 20; i++) pool.give(new ArrayBuffer(8 * MIB + i));
    const kept = Array.from({ length: 20 }, () => pool.take(1)?.byteLength).filter((length) => length !== undefined);
    expect(kept).toEqual([13, 14, 15, 16, 17, 18, 19, 20].map((i) => 8 * MIB + i));
  });
});
