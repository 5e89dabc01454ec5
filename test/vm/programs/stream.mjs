// Sends bytes and gets them back, as often as its argument says; the port is never at rest. Prints `running`, then `done`.
import { checkBytes } from './checked-bytes.mjs';

const rounds = Number(process.argv[2] ?? Infinity);
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
for (let round = 0; round < rounds; round++) {
  await Promise.all([checkBytes(device, 256 << 10, round), checkBytes(device, 4 << 10, round)]);
  if (round === 0) console.log('running');
}
device.destroy();
console.log('done');
