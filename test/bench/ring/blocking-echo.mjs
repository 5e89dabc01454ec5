// A thread that sends back what it is sent, and blocks meanwhile.
import { workerData } from 'node:worker_threads';
import { SyncRing } from '@vesper-gpu/transport/ring';

const ring = new SyncRing(workerData);
const buffer = new Uint8Array(64);
for (let count = ring.read(buffer); count > 0; count = ring.read(buffer)) ring.write(buffer.subarray(0, count));
