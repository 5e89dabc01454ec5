// The host's process: serves guests at one Unix socket of a folder, and plain transfers at another, as an executor does.
// Says what memory it has when it is asked. Ends with its parent.
import { createServer } from 'node:net';
import { join } from 'node:path';
import { openGPU } from '@vesper-gpu/dawn';
import { serveGuest } from '@vesper-gpu/host';
import { listen, readingIntoOneBuffer, socketTransport } from '@vesper-gpu/transport';
import { hostMemory } from './collector.mjs';
import { memoryBehindCollection } from './memory.mjs';
import { serveRaw } from './raw-server.mjs';

const folder = process.argv[2];
const gpu = openGPU();
const listener = await listen(`unix:${join(folder, 'guests')}`, {
  connection(socket) {
    void serveGuest(socketTransport(readingIntoOneBuffer(socket)), { gpu, memory: hostMemory }).ended.then(
      ({ reason, message }) => {
        if (reason !== 'closed') console.error(`the host's session ended: ${message}`);
      },
    );
  },
});
const raw = join(folder, 'raw');
createServer(serveRaw).listen(raw, () => process.send?.({ address: listener.address, raw }));
process.on('message', () => void memoryBehindCollection().then((memory) => process.send?.({ memory })));
process.on('disconnect', () => process.exit());
