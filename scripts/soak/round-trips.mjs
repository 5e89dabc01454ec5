// What a healthy guest waits for.
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A buffer to the GPU and back, again and again.
 * @param {GPUDevice} device
 * @param {number} duration in seconds
 * @returns {Promise<number[]>} milliseconds of each round trip
 */
export async function roundTrips(device, duration) {
  const times = [];
  const usage = { copyDst: 8, mapRead: 1 };
  const buffer = device.createBuffer({ size: 4096, usage: usage.copyDst | usage.mapRead });
  const data = new Uint8Array(4096);
  const endAt = performance.now() + duration * 1000;
  while (performance.now() < endAt) {
    const started = performance.now();
    device.queue.writeBuffer(buffer, 0, data);
    await buffer.mapAsync(1);
    buffer.unmap();
    times.push(performance.now() - started);
    await sleep(1); // paced, so that it does not measure its own queue
  }
  buffer.destroy();
  return times;
}

/**
 * @param {number[]} times
 * @param {number} fraction
 * @returns {number} what this fraction of `times` is below
 */
export function at(times, fraction) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * fraction)];
}
