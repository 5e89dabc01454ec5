import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machine } from '../../scripts/vm/machine.mjs';
import { Machines, put, startIn, startPlainIn } from './machines.ts';

/** What test/e2e/programs/compute-and-render.mjs prints. */
const DRAWN = JSON.stringify({ squares: [0, 1, 4, 9, 65025], left: [255, 128, 0, 255], right: [0, 0, 255, 255] });
const COMPUTE = '../e2e/programs/compute-and-render.mjs';
const PORT = '/dev/virtio-ports/org.vesper.gpu.0';

describe('npm run vm', () => {
  it('computes and renders in the guest what is computed and rendered without', () => {
    const out = mkdtempSync(join(tmpdir(), 'vesper-vm-out-'));
    try {
      const main = fileURLToPath(new URL('../../scripts/vm/main.mjs', import.meta.url));
      const { status, stdout, stderr } = spawnSync(process.execPath, [main, '--out', out], { encoding: 'utf8' });
      expect(stderr).not.toContain('vm:');
      expect(stdout).toMatch(/^matmul .*\(right\)$/m);
      expect(stdout).toMatch(/^verdict +the numbers and the picture are right$/m);
      for (const row of ['boot', 'bytes', 'round trips', 'latency', 'bandwidth'])
        expect(stdout).toMatch(new RegExp(`^${row} +\\S`, 'm'));
      expect(status).toBe(0);
      const [remote, local] = ['frame-0001.png', 'local/frame-0001.png'].map((name) =>
        decode(readFileSync(join(out, name))),
      );
      expect(remote).toMatchObject({ width: 1024, height: 768 });
      expect(Buffer.from(remote!.data).equals(Buffer.from(local!.data))).toBe(true);
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  });
});

/** In this order: each case leaves the machines to the next one. */
describe('two virtual machines', () => {
  let machines: Machines;
  let first: Machine;
  let second: Machine;
  beforeAll(async () => {
    machines = await Machines.prepare();
    [first, second] = await Promise.all([machines.boot(), machines.boot()]);
  });
  afterAll(() => machines?.close());

  /** The GPU works for programs in a machine. */
  async function expectToCompute(machine: Machine): Promise<void> {
    const { ended } = await startIn(machine, COMPUTE);
    expect(await ended).toEqual({ status: 0, signal: null, stdout: `${DRAWN}\n`, stderr: '' });
  }

  /** A program that has the port busy, and its number as a guest. */
  async function streamIn(machine: Machine, ...args: string[]) {
    const program = await startIn(machine, 'programs/stream.mjs', ...args);
    await program.printed('running');
    return { ...program, ...machines.lastGuest };
  }

  it('compute at the same time', async () => {
    await Promise.all([expectToCompute(first), expectToCompute(second)]);
  });

  it('may send garbage, and are disconnected until they know better', async () => {
    const { control } = first;
    await control.run(['sh', '-c', `yes garbage | timeout 5 head -c 100000 > ${PORT}`]);
    await machines.logged(({ msg }) => msg.startsWith('refused: bad-magic'));
    await expectToCompute(first);
  });

  it('say what is wrong when there is no such port', async () => {
    const program = await put(first, COMPUTE);
    const { status, stderr } = await first.control.run(['node', '--import', '/vesper/register.mjs', program], {
      env: { VESPER_ADDRESS: 'dev:/dev/virtio-ports/none' },
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^vesper: there is no device dev:\/dev\/virtio-ports\/none: give the virtual machine/);
  });

  it('go on where they were when they are paused in their stream, and hold up nobody', async () => {
    const stream = await streamIn(first, '20');
    await first.pause();
    await expectToCompute(second);
    expect(existsSync(`/proc/${stream.executor}`)).toBe(true);
    await first.resume();
    expect(await stream.ended).toMatchObject({ status: 0, stdout: 'running\ndone\n' });
    expect(await machines.left(stream.guest)).toMatchObject({ reason: 'closed' });
  });

  it('open their port anew, behind a program that was killed in its stream and behind a session that was closed', async () => {
    const stream = await put(first, 'programs/stream.mjs');
    const { ended } = await startPlainIn(first, 'programs/reopen.mjs', stream);
    expect(await ended).toMatchObject({
      status: 0,
      stdout: 'computing behind a program that was killed\ncomputing behind a session that was closed\n',
    });
  });

  it('hear that the device is lost when their host is gone, and connect to the next', async () => {
    const survivor = await startPlainIn(first, 'programs/survive.mjs');
    await survivor.printed('ready');
    process.kill(machines.lastGuest.executor, 'SIGKILL');
    expect(await survivor.ended).toMatchObject({ status: 0, stdout: 'ready\nlost (unknown), and computing again\n' });
  });

  it('are served again when they are reset in their stream', async () => {
    const stream = await streamIn(first);
    await first.reset();
    await expectToCompute(first);
    // The old session was ended when the new boot came, if not before.
    await machines.left(stream.guest);
    expect(existsSync(`/proc/${stream.executor}`)).toBe(false);
  });

  it('take what they had with them when they are killed, and nothing of the other', async () => {
    const doomed = await streamIn(first);
    const other = await streamIn(second, '20');
    await first.kill();
    await machines.left(doomed.guest);
    expect(existsSync(`/proc/${doomed.executor}`)).toBe(false);
    expect(await other.ended).toMatchObject({ status: 0, stdout: 'running\ndone\n' });
    await machines.left(other.guest);
    expect(existsSync(`/proc/${other.executor}`)).toBe(false);
  });
});
