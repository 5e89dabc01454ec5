import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConnectionError } from '@vesper-gpu/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolvers } from '../test/resolvers.ts';
import { unprivileged } from '../test/unprivileged.ts';
import { listen } from './listen.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vesper-listen-'));
  path = join(directory, 'socket');
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const ignore = { connection: (socket: Socket) => void socket.destroy() };

async function messageOf(address: string): Promise<string> {
  const error: unknown = await listen(address, ignore).then(
    () => 'listening',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectionError);
  return (error as ConnectionError).message;
}

/** A socket file whose listener was killed. */
function leaveStaleSocket(): void {
  const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', program]);
  expect(statSync(path).isSocket()).toBe(true);
}

describe('listen', () => {
  it('makes a Unix socket for its owner alone, whatever the umask, and removes it', async () => {
    const umask = process.umask(0);
    try {
      const listener = await listen(`unix:${path}`, ignore);
      expect(listener.address).toBe(`unix:${path}`);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(process.umask()).toBe(0);
      await listener.close();
      await listener.close();
      expect(existsSync(path)).toBe(false);
    } finally {
      process.umask(umask);
    }
  });

  it('reports the port that it was given', async () => {
    const listener = await listen('tcp:127.0.0.1:0', ignore);
    expect(listener.address).toMatch(/^tcp:127\.0\.0\.1:[1-9]\d*$/);
    expect(await messageOf(listener.address)).toContain(
      `cannot listen at ${listener.address}: another process listens there`,
    );
    await listener.close();
  });

  it('replaces the socket of a listener that is gone', async () => {
    leaveStaleSocket();
    const accepted = resolvers<Socket>();
    const listener = await listen(`unix:${path}`, { connection: accepted.resolve });
    connect(path).end();
    expect((await accepted.promise).destroy().destroyed).toBe(true);
    await listener.close();
  });

  it('refuses the place of a live listener, which goes on', async () => {
    let connections = 0;
    const first = await listen(`unix:${path}`, { connection: (socket) => void (connections++, socket.destroy()) });
    expect(await messageOf(`unix:${path}`)).toContain(`cannot listen at unix:${path}: another process listens there`);
    const before = connections;
    await new Promise((resolve) => connect(path).on('close', resolve).resume());
    expect(connections).toBe(before + 1);
    await first.close();
  });

  it('never removes a file that is no socket', async () => {
    writeFileSync(path, 'precious');
    expect(await messageOf(`unix:${path}`)).toContain('the file is no socket');
    expect(statSync(path).size).toBe(8);
  });

  it('names what is wrong with an address', async () => {
    expect(await messageOf(`unix:${directory}/none/socket`)).toMatch(/its directory does not exist; make it/);
    mkdirSync(join(directory, 'closed'));
    chmodSync(directory, 0o755);
    chmodSync(join(directory, 'closed'), 0o555);
    expect(await unprivileged(() => messageOf(`unix:${directory}/closed/socket`))).toContain(
      'no permission; choose a directory',
    );
    expect(await messageOf('tcp:192.0.2.1:0')).toContain('this machine has no such address');
    expect(await messageOf('dev:/dev/vport0p1')).toContain("dev: is the guest's end of a port");
    expect(await messageOf('nonsense')).toContain('"nonsense" is no address');
  });

  it('hands over a socket whole with pauseOnConnect', async () => {
    const accepted = resolvers<Socket>();
    const listener = await listen(`unix:${path}`, { connection: accepted.resolve, pauseOnConnect: true });
    const client = connect(path);
    client.end('hello');
    const socket = await accepted.promise;
    expect(socket.isPaused()).toBe(true);
    let text = '';
    socket.setEncoding('utf8').on('data', (data: string) => (text += data));
    expect(text).toBe('');
    await new Promise((resolve) => socket.on('end', resolve).resume());
    expect(text).toBe('hello');
    await listener.close();
  });

  it('leaves connections alone when it closes', async () => {
    const accepted = resolvers<Socket>();
    const listener = await listen(`unix:${path}`, { connection: accepted.resolve });
    const client = connect(path);
    const socket = await accepted.promise;
    await listener.close();
    socket.end('still here');
    let text = '';
    for await (const data of client.setEncoding('utf8')) text += data;
    expect(text).toBe('still here');
  });
});
