// Looks for what one guest wrote in the memory that later guests, and other devices of the same guest, are given.
import { globals } from '@vesper-gpu/guest';
import { openGPU } from '@vesper-gpu/dawn/gpu';
import { collect, openPair, readBack } from './pair.mjs';

Object.assign(globalThis, globals);
const CANARY = 0x5ec2e7a1;
const SIZES = [256, 4096, 65536, 1 << 20, 4 << 20];
const host = openGPU();
const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;

/** Leaves the canary in buffers, textures and mapped memory of every size, some destroyed and some dropped. */
async function write({ gpu }, destroysDevice) {
  const device = await (await gpu.requestAdapter()).requestDevice();
  for (const size of SIZES) {
    const data = new Uint32Array(size / 4).fill(CANARY);
    for (let i = 0; i < 2; i++) {
      const buffer = device.createBuffer({ size, usage });
      device.queue.writeBuffer(buffer, 0, data);
      const mapped = device.createBuffer({ size, usage: GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC });
      await mapped.mapAsync(GPUMapMode.WRITE);
      new Uint32Array(mapped.getMappedRange()).set(data);
      if (i % 2 === 0) mapped.unmap();
      const side = Math.min(1024, Math.sqrt(size / 4));
      const texture = device.createTexture({ size: [side, side], format: 'r32uint', usage: GPUTextureUsage.COPY_DST });
      device.queue.writeTexture({ texture }, data, { bytesPerRow: side * 4 }, [side, side]);
      await device.queue.onSubmittedWorkDone();
      for (const one of [buffer, mapped, texture]) one.destroy();
    }
  }
  if (destroysDevice) device.destroy();
  await collect();
}

/** How many bytes were looked at, and how many words of the canary were there. */
async function look({ gpu }) {
  const device = await (await gpu.requestAdapter()).requestDevice();
  let [bytes, found] = [0, 0];
  const scan = (memory) => {
    bytes += memory.byteLength;
    for (const word of new Uint32Array(memory.buffer)) if (word !== 0) found++;
  };
  for (const size of SIZES) {
    for (let i = 0; i < 2; i++) {
      scan(await readBack(device, device.createBuffer({ size, usage }), size));
      const mapped = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ });
      await mapped.mapAsync(GPUMapMode.READ);
      scan(new Uint8Array(mapped.getMappedRange().slice(0)));
      const atCreation = device.createBuffer({ size, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
      scan(new Uint8Array(atCreation.getMappedRange().slice(0)));
      atCreation.unmap();
      const side = Math.max(64, Math.min(1024, Math.sqrt(size / 4)));
      const texture = device.createTexture({ size: [side, side], format: 'r32uint', usage: GPUTextureUsage.COPY_SRC });
      const buffer = device.createBuffer({ size: side * side * 4, usage });
      const encoder = device.createCommandEncoder();
      encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow: side * 4 }, [side, side]);
      device.queue.submit([encoder.finish()]);
      scan(await readBack(device, buffer, side * side * 4));
      for (const one of [mapped, atCreation, texture, buffer]) one.destroy();
    }
  }
  return { bytes, found };
}

const first = await openPair(host);
const second = await openPair(host);
const results = [];
await write(first, false);
results.push(await look(first), await look(second));
await write(second, true);
await second.connection.close();
await collect();
results.push(await look(first), await look(await openPair(host)));
console.log(JSON.stringify({ results }));
process.exit(0);
