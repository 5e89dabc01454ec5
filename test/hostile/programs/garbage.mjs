// Nothing but garbage, and a collector that runs all the time, while nobody but the host refers to Dawn's root object.
import { globals } from '@vesper-gpu/guest';
import { collect, openPair, readBack } from './pair.mjs';

Object.assign(globalThis, globals);
const { gpu, connection } = await openPair();

async function leave(round) {
  const adapter = await gpu.requestAdapter();
  const device = await adapter.requestDevice();
  for (let i = 0; i < 200; i++) {
    const buffer = device.createBuffer({ size: 1024, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
    device.queue.writeBuffer(buffer, 0, new Uint8Array(1024));
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(buffer);
    if (i % 2 === 0) device.queue.submit([encoder.finish()]);
    device.createShaderModule({ code: '@compute @workgroup_size(1) fn main() {}' });
    device.createTexture({ size: [16, 16], format: 'rgba8unorm', usage: GPUTextureUsage.COPY_DST }).createView();
    Array.from({ length: 1000 }, () => i);
  }
  if (round % 2 === 0) device.destroy();
  else await device.queue.onSubmittedWorkDone();
}

for (let round = 0; round < 8; round++) {
  await leave(round);
  await collect();
}

const device = await (await gpu.requestAdapter()).requestDevice();
const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
device.queue.writeBuffer(buffer, 0, Uint32Array.of(1, 2, 3, 4));
await collect();
const words = [...new Uint32Array((await readBack(device, buffer, 16)).buffer)];
console.log(JSON.stringify({ words }));
await connection.close();
process.exit(0);
