// A host on the real backend and a guest of it, in this process: what crashes the host crashes the program.
import { connect } from '@vesper-gpu/guest';
import { openGPU } from '@vesper-gpu/dawn/gpu';
import { serveGuest } from '@vesper-gpu/host';
import { inProcessPair } from '@vesper-gpu/transport/in-process';

/**
 * Options as an executor has them.
 * @param wrap what stands between the guest's library and its end of the stream.
 * @param wrapHost likewise for the host.
 */
export async function openPair(gpu = openGPU(), wrap = (end) => end, wrapHost = (end) => end) {
  const [end, rawHostEnd] = inProcessPair();
  const guestEnd = wrap(end);
  const hostEnd = wrapHost(rawHostEnd);
  const memory = {
    collect: (type) => globalThis.gc({ type, execution: 'sync' }),
    residentBytes: () => process.memoryUsage.rss(),
  };
  const session = serveGuest(hostEnd, { turnMs: Infinity, gpu, memory });
  const connection = await connect(guestEnd);
  return { guestEnd: end, session, connection, gpu: connection.gpu };
}

export const nextTask = () => new Promise((resolve) => setImmediate(resolve));

/** Collects everything that can be, and lets finalizers run. */
export async function collect() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await nextTask();
  }
}

/** A buffer's bytes by way of the GPU. */
export async function readBack(device, source, size) {
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const bytes = new Uint8Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return bytes;
}
