// A guest of a soak test that does real work and verifies it. As a program: node guest.mjs survive|work ADDRESS
import { fileURLToPath } from 'node:url';

import { connect } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';

const ELEMENTS = 4096;
const SHADER = `@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  result[id.x] = source[id.x] * source[id.x] + id.x;
}`;

/** Connects, with a device. */
export async function openGuest(address) {
  const transport = await openTransport(address);
  const { gpu, globals, close } = await connect(transport);
  const adapter = await gpu.requestAdapter();
  const device = await adapter.requestDevice();
  const { GPUBufferUsage, GPUMapMode } = globals;
  const state = { isLost: false };
  void device.lost.then(() => {
    state.isLost = true;
  });

  /** One piece of work: data to the GPU, a shader compiled and run, data back. @throws when a result is wrong */
  async function work(round) {
    const source = device.createBuffer({ size: ELEMENTS * 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
    const result = device.createBuffer({ size: ELEMENTS * 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
    const read = device.createBuffer({ size: ELEMENTS * 4, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
    const input = Uint32Array.from({ length: ELEMENTS }, (_, i) => i * 7 + round);
    const module = device.createShaderModule({ code: SHADER });
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
    const entries = [source, result].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    device.queue.writeBuffer(source, 0, input);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(ELEMENTS / 64);
    pass.end();
    encoder.copyBufferToBuffer(result, 0, read, 0, ELEMENTS * 4);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(GPUMapMode.READ);
    const output = new Uint32Array(read.getMappedRange());
    for (let i = 0; i < ELEMENTS; i++) {
      const expected = (Math.imul(input[i], input[i]) + i) >>> 0;
      if (output[i] !== expected) throw new Error(`element ${i} of round ${round} is ${output[i]}, not ${expected}`);
    }
    for (const buffer of [source, result, read]) buffer.destroy();
  }

  return {
    device,
    close,
    work,
    /** Works until the device is lost. @throws when a result is wrong */
    async workUntilLost() {
      for (let round = 0; !state.isLost; round++) {
        try {
          await work(round);
        } catch (error) {
          if (!state.isLost && error.name !== 'AbortError') throw error;
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    },
    /** Ends the connection in the middle of whatever goes on. */
    cut: () => transport.close(),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , what, address] = process.argv;
  const guest = await openGuest(address);
  process.send('ready');
  if (what === 'work') {
    await guest.workUntilLost();
  } else {
    const order = { isFinished: false };
    process.once('message', () => (order.isFinished = true));
    let round = 0;
    while (!order.isFinished) {
      await guest.work(round++);
      // It leaves the processors to the others: it is here to see whether it is disturbed, not to disturb.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await guest.close();
    process.send(round);
  }
  process.disconnect();
}
