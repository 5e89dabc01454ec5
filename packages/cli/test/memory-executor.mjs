// Stands in for dist/executor.js where guests come to shm:PATH: sends all that a guest says back to it, through memory.
import { acceptSharedMemory } from '@vesper-gpu/transport';
import { tell } from './talk.mjs';

process.on('message', async ({ rest, receivedBytes }, socket) => {
  const transport = await acceptSharedMemory(socket, { receivedBytes });
  transport.send(Uint8Array.from(Buffer.from(rest, 'base64')));
  let count = 0;
  transport.start({
    bytes: (chunk) => {
      count += chunk.byteLength;
      if (!transport.send(chunk.slice())) transport.pause();
    },
    drained: () => transport.resume(),
    closed: () => {
      const statistics = { receivedBytes: count, sentBytes: count, commands: 0, requests: 0, objects: 0 };
      const report = { reason: 'closed', message: 'the guest closed the connection', statistics };
      tell({ type: 'ended', report, isFlushing: false }, () => process.exit(0));
    },
  });
});
tell({ type: 'ready' });
