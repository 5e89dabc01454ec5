import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConnectionError } from '@vesper-gpu/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pattern, Received } from '../test/received.ts';
import { resolvers } from '../test/resolvers.ts';
import { unprivileged } from '../test/unprivileged.ts';
import { listen } from './listen.ts';
import { openTransport } from './open.ts';
import { socketTransport } from './socket.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vesper-open-'));
  chmodSync(directory, 0o755);
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

async function messageOf(address: string): Promise<string> {
  const error: unknown = await openTransport(address).then(
    () => 'connected',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectionError);
  return (error as ConnectionError).message;
}

describe('openTransport', () => {
  it.each(['unix', 'tcp'])('connects to a listener (%s)', async (kind) => {
    const accepted = resolvers<Socket>();
    const listener = await listen(kind === 'unix' ? `unix:${directory}/s` : 'tcp:127.0.0.1:0', {
      connection: accepted.resolve,
    });
    const transport = await openTransport(listener.address);
    const atGuest = new Received(transport);
    const host = socketTransport(await accepted.promise);
    const atHost = new Received(host);
    host.send(pattern(1000, 1));
    transport.send(pattern(1000, 2));
    await Promise.all([atGuest.atLeast(1000), atHost.atLeast(1000)]);
    expect(atGuest.content.equals(pattern(1000, 1))).toBe(true);
    expect(atHost.content.equals(pattern(1000, 2))).toBe(true);
    await listener.close();
    transport.close();
    await Promise.all([atGuest.closedOnce, atHost.closedOnce]);
  });

  it('keeps what a host says at once', async () => {
    const listener = await listen(`unix:${directory}/s`, { connection: (socket) => void socket.end('hello') });
    const transport = await openTransport(listener.address);
    const received = new Received(transport);
    await received.closedOnce;
    expect(received.content.toString()).toBe('hello');
    await listener.close();
  });

  it('says that no one listens, and how to start a host', async () => {
    const expected = (address: string): string =>
      `no Vesper host listens at ${address}: start one with \`vesper serve --listen ${address}\``;
    expect(await messageOf(`unix:${directory}/none`)).toBe(expected(`unix:${directory}/none`));
    writeFileSync(join(directory, 'file'), '');
    expect(await messageOf(`unix:${directory}/file`)).toBe(expected(`unix:${directory}/file`));
    const listener = await listen('tcp:127.0.0.1:0', { connection: () => {} });
    await listener.close();
    expect(await messageOf(listener.address)).toBe(expected(listener.address));
  });

  it('says that permission is missing', async () => {
    const address = `unix:${directory}/s`;
    const listener = await listen(address, { connection: (socket) => void socket.destroy() });
    chmodSync(join(directory, 's'), 0);
    expect(await unprivileged(() => messageOf(address))).toMatch(
      `no permission to connect to ${address}: run as the user who ran`,
    );
    await listener.close();
  });

  it('names a host that is not known, and a port that cannot be', async () => {
    expect(await messageOf('tcp:no-such-host.invalid:7000')).toMatch(
      /^the host name of tcp:no-such-host\.invalid:7000 is not known: .*vesper serve --listen|^tcp:no-such-host.* cannot be reached/,
    );
    expect(await messageOf('tcp:127.0.0.1:0')).toContain('port 0 is for listening');
    expect(await messageOf('nonsense')).toContain('"nonsense" is no address');
  });
});
