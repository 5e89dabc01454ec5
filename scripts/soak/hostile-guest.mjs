// A guest that attacks its host in one way, again and again, until it is ended. Prints a line for each time that it lost
// its device or connection.
//   node scripts/soak/hostile-guest.mjs ADDRESS ATTACK
import { connect as connectSocket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { connect } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';

const [address = '', attack = ''] = process.argv.slice(2);
const MiB = 1 << 20;
const USAGE = { copyDst: 8, storage: 128, mapRead: 1 };

/** Functions of which each calls the one before twice. */
function doubling(levels) {
  const functions = Array.from({ length: levels }, (_, i) => `fn f${i + 1}() -> u32 { return f${i}() + f${i}(); }`);
  return `fn f0() -> u32 { return 1; } ${functions.join(' ')} @compute @workgroup_size(1) fn main() { _ = f${levels}(); }`;
}

function compile(device, code) {
  const compute = { module: device.createShaderModule({ code }) };
  return device.createComputePipeline({ layout: 'auto', compute });
}

/** @type {Record<string, (device: GPUDevice) => unknown>} */
const ATTACKS = {
  'endless shader': (device) => {
    const pipeline = compile(
      device,
      `@group(0) @binding(0) var<storage, read_write> data: array<u32>;
       @compute @workgroup_size(1) fn main() { loop { data[0] += 1u; if (data[1] == 7u) { break; } } }`,
    );
    const buffer = device.createBuffer({ size: 16, usage: USAGE.storage });
    const layout = pipeline.getBindGroupLayout(0);
    const bindGroup = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(1);
    pass.end();
    device.queue.submit([encoder.finish()]);
    return device.lost;
  },
  // 13 levels are within the default policy: what the scan lets through, again and again.
  'compile bomb': (device) => {
    compile(device, doubling(13));
    return Promise.race([device.lost, device.queue.onSubmittedWorkDone()]);
  },
  'refused compile bomb': (device) => {
    compile(device, doubling(16));
    return device.queue.onSubmittedWorkDone();
  },
  'long WGSL': (device) => {
    compile(device, `/*${'x'.repeat(7 * MiB)}*/`);
    return device.queue.onSubmittedWorkDone();
  },
  'mapped memory': async (device) => {
    const buffers = [];
    for (let i = 0; i < 16; i++)
      buffers.push(device.createBuffer({ size: 64 * MiB, usage: USAGE.copyDst, mappedAtCreation: true }));
    for (const buffer of buffers) buffer.unmap();
    await device.queue.onSubmittedWorkDone();
    for (const buffer of buffers) buffer.destroy();
  },
  'written memory': async (device) => {
    const buffers = Array.from({ length: 64 }, () => device.createBuffer({ size: 256 * MiB, usage: USAGE.copyDst }));
    for (const buffer of buffers) device.queue.writeBuffer(buffer, 0, new Uint32Array(1));
    await device.queue.onSubmittedWorkDone();
    for (const buffer of buffers) buffer.destroy();
  },
  'long labels': (device) => {
    const label = 'x'.repeat(64 * MiB);
    device.createBuffer({ size: 4, usage: 0, label });
    return device.queue.onSubmittedWorkDone();
  },
  errors: (device) => {
    for (let i = 0; i < 100_000; i++) device.createBuffer({ size: 4, usage: 0 });
    return device.queue.onSubmittedWorkDone();
  },
};

/** Works for itself, and leaves the host alone. */
function compute() {
  for (;;) Array.from({ length: 100_000 }, (_, i) => ({ i, bytes: new Uint8Array(100) }));
}

/** Bytes that are none of the protocol. */
async function garbage() {
  const bytes = Buffer.alloc(4096, Math.floor(Math.random() * 256));
  const socket = connectSocket(address.slice('unix:'.length));
  await new Promise((resolve) => {
    socket.on('error', () => {});
    socket.on('close', resolve);
    socket.write(bytes);
    socket.resume();
  });
}

// A connection that nothing is asked of keeps no process alive, and an attack may only wait for the loss of its device.
setInterval(() => {}, 1 << 30);
if (attack.startsWith('control')) compute();
for (;;) {
  try {
    if (attack === 'garbage') {
      await garbage();
      await sleep(1);
      continue;
    }
    const connection = await connect(await openTransport(address));
    const adapter = await connection.gpu.requestAdapter();
    const device = await adapter.requestDevice();
    let isLost = false;
    const lost = device.lost.then(() => (isLost = true));
    device.addEventListener('uncapturederror', (event) => event.preventDefault());
    while (!isLost) await Promise.race([lost, ATTACKS[attack](device)]);
  } catch {
    // Whatever became of it: it tries again.
  }
  console.log('lost');
  await sleep(5);
}
