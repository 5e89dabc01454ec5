import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Transport } from '@vesper-gpu/wire';
import { WebSocket } from 'ws';
import { MARK, NONCE_BYTES } from '../pump/port-marks.mjs';
import { inProcessPair } from '../src/in-process.ts';
import { listen } from '../src/listen.ts';
import { readingIntoOneBuffer } from '../src/one-buffer.ts';
import { openTransport } from '../src/open.ts';
import { portTransport } from '../src/port.ts';
import { guestPumpTransport, pumpTransport } from '../src/pump.ts';
import { ringChannel, ringTransport } from '../src/ring/index.ts';
import { acceptSharedMemory, type SharedMemoryOptions } from '../src/shared-memory/host.ts';
import { socketTransport } from '../src/socket.ts';
import { resolvers } from './resolvers.ts';
import { listenWebSocket } from '../src/websocket-listen.ts';
import { openWebSocket } from '../src/websocket.ts';

export type Pair = [Transport, Transport];

/** Two connected sockets, over TCP or over a Unix socket in a directory that is gone afterwards. */
export async function socketPair(kind: 'unix' | 'tcp'): Promise<[Socket, Socket]> {
  const directory = mkdtempSync(join(tmpdir(), 'vesper-pair-'));
  const server = createServer({ pauseOnConnect: true });
  try {
    await new Promise<void>((resolve) => {
      if (kind === 'unix') server.listen(join(directory, 'socket'), resolve);
      else server.listen(0, '127.0.0.1', resolve);
    });
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const connected =
      kind === 'unix'
        ? connect(join(directory, 'socket'))
        : connect((server.address() as AddressInfo).port, '127.0.0.1');
    return [connected, await accepted];
  } finally {
    server.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface PairKind {
  name: string;
  /** How many pairs a property may make: those of a process of their own are few. */
  runs: number;
  /** Whether one direction can end before the other: a device only has one end for both. */
  halfCloses: boolean;
  open(): Promise<Pair>;
}

export const pairKinds: PairKind[] = [
  { name: 'in-process', runs: 100, halfCloses: true, open: () => Promise.resolve(inProcessPair()) },
  { name: 'unix socket', runs: 30, halfCloses: true, open: async () => sockets(await socketPair('unix')) },
  { name: 'tcp socket', runs: 30, halfCloses: true, open: async () => sockets(await socketPair('tcp')) },
  ...(['unix', 'tcp'] as const).map((kind) => ({
    name: `${kind} socket, read into one buffer`,
    runs: 30,
    halfCloses: true,
    open: () => oneBufferPair(kind),
  })),
  { name: 'ring', runs: 30, halfCloses: true, open: () => Promise.resolve(rings()) },
  { name: 'ring, woken by messages', runs: 30, halfCloses: true, open: () => Promise.resolve(ringsWokenByMessages()) },
  // Smaller than what is sent, so that every property wraps and waits.
  { name: 'small ring', runs: 30, halfCloses: true, open: () => Promise.resolve(rings(4096)) },
  ...(process.platform === 'linux'
    ? [{ name: 'shared memory', runs: 30, halfCloses: true, open: () => sharedMemoryPair() }]
    : []),
  { name: 'websocket', runs: 15, halfCloses: true, open: webSockets },
  { name: 'device pump', runs: 4, halfCloses: false, open: pumped },
  { name: 'port', runs: 4, halfCloses: false, open: port },
];

function sockets([a, b]: [Socket, Socket]): Pair {
  return [socketTransport(a), socketTransport(b)];
}

/** As guests and executors read. */
export async function oneBufferPair(kind: 'unix' | 'tcp'): Promise<Pair> {
  const directory = mkdtempSync(join(tmpdir(), 'vesper-pair-'));
  const accepted = resolvers<Socket>();
  const address = kind === 'unix' ? `unix:${join(directory, 'socket')}` : 'tcp:127.0.0.1:0';
  const listener = await listen(address, { connection: accepted.resolve, pauseOnConnect: true });
  try {
    const guest = await openTransport(listener.address);
    return [guest, socketTransport(readingIntoOneBuffer(await accepted.promise))];
  } finally {
    await listener.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function rings(capacity?: number): Pair {
  const { port1, port2 } = ringChannel(capacity);
  return [ringTransport(port1), ringTransport(port2)];
}

/** As in an engine that cannot wait without blocking. */
function ringsWokenByMessages(): Pair {
  const atomics = Atomics as { waitAsync?: unknown };
  const { waitAsync } = atomics;
  delete atomics.waitAsync;
  try {
    return rings();
  } finally {
    atomics.waitAsync = waitAsync;
  }
}

/** A guest and a host, each with a mapping of its own of one memory. */
export async function sharedMemoryPair(options?: SharedMemoryOptions): Promise<Pair> {
  const directory = mkdtempSync(join(tmpdir(), 'vesper-pair-'));
  const accepted = resolvers<Socket>();
  const listener = await listen(`shm:${join(directory, 'socket')}`, { connection: accepted.resolve });
  try {
    const guest = await openTransport(listener.address);
    return [guest, await acceptSharedMemory(await accepted.promise, options)];
  } finally {
    await listener.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A pump whose "device" is one end of a socket pair: a file that is read and written, with a peer that can go. */
async function pumped(): Promise<Pair> {
  const [a, b] = await socketPair('unix');
  const pump = pumpTransport(a, 'dev:test', 10_000);
  a.destroy();
  return [pump, socketTransport(b)];
}

async function webSockets(): Promise<Pair> {
  const accepted = resolvers<Transport>();
  const listener = await listenWebSocket('tcp:127.0.0.1:0', { connection: accepted.resolve });
  try {
    const url = listener.address.replace('tcp:', 'ws://');
    return [await openWebSocket(url, { WebSocket }), await accepted.promise];
  } finally {
    await listener.close();
  }
}

/** Both ends of a port, behind the beginning of a session. */
async function port(): Promise<Pair> {
  const [a, b] = await socketPair('unix');
  const opening = guestPumpTransport(a, 'dev:test', 10_000);
  a.destroy();
  b.write(await nonceFrom(b));
  return [await opening, portTransport(socketTransport(b), true)];
}

/** The nonce of a session that a guest begins as the first thing on a port. */
export async function nonceFrom(socket: Socket): Promise<Uint8Array> {
  const byteLength = MARK.byteLength + 1 + NONCE_BYTES;
  for (;;) {
    const start = socket.read(byteLength) as Buffer | null;
    if (start !== null) return start.subarray(-NONCE_BYTES);
    await once(socket, 'readable');
  }
}
