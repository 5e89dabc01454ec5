/// <reference types="@webgpu/types" />
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { useGuest } from './fixture/guest.ts';

// Large data goes through memory that is used again, on both sides: whatever is under way, each byte arrives as it was.

const SIZE = 6 << 20;
const guest = useGuest();

const range = fc
  .tuple(fc.integer({ min: 0, max: SIZE / 8 - 1 }), fc.constantFrom(1, 1000, 16 << 10, 33 << 10, 128 << 10, 300 << 10))
  .map(([start, words]) => ({ offset: start * 8, size: Math.min(words * 4, SIZE - start * 8) }));
const step = fc.oneof(
  fc.record({ act: fc.constantFrom('write', 'write mapped'), range, seed: fc.nat({ max: 250 }) }),
  fc.record({ act: fc.constantFrom('read', 'read and hold'), range, seed: fc.constant(0) }),
);

/** Bytes of which no two places within 256 are mistaken for each other. */
function pattern(size: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i + (i >> 8) + (i >> 16) + seed) & 0xff;
  return bytes;
}

const isEqual = (a: ArrayBuffer, b: Uint8Array): boolean => Buffer.compare(new Uint8Array(a), b) === 0;

it('what was written is read, with other transfers under way', async () => {
  const { device } = guest;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 24 }), async (steps) => {
      const buffer = device.createBuffer({ size: SIZE, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
      const model = new Uint8Array(SIZE);
      const reads: Promise<void>[] = [];
      const held: (() => void)[] = [];
      const copy = (from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, size: number): void => {
        const encoder = device.createCommandEncoder();
        encoder.copyBufferToBuffer(from, fromOffset, to, toOffset, size);
        device.queue.submit([encoder.finish()]);
      };
      for (const { act, range, seed } of steps) {
        const { offset, size } = range;
        if (act === 'write' || act === 'write mapped') {
          const data = pattern(size, seed);
          model.set(data, offset);
          if (act === 'write') {
            device.queue.writeBuffer(buffer, offset, data);
            // The call has taken what it needs.
            data.fill(0xee);
          } else {
            const staging = device.createBuffer({ size, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
            new Uint8Array(staging.getMappedRange()).set(data);
            staging.unmap();
            copy(staging, 0, buffer, offset, size);
          }
          continue;
        }
        const staging = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
        copy(buffer, offset, staging, 0, size);
        const expected = model.slice(offset, offset + size);
        const check = (): void => {
          expect(isEqual(staging.getMappedRange(), expected)).toBe(true);
          staging.destroy();
        };
        const mapped = staging.mapAsync(GPUMapMode.READ);
        reads.push(act === 'read' ? mapped.then(check) : mapped.then(() => void held.push(check)));
      }
      await Promise.all(reads);
      for (const check of held) check();
      buffer.destroy();
    }),
    { numRuns: 15 },
  );
});
