// Shared memory on its way to Dawn, which crashes on it: as a program's data, and as the memory of every frame.
import { globals } from '@vesper-gpu/guest';
import { openGPU } from '@vesper-gpu/dawn/gpu';
import { openPair, readBack } from './pair.mjs';

Object.assign(globalThis, globals);

/** Every frame lies in shared memory. */
function sharing(end) {
  return Object.assign(Object.create(end), {
    start: (handlers) => end.start(handlers),
    send(bytes) {
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
      shared.set(bytes);
      return end.send(shared);
    },
    close: () => end.close(),
  });
}

/** Every frame is overwritten as soon as the host has had it. */
function overwriting(end) {
  return Object.assign(Object.create(end), {
    start: (handlers) =>
      end.start({
        ...handlers,
        bytes(chunk) {
          handlers.bytes(chunk);
          chunk.fill(0xff);
        },
      }),
    send: (bytes) => end.send(bytes),
    pause: () => end.pause(),
    resume: () => end.resume(),
    close: () => end.close(),
  });
}

const { gpu, connection } = await openPair(openGPU(), sharing, overwriting);
const device = await (await gpu.requestAdapter()).requestDevice();
const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
const found = [];
for (const byteLength of [16, 4096, (1 << 20) + 4, 3 << 20]) {
  const memory = new Uint8Array(new SharedArrayBuffer(byteLength)).fill(7);
  const buffer = device.createBuffer({ size: byteLength, usage });
  device.queue.writeBuffer(buffer, 0, memory);
  memory.fill(9);
  found.push((await readBack(device, buffer, byteLength)).every((byte) => byte === 7));
  buffer.destroy();
}
const texture = device.createTexture({
  size: [64, 4],
  format: 'rgba8unorm',
  usage: GPUTextureUsage.COPY_DST | GPUTextureUsage.COPY_SRC,
});
const texels = new Uint8Array(new SharedArrayBuffer(64 * 4 * 4)).fill(5);
device.queue.writeTexture({ texture }, texels, { bytesPerRow: 256 }, [64, 4]);
const buffer = device.createBuffer({ size: 1024, usage });
const encoder = device.createCommandEncoder();
encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow: 256 }, [64, 4]);
device.queue.submit([encoder.finish()]);
found.push((await readBack(device, buffer, 1024)).every((byte) => byte === 5));
const mapped = device.createBuffer({ size: 16, usage, mappedAtCreation: true });
new Uint8Array(mapped.getMappedRange()).fill(3);
mapped.unmap();
found.push((await readBack(device, mapped, 16)).every((byte) => byte === 3));
console.log(JSON.stringify({ found }));
await connection.close();
process.exit(0);
