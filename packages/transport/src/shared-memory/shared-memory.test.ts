import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConnectionError, type Transport } from '@vesper-gpu/wire';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pattern, receive, Received, turns } from '../../test/received.ts';
import { resolvers } from '../../test/resolvers.ts';
import { listen, type Listener } from '../listen.ts';
import { openTransport } from '../open.ts';
import { READER_WAITS, ringsIn, TAIL } from '../ring/layout.ts';
import { RingError } from '../ring/ring-error.ts';
import { socketTransport } from '../socket.ts';
import { descriptorOf } from './descriptor.ts';
import { acceptSharedMemory } from './host.ts';
import { loadNative } from './native.ts';
import { join } from './side-streams.ts';
import { beginPlainStream, MAX_BYTES_BEFORE, MEMORY, WAKE } from './tags.ts';

let directory: string;
let address: string;
const children: ChildProcess[] = [];
const listeners: Listener[] = [];
beforeEach(() => {
  directory = mkdtempSync(joinPath(tmpdir(), 'vesper-memory-'));
  address = `shm:${joinPath(directory, 's')}`;
});
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** A guest that has connected, and the host's socket, of which nothing was read. */
async function connected(): Promise<{ guest: Transport; socket: Socket }> {
  const accepted = resolvers<Socket>();
  listeners.push(await listen(address, { connection: accepted.resolve, pauseOnConnect: true }));
  return { guest: await openTransport(address), socket: await accepted.promise };
}

/** A guest that is nobody's library: its socket, and the memory that it was given. */
async function hostileGuest() {
  const accepted = resolvers<Socket>();
  listeners.push(await listen(address, { connection: accepted.resolve, pauseOnConnect: true }));
  const peer = connect(address.slice(4)).pause();
  await once(peer, 'connect');
  const native = await loadNative(address);
  const given = resolvers<ArrayBuffer>();
  const stop = native.watch(descriptorOf(peer), (receive) => {
    const received = receive();
    if (received.kind !== 'byte') return;
    expect(received.byte).toBe(MEMORY);
    given.resolve(native.map(received.descriptor!));
    closeSync(received.descriptor!);
    stop();
  });
  const socket = await accepted.promise;
  const host = await acceptSharedMemory(socket);
  const memory = await given.promise;
  peer.on('error', () => {}).resume();
  return { peer, memory, host, socket };
}

describe.runIf(process.platform === 'linux')('a connection through shared memory', () => {
  it('carries no bytes over its socket but wake-ups', async () => {
    const { guest, socket } = await connected();
    const host = await acceptSharedMemory(socket);
    const [atGuest, atHost] = [new Received(guest), new Received(host)];
    // Until it has joined, a guest sends what it has to.
    guest.send(pattern(100, 1));
    await atHost.atLeast(100);
    host.send(pattern(100, 2));
    await atGuest.atLeast(100);
    for (let i = 0; i < 20; i++) {
      guest.send(pattern(1 << 20, i));
      host.send(pattern(1 << 20, i));
    }
    await Promise.all([atHost.atLeast(100 + (20 << 20)), atGuest.atLeast(100 + (20 << 20))]);
    expect(
      atHost.content.subarray(100).equals(Buffer.concat(Array.from({ length: 20 }, (_, i) => pattern(1 << 20, i)))),
    ).toBe(true);
    expect(socket.bytesRead).toBeLessThan(1000);
    expect(socket.bytesWritten).toBeLessThan(1000);
    guest.close();
    await Promise.all([atGuest.closedOnce, atHost.closedOnce]);
  });

  it('keeps in order what is sent before there is memory, and behind', async () => {
    const { guest, socket } = await connected();
    const sent: Uint8Array[] = [];
    const send = (byteLength: number): void => {
      sent.push(pattern(byteLength, sent.length));
      guest.send(sent.at(-1)!.slice());
    };
    // More than goes over the socket.
    for (const size of [10, 0, 1000, MAX_BYTES_BEFORE - 1010, 1, 3_000_000]) send(size);
    await turns();
    const host = await acceptSharedMemory(socket);
    send(500_000);
    const atHost = new Received(host);
    await turns();
    send(77);
    const expected = Buffer.concat(sent);
    await atHost.atLeast(expected.byteLength);
    expect(atHost.content.equals(expected)).toBe(true);
    guest.close();
    await atHost.closedOnce;
  });

  it('goes on behind what a broker has read off the socket', async () => {
    const { guest, socket } = await connected();
    guest.send(pattern(1000));
    await once(socket, 'readable');
    const read = socket.read() as Buffer;
    guest.send(pattern(1000, 2));
    const host = await acceptSharedMemory(socket, { receivedBytes: read.byteLength, capacity: 1 << 16 });
    const atHost = new Received(host);
    await atHost.atLeast(2000 - read.byteLength);
    guest.send(pattern(200_000, 3));
    await atHost.atLeast(202_000 - read.byteLength);
    const all = Buffer.concat([read, atHost.content]);
    expect(all.equals(Buffer.concat([pattern(1000), pattern(1000, 2), pattern(200_000, 3)]))).toBe(true);
    host.close();
    await new Received(guest).closedOnce;
  });

  it('gives a guest the reason why it is given no memory', async () => {
    const { guest, socket } = await connected();
    const atGuest = new Received(guest);
    guest.send(pattern(10));
    beginPlainStream(socket);
    const plain = socketTransport(socket);
    plain.send(Uint8Array.from(Buffer.from('no room')));
    plain.close();
    expect(await atGuest.closedOnce).toBeUndefined();
    expect(atGuest.content.toString()).toBe('no room');
  });

  it('gives a guest last words behind the bytes of the ring, when the process of its host is gone', async () => {
    const { guest, socket } = await connected();
    const host = await acceptSharedMemory(socket);
    const atHost = new Received(host);
    guest.send(pattern(10));
    await atHost.atLeast(10);
    host.send(pattern(500_000));
    // As a broker does with its copy of the socket.
    beginPlainStream(socket);
    socket.end('last words');
    const atGuest = new Received(guest);
    expect(await atGuest.closedOnce).toBeUndefined();
    expect(atGuest.content.subarray(500_000).toString()).toBe('last words');
    expect(atGuest.content.subarray(0, 500_000).equals(pattern(500_000))).toBe(true);
  });

  it('says to a guest that its host shares no memory', async () => {
    const { guest, socket } = await connected();
    socketTransport(socket).send(pattern(100));
    const error = await new Received(guest).closedOnce;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error?.message).toBe(`the host at ${address} shares no memory: connect to it with unix: instead of shm:`);
  });

  it('closes before the host has answered', async () => {
    const { guest, socket } = await connected();
    const atGuest = new Received(guest);
    guest.send(pattern(1_000_000));
    guest.close();
    expect(guest.send(pattern(10))).toBe(true);
    const atHost = new Received(await acceptSharedMemory(socket));
    expect(await atHost.closedOnce).toBeUndefined();
    expect(atHost.content.equals(pattern(1_000_000))).toBe(true);
    expect(await atGuest.closedOnce).toBeUndefined();
  });

  it('closes in bounded time where the host never answers', async () => {
    const { guest, socket } = await connected();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const atGuest = new Received(guest);
      guest.close();
      vi.advanceTimersByTime(5000);
      expect(await atGuest.closedOnce).toBeUndefined();
      socket.resume();
      await once(socket, 'close');
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends when the process of the other side is killed, whatever it was doing', async () => {
    for (let i = 0; i < 4; i++) {
      const child = fork(fileURLToPath(new URL('../../test/memory-host.ts', import.meta.url)), [address], {
        execArgv: ['--import', 'tsx', '--conditions=vesper-source'],
      });
      children.push(child);
      await once(child, 'message');
      const guest = await openTransport(address);
      const received = new Received(guest);
      const sent = pattern(8 << 20, i);
      guest.send(sent.slice());
      // Idle, at the first bytes, in the middle, and where both have much to write.
      await received.atLeast([8 << 20, 1, 3 << 20, 5 << 20][i]!);
      if (i === 3) for (let j = 0; guest.send(pattern(1 << 20, j)) && j < 100; j++);
      child.kill('SIGKILL');
      expect(await received.closedOnce).toBeUndefined();
      const { content } = received;
      expect(content.subarray(0, 8 << 20).equals(Buffer.from(sent).subarray(0, content.byteLength))).toBe(true);
    }
  });
});

describe.runIf(process.platform === 'linux')('memory that is shared', () => {
  it('can be resized by nobody, so that no access can fail', async () => {
    const native = await loadNative(address);
    const descriptor = native.createMemory(1 << 16);
    for (const size of [0, 4096, 1 << 17]) expect(() => ftruncateSync(descriptor, size)).toThrow(/EPERM/);
    closeSync(descriptor);
  });

  it('is refused where it can be resized', async () => {
    const native = await loadNative(address);
    const file = joinPath(directory, 'file');
    writeFileSync(file, Buffer.alloc(1 << 16));
    const descriptor = openSync(file, 'r+');
    expect(() => native.map(descriptor)).toThrow(ConnectionError);
    closeSync(descriptor);
  });

  it('is one for both sides', async () => {
    const native = await loadNative(address);
    const descriptor = native.createMemory(1 << 16);
    const [a, b] = [new Int32Array(native.map(descriptor)), new Int32Array(native.map(descriptor))];
    closeSync(descriptor);
    Atomics.store(a, 5, 7);
    expect(Atomics.load(b, 5)).toBe(7);
  });
});

describe.runIf(process.platform === 'linux')('a hostile guest with shared memory', () => {
  it('ends its session with counters that cannot be true', async () => {
    const { peer, memory, host } = await hostileGuest();
    const atHost = new Received(host);
    const [{ words }] = ringsIn(memory);
    join(words, 0);
    Atomics.store(words, TAIL, 1 << 30);
    peer.write(Uint8Array.of(WAKE));
    expect(await atHost.closedOnce).toBeInstanceOf(RingError);
    await once(peer, 'close');
  });

  it.each([-1, -(2 ** 31), 2 ** 31 - 1])('gains nothing by a wrong number of bytes before: %d', async (count) => {
    const { peer, memory, host } = await hostileGuest();
    const atHost = new Received(host);
    join(ringsIn(memory)[0].words, count);
    peer.write(pattern(1000));
    // What it calls a part of its stream, it may send there.
    if (count > 0) await atHost.atLeast(1000);
    peer.destroy();
    expect((await atHost.closedOnce) instanceof RingError).toBe(count < 0);
  });

  it('cannot make its host keep what it sends instead of joining', async () => {
    const { peer, host } = await hostileGuest();
    const atHost = new Received(host);
    host.pause();
    peer.write(pattern(MAX_BYTES_BEFORE));
    peer.write(pattern(1));
    const error = await atHost.closedOnce;
    expect(error?.message).toMatch(/the memory that it was given lies idle/);
  });

  it('cannot make its host queue wake-ups that it does not read', async () => {
    const { peer, memory, host, socket } = await hostileGuest();
    peer.pause();
    receive(host);
    const [{ words }, into] = ringsIn(memory);
    join(words, 0);
    peer.write(Uint8Array.of(WAKE));
    // Always asleep, never reading.
    for (let i = 0; i < 300_000; i++) {
      Atomics.store(into.words, READER_WAITS, 1);
      host.send(pattern(4));
      if (i % 1000 === 0) await turns(1);
    }
    expect(host.queuedBytes).toBe(0);
    expect(socket.writableLength).toBeLessThanOrEqual(1);
    host.close();
    peer.destroy();
  });
});

describe('an installation without koffi', () => {
  it('says what is missing, and what to do', async () => {
    vi.resetModules();
    vi.doMock('koffi', () => {
      throw new Error('Cannot find module');
    });
    try {
      const fresh = await import('./native.ts');
      await expect(fresh.loadNative('shm:/run/vesper')).rejects.toThrow(
        /^shm:\/run\/vesper needs (the optional npm package koffi|Linux)/,
      );
    } finally {
      vi.doUnmock('koffi');
      vi.resetModules();
    }
  });
});
