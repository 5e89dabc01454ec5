import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, openSync, closeSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConnectionError } from '@vesper-gpu/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pattern, Received, turns } from '../test/received.ts';
import { unprivileged } from '../test/unprivileged.ts';
import { deviceTransport } from './device.ts';
import { openTransport } from './open.ts';
import { pumpTransport } from './pump.ts';

/** A FIFO that is open for reading and writing gives back what it is given: one file, both ways. */
let fifo: string;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vesper-device-'));
  chmodSync(directory, 0o755);
  fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

async function messageOf(path: string): Promise<string> {
  const error: unknown = await deviceTransport(path).then(
    () => 'open',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectionError);
  return (error as ConnectionError).message;
}

describe('deviceTransport', () => {
  it('writes and reads in order, however little the device takes at once', async () => {
    const transport = await openTransport(`dev:${fifo}`);
    const received = new Received(transport);
    const blocks = [1, 70_000, 3, 1_000_000, 65_536, 65_537].map((size, i) => pattern(size, i));
    const sent = Buffer.concat(blocks);
    for (const block of blocks) transport.send(block);
    await received.atLeast(sent.byteLength);
    expect(received.content.equals(sent)).toBe(true);
    transport.close();
    expect(await received.closedOnce).toBeUndefined();
  });

  it('comes under back-pressure, and recovers', async () => {
    const transport = await deviceTransport(fifo);
    const received = new Received();
    transport.pause();
    transport.start(received);
    let sent = 0;
    while (transport.send(pattern(1 << 20))) {
      sent += 1 << 20;
      await turns(2);
      expect(sent).toBeLessThan(64 << 20);
    }
    sent += 1 << 20;
    transport.resume();
    await Promise.all([received.drainedOnce(), received.atLeast(sent)]);
    transport.close();
    await received.closedOnce;
  });

  it('closes while a read is pending', async () => {
    const transport = await deviceTransport(fifo);
    const received = new Received(transport);
    transport.send(pattern(10));
    await received.atLeast(10);
    transport.close();
    expect(await received.closedOnce).toBeUndefined();
    expect(received.closings).toHaveLength(1);
  });

  it('ends when the device ends behind its first bytes', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, 'all there is');
    const descriptor = openSync(file, 'r+');
    const received = new Received(pumpTransport(descriptor, 'dev:test', 10_000));
    closeSync(descriptor);
    expect(await received.closedOnce).toBeUndefined();
    expect(received.content.toString()).toBe('all there is');
  });

  it('waits for a host that is not there yet, so long and no longer', async () => {
    const received = new Received(await deviceTransport('/dev/null', { connectTimeoutMs: 300, end: 'host' }));
    const error = await received.closedOnce;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error?.message).toBe(
      'the connection to dev:/dev/null broke: reading it failed: no host is connected to the other side',
    );
    const refusal: unknown = await deviceTransport('/dev/null', { connectTimeoutMs: 300 }).catch((e: unknown) => e);
    expect(refusal).toBeInstanceOf(ConnectionError);
    expect((refusal as Error).message).toMatch(/^cannot begin a session at dev:\/dev\/null: .*on the other side; /);
  });

  it('reports a device that refuses writes', async () => {
    const transport = await deviceTransport('/dev/full', { end: 'host' });
    const received = new Received();
    transport.pause();
    transport.start(received);
    transport.send(pattern(10));
    // The device gives zeros without end: only what the pipe holds comes before its end.
    transport.resume();
    expect((await received.closedOnce)?.message).toMatch(
      /^the connection to dev:\/dev\/full broke: writing to it failed: ENOSPC/,
    );
    await expect(deviceTransport('/dev/full')).rejects.toThrow('writing to it failed: ENOSPC');
  });

  it('says what is wrong with a path', async () => {
    expect(await messageOf('/dev/no-such-port')).toContain(
      'there is no device dev:/dev/no-such-port: give the virtual machine',
    );
    const file = join(directory, 'file');
    writeFileSync(file, 'precious');
    expect(await messageOf(file)).toContain(`dev:${file} is no character device`);
    mkdirSync(join(directory, 'sub'));
    expect(await messageOf(join(directory, 'sub'))).toContain('is no character device');
    chmodSync(fifo, 0);
    expect(await unprivileged(() => messageOf(fifo))).toContain(`no permission to open dev:${fifo}: run as root`);
  });

  it('neither keeps a process that exits nor outlives one that is killed', async () => {
    const program = fileURLToPath(new URL('../pump/device-pump.mjs', import.meta.url));
    // The parent: starts a pump on the FIFO as pump.ts does, tells its id, and ends by itself or by force.
    const parent = (ending: string): string => `
      const { spawn } = require('child_process');
      const fd = require('fs').openSync(${JSON.stringify(fifo)}, 'r+');
      const pump = spawn(process.execPath, [${JSON.stringify(program)}, '10000'], { stdio: ['ignore', 'ignore', 'inherit', 'pipe', fd], detached: true });
      pump.stdio[3].write('ready');
      pump.stdio[3].once('data', () => { require('fs').writeSync(1, String(pump.pid)); ${ending} });`;
    for (const ending of ['process.exit(7)', "process.kill(process.pid, 'SIGKILL')"]) {
      const { status, signal, stdout } = spawnSync(process.execPath, ['-e', parent(ending)], { encoding: 'utf8' });
      expect(status ?? signal).toBe(ending.includes('exit') ? 7 : 'SIGKILL');
      const pid = Number(stdout);
      expect(pid).toBeGreaterThan(1);
      // `tail` returns once the process is gone; should it stay, the test runs into its time limit.
      await new Promise((resolve) => spawn('tail', ['-f', '/dev/null', `--pid=${pid}`]).on('exit', resolve));
    }
  });
});
