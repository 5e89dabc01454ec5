import { describe, expect, it } from 'vitest';
import { useGuest } from './fixture/guest.ts';
import { microtask } from './fixture/microtask.ts';

// client-semantics.md, section 6.

const guest = useGuest();

describe('promises', () => {
  it('of onSubmittedWorkDone resolve in the order of the calls', async () => {
    const { queue } = guest.device;
    const order: number[] = [];
    await Promise.all(Array.from({ length: 200 }, (_, i) => queue.onSubmittedWorkDone().then(() => order.push(i))));
    expect(order).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it('of an earlier map resolve before the work that was submitted is reported done', async () => {
    const { device } = guest;
    const order: string[] = [];
    const buffers = Array.from({ length: 5 }, () =>
      device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }),
    );
    await Promise.all(
      buffers.flatMap((buffer, i) => {
        device.queue.writeBuffer(buffer, 0, new Uint32Array([i, i, i, i]));
        return [
          buffer.mapAsync(GPUMapMode.READ).then(() => order.push(`map ${i}`)),
          device.queue.onSubmittedWorkDone().then(() => order.push(`done ${i}`)),
        ];
      }),
    );
    expect(order).toEqual(buffers.flatMap((_, i) => [`map ${i}`, `done ${i}`]));
    expect(buffers.map((buffer) => new Uint32Array(buffer.getMappedRange())[3])).toEqual([0, 1, 2, 3, 4]);
    for (const buffer of buffers) buffer.destroy();
  });

  it('let the reactions to one run before the next resolves', async () => {
    const { device } = guest;
    const buffers = Array.from({ length: 4 }, () => device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ }));
    const states: string[][] = [];
    const use = async (buffer: GPUBuffer): Promise<void> => {
      await buffer.mapAsync(GPUMapMode.READ);
      states.push(buffers.map((one) => one.mapState));
      buffer.getMappedRange();
      // Several turns of the microtask queue later, the others are as they were.
      for (let i = 0; i < 10; i++) await microtask();
      states.push(buffers.map((one) => one.mapState));
      buffer.unmap();
    };
    await Promise.all(buffers.map(use));
    const expected = buffers.flatMap((_, i) => {
      const row = buffers.map((_one, j) => (j < i ? 'unmapped' : j === i ? 'mapped' : 'pending'));
      return [row, row];
    });
    expect(states).toEqual(expected);
  });

  it('of popErrorScope come each with its own error', async () => {
    const { device } = guest;
    const labels = ['a', 'b', 'c', 'd'];
    const popped = labels.map((label) => {
      device.pushErrorScope('validation');
      device.createBuffer({ size: 4, usage: 0, label: `buffer ${label}` });
      return device.popErrorScope();
    });
    const messages = (await Promise.all(popped)).map((error) => error!.message);
    for (const [i, label] of labels.entries()) expect(messages[i]).toContain(`buffer ${label}`);
  });

  it('a thousand in turn are a thousand round trips', async () => {
    const { requests } = guest.connection.statistics;
    for (let i = 0; i < 1000; i++) await guest.device.queue.onSubmittedWorkDone();
    expect(guest.connection.statistics.requests).toBe(requests + 1000);
  });

  it('commands are sent without anyone asking: at the end of the task', async () => {
    const { device } = guest;
    const { sentFrames } = guest.connection.statistics;
    for (let i = 0; i < 100; i++) device.createCommandEncoder();
    expect(guest.connection.statistics.sentFrames).toBe(sentFrames);
    await microtask();
    await microtask();
    expect(guest.connection.statistics.sentFrames).toBe(sentFrames + 1);
  });
});
