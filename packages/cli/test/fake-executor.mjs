// Stands in for dist/executor.js: keeps to the same messages, has no GPU, and sends all that a guest says back to it,
// what the broker had received first.
import { tell } from './talk.mjs';

let receivedBytes = 0;

process.on('message', (assignment, socket) => {
  const rest = Buffer.from(assignment.rest, 'base64');
  const add = (chunk) => {
    receivedBytes += chunk.byteLength;
    socket.write(chunk);
  };
  add(rest);
  socket.on('error', () => {});
  socket.on('data', add);
  socket.on('close', () => {
    const statistics = { receivedBytes, sentBytes: receivedBytes, commands: 0, requests: 0, objects: 0 };
    const report = { reason: 'closed', message: 'the guest closed the connection', statistics };
    tell({ type: 'ended', report, isFlushing: false }, () => process.exit(0));
  });
});
// A delay of loading, so that a guest has time to say more while it waits.
setTimeout(() => tell({ type: 'ready' }), Number(process.env.LP_FAKE_DELAY_MS ?? 0));
