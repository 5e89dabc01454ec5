import { EventEmitter, once } from 'node:events';
import { connect, createServer, type Socket, type AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { pattern } from '../test/received.ts';
import { intoOneBuffer, readingIntoOneBuffer, readWhere } from './one-buffer.ts';
import { socketTransport } from './socket.ts';

async function pair(): Promise<{ client: Socket; accepted: Socket; closed: Promise<unknown> }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connection = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const client: Socket = connect({ port, ...intoOneBuffer(() => client) });
  const [accepted] = (await connection) as [Socket];
  server.close();
  return { client, accepted: readingIntoOneBuffer(accepted), closed: once(server, 'close') };
}

it('a socket that connected, and one that was accepted, show parts of one buffer', async () => {
  const { client, accepted, closed } = await pair();
  for (const [from, to] of [
    [client, accepted],
    [accepted, client],
  ] as const) {
    const buffers = new Set<ArrayBufferLike>();
    for (let i = 0; i < 3; i++) {
      const received = once(to.resume(), 'data');
      from.write('x'.repeat(1000 + i));
      const [data] = (await received) as [Uint8Array];
      expect(Buffer.from(data).toString()).toBe('x'.repeat(1000 + i));
      buffers.add(data.buffer);
    }
    expect(buffers.size).toBe(1);
  }
  client.end();
  // The server, which counted the accepted one, hears of its end.
  await closed;
});

it('what was received already stays with its socket', async () => {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connection = once(server, 'connection');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await connection) as [Socket];
  socket.unshift('before');
  expect(readingIntoOneBuffer(socket)).toBe(socket);
  const gone = { destroyed: true, readableLength: 0, _handle: null } as unknown as Socket;
  expect(readingIntoOneBuffer(gone)).toBe(gone);
  client.destroy();
  socket.destroy();
  server.close();
});

it('nothing is read where it belongs while something waits that belongs before it', () => {
  const kept: Buffer[] = [];
  class FakeSocket extends EventEmitter {
    paused = false;
    isPaused = () => this.paused;
    push = (bytes: Buffer) => void kept.push(bytes);
    get readableLength() {
      return kept.length;
    }
  }
  const socket = new FakeSocket();
  const { buffer, callback } = intoOneBuffer(() => socket as unknown as Socket).onread;
  const next = buffer as () => Uint8Array;
  const target = new Uint8Array(100);
  const own = next();
  readWhere(socket as unknown as Socket, () => target);
  const read = (byteLength: number): boolean => callback(byteLength, next());
  expect([next() === own, read(10), next() === target]).toEqual([true, true, true]);
  // A read that had begun when the stream was paused.
  socket.paused = true;
  target.set([1, 2, 3]);
  expect([callback(3, target), next() === own]).toEqual([false, true]);
  target.fill(9);
  expect(kept).toEqual([Buffer.from([1, 2, 3])]);
  socket.paused = false;
  expect([read(10), next() === own, kept.length]).toEqual([true, true, 2]);
  kept.length = 0;
  expect([read(10), next() === target]).toEqual([true, true]);
  socket.once('data', () => (socket.paused = true));
  expect([callback(10, target), next() === own]).toEqual([false, true]);
});

it('what is read where it belongs is all there, in order, however the reader pauses', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 12 });
  let [there, elsewhere, misplaced] = [0, 0, 0];
  await fc.assert(
    fc.asyncProperty(sizes, fc.infiniteStream(fc.nat(9)), async (lengths, chances) => {
      const { client, accepted } = await pair();
      const [from, to] = [socketTransport(client), socketTransport(accepted)];
      const expected = Buffer.concat(lengths.map((length, i) => pattern(length, i)));
      const content = new Uint8Array(expected.byteLength);
      let filled = 0;
      const chance = () => chances.next().value as number;
      await new Promise<void>((resolve) => {
        from.start({ bytes() {}, closed() {} });
        to.start({
          bytes(chunk) {
            const isThere = chunk.buffer === content.buffer;
            if (isThere && chunk.byteOffset !== filled) misplaced++;
            if (!isThere) content.set(chunk, filled);
            if (isThere) there++;
            else elsewhere++;
            filled += chunk.byteLength;
            if (filled === content.byteLength) return resolve();
            const luck = chance();
            if (luck < 2) to.pause();
            if (luck === 1) setImmediate(() => to.resume());
            if (luck === 0) setTimeout(() => to.resume(), 1);
            if (luck === 2) {
              setImmediate(() => to.pause());
              setImmediate(() => setImmediate(() => to.resume()));
            }
            // It reads once more, although it is paused.
            if (luck === 3)
              setImmediate(() => {
                to.pause();
                to.resume();
                to.pause();
                setTimeout(() => to.resume(), 2);
              });
          },
          room: () => (chance() < 3 ? undefined : content.subarray(filled, filled + 20_000 * (1 + chance()))),
          closed() {},
        });
        for (const [i, length] of lengths.entries()) {
          if (chance() < 5) from.send(pattern(length, i));
          else for (let at = 0; at < length; at += 40_000) from.send(pattern(length, i).slice(at, at + 40_000));
        }
      });
      expect(Buffer.compare(content, expected)).toBe(0);
      from.close();
      to.close();
    }),
    { numRuns: 60 },
  );
  expect(misplaced).toBe(0);
  expect(Math.min(there, elsewhere)).toBeGreaterThan(50);
});
