/** The other end of a ring, in a thread of its own: what it does is said in `workerData.does`. */
import { parentPort, workerData } from 'node:worker_threads';
import { ringTransport, SyncRing, type RingPort } from '../src/ring/index.ts';

export type ThreadDoes =
  | 'echo'
  | 'echo, blocking'
  | 'exit at the first byte'
  | 'fill and sleep'
  | 'write for ever'
  | 'let the thread end';

const { port, does } = workerData as { port: RingPort; does: ThreadDoes };
if (does === 'echo') echo();
else if (does === 'echo, blocking') echoBlocking();
else if (does === 'exit at the first byte') exitAtFirstByte();
else if (does === 'fill and sleep') fill();
else if (does === 'write for ever') writeForEver();
else ringTransport(port).unref?.();
parentPort?.postMessage('ready', []);

function echo(): void {
  const transport = ringTransport(port);
  transport.start({
    bytes: (chunk) => {
      if (!transport.send(chunk.slice())) transport.pause();
    },
    drained: () => transport.resume(),
    closed: () => {},
  });
}

function echoBlocking(): void {
  parentPort?.postMessage('ready', []);
  const ring = new SyncRing(port);
  const buffer = new Uint8Array(10_000);
  for (let count = ring.read(buffer); count > 0; count = ring.read(buffer)) ring.write(buffer.subarray(0, count));
  ring.end();
  process.exit();
}

function exitAtFirstByte(): void {
  const transport = ringTransport(port);
  transport.start({
    bytes: () => {
      transport.send(new Uint8Array(1000).fill(7));
      process.exit();
    },
    closed: () => {},
  });
}

function writeForEver(): void {
  parentPort?.postMessage('ready', []);
  const ring = new SyncRing(port);
  for (;;) ring.write(new Uint8Array(64));
}

/** Sends more than there is room for, and reads nothing. */
function fill(): void {
  const transport = ringTransport(port);
  while (transport.send(new Uint8Array(1 << 20)));
}
