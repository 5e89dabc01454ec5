// 100,000 validation errors: what they cost the host in bytes, memory and time, and what reaches stderr.
import { globals } from '@vesper-gpu/guest';
import { encodeBufferDestroy, encodeDeviceCreateBuffer, encodeStreamRelease } from '@vesper-gpu/protocol/guest';
import { MAX_LABEL_LENGTH, WireWriter } from '@vesper-gpu/wire';
import { collect, openPair } from './pair.mjs';

Object.assign(globalThis, globals);
const ERRORS = 100_000;
const { gpu, guestEnd, connection, session } = await openPair();
const device = await (await gpu.requestAdapter()).requestDevice();
let heard = 0;
device.addEventListener('uncapturederror', (event) => {
  event.preventDefault();
  heard++;
});
const DEVICE = (1 << 22) | 1;
const label = 'x'.repeat(MAX_LABEL_LENGTH);
let slot = 3;
let generation = 1;
const descriptor = { label, size: 4, usage: 0, mappedAtCreation: false };
await collect();
const residentBytes = process.memoryUsage.rss();
const sentBytes = session.statistics.sentBytes;
const start = performance.now();
for (let sent = 0; sent < ERRORS;) {
  const writer = new WireWriter(undefined, 1 << 20);
  for (let i = 0; i < 500; i++, sent++) {
    const id = ((generation << 22) | slot) >>> 0;
    encodeDeviceCreateBuffer(writer, DEVICE, id, descriptor);
    encodeBufferDestroy(writer, id);
    encodeStreamRelease(writer, [id]);
    if (++generation > 1023) [generation, slot] = [1, slot + 1];
  }
  guestEnd.send(writer.takeFrame());
  await device.queue.onSubmittedWorkDone();
  // What this program itself leaves to the collector is not the host's: how late that comes varied by 100 MiB.
  if (sent % 5000 === 0) await collect();
}
const seconds = (performance.now() - start) / 1000;
await collect();
const { statistics } = session;
const growth = process.memoryUsage.rss() - residentBytes;
console.log(JSON.stringify({ heard, seconds, growth, sent: statistics.sentBytes - sentBytes }));
await connection.close();
process.exit(0);
