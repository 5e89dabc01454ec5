// Loses its host, and connects to the next one. Prints `ready`, then what became of it.
import { connect } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';
import { checkBytes } from './checked-bytes.mjs';

async function open() {
  const { gpu, globals, close } = await connect(await openTransport(process.env.VESPER_ADDRESS));
  Object.assign(globalThis, globals);
  const adapter = await gpu.requestAdapter();
  return { device: await adapter.requestDevice(), close };
}

const first = await open();
await checkBytes(first.device, 4096, 1);
console.log('ready');
// The connection alone does not keep a program alive.
const alive = setInterval(() => {}, 1000);
const { reason } = await first.device.lost;
clearInterval(alive);
const second = await open();
await checkBytes(second.device, 4096, 2);
await second.close();
console.log(`lost (${reason}), and computing again`);
