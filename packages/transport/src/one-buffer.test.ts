import { once } from 'node:events';
import { connect, createServer, type Socket, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { intoOneBuffer, readingIntoOneBuffer } from './one-buffer.ts';

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
