import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { afterwards, innermostProcess, temporaryFolder, TestBroker } from '../../test/test-broker.ts';
import { ExecutorProcess } from './executor-process.ts';
import { findTools, sandboxes, type Tools } from './sandbox.ts';

const tools = findTools(process.env['PATH']);
const needs = { file: '/usr/lib/vesper/executor.js', environment: {}, devices: [] };

/** Whether namespaces are to be had here: containers often have none. */
const hasNamespaces =
  tools.bwrap !== undefined && spawnSync(tools.bwrap, ['--unshare-pid', '--ro-bind', '/', '/', 'true']).status === 0;

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Runs `body` in an executor, where `say` sends a value to this test. */
async function inExecutor(body: string): Promise<{ test: TestBroker; said: unknown }> {
  const file = join(temporaryFolder(), 'executor.mjs');
  const program = `
    import * as fs from 'node:fs';
    import * as net from 'node:net';
    const say = (value) => {
      fs.writeSync(5, '{"type":"ready"}\\n');
      console.log(JSON.stringify(value));
    };
    setInterval(() => {}, 1000);
    ${body}`;
  writeFileSync(file, program);
  const test = await TestBroker.start('unix', { executorFile: file });
  const entry = await test.logged(/an executor wrote/);
  return { test, said: JSON.parse(String(entry['line'])) };
}

describe.runIf(process.platform === 'linux')('an executor', () => {
  it('has the descriptors that it needs and no others', async () => {
    // Before node opens any for itself: its own have kinds of their own.
    const { said } = await inExecutor(`
      const links = fs.readdirSync('/proc/self/fd').flatMap((fd) => {
        try { return [[Number(fd), fs.readlinkSync('/proc/self/fd/' + fd)]]; } catch { return []; }
      });
      say(links.filter(([fd, to]) => !/^(anon_inode|pipe):/.test(to) && !/\\/(fd|urandom)$/.test(to)));`);
    const open = said as [number, string][];
    expect(open.map(([fd]) => fd).filter((fd) => fd <= 5)).toEqual([0, 1, 2, 3, 4, 5]);
    // Node opens /dev/null for itself.
    expect(open.filter(([fd, to]) => fd > 5 && to !== '/dev/null')).toEqual([]);
  });

  it('leaves no core dump, and gains no privileges', async () => {
    const { test, said } = await inExecutor(`
      const status = fs.readFileSync('/proc/self/status', 'utf8');
      const number = (name) => Number.parseInt(new RegExp('^' + name + ':\\\\s+(\\\\w+)', 'm').exec(status)[1], 16);
      const [, core] = /^Max core file size\\s+(\\w+)/m.exec(fs.readFileSync('/proc/self/limits', 'utf8'));
      say({ core, privileges: number('NoNewPrivs'), effective: number('CapEff'), permitted: number('CapPrm') });`);
    const entry = await test.logged(/^executors have no more/);
    expect(entry['dropped']).toContain('core dumps');
    expect(said).toMatchObject({ core: '0' });
    if (tools.bwrap === undefined && tools.setpriv === undefined) return;
    expect(said).toEqual({ core: '0', privileges: 1, effective: 0, permitted: 0 });
  });
});

describe.runIf(hasNamespaces)('an executor in namespaces', () => {
  it('sees neither the network, nor other processes, nor files of users, and writes none', async () => {
    const server = createServer((_, response) => response.end('secret'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    afterwards(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const secrets = temporaryFolder();
    writeFileSync(join(secrets, 'token'), 'secret');
    const { test, said } = await inExecutor(`
      const outcome = (action) => { try { return String(action()); } catch (error) { return error.code; } };
      const connected = await new Promise((resolve) => {
        net.connect(${port}, '127.0.0.1').on('connect', () => resolve('connected')).on('error', (error) => resolve(error.code));
      });
      say({
        connected,
        processes: fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).length < 10,
        secret: outcome(() => fs.readFileSync(${JSON.stringify(join(secrets, 'token'))}, 'utf8')),
        written: outcome(() => fs.writeFileSync('/etc/vesper-test', '')),
      });`);
    await test.logged(/^executors have no more: .*network.*the files of users/);
    expect(said).toEqual({ connected: 'ECONNREFUSED', processes: true, secret: 'ENOENT', written: 'EROFS' });
  });
});

const fakeExecutor = fileURLToPath(new URL('../../test/fake-executor.mjs', import.meta.url));
const ways = sandboxes(tools, { ...needs, file: fakeExecutor });

describe.each(
  ways.map((way) => [way.wrapper.slice(3).join(' ').slice(0, 60) || way.wrapper.join(' ') || 'nothing', way] as const),
)('an executor behind %s', (_, sandbox) => {
  // What a container refuses, a broker finds out by trying.
  const works =
    sandbox.wrapper.length === 0 || spawnSync(sandbox.wrapper[0]!, [...sandbox.wrapper.slice(1), 'true']).status === 0;

  it.runIf(works)('gets ready, and ends when it is killed, with all that was put in front of it', async () => {
    const options = { file: fakeExecutor, environment: {}, sandbox, output: () => {} };
    const executor = new ExecutorProcess(options);
    expect(await executor.ready).toBe(true);
    const pid = sandbox.isParent ? innermostProcess(executor.pid!) : executor.pid!;
    executor.kill();
    expect(await executor.ended).toMatchObject({ how: 'was ended by SIGKILL', isBehind: false });
    // Its descriptors, whose end is told, are closed a moment before the kernel forgets the process.
    await expect.poll(() => exists(pid)).toBe(false);
  });

  it.runIf(works)('leaves nothing when it is killed while it starts', async () => {
    for (let delayMs = 0; delayMs < 20; delayMs += 2) {
      const executor = new ExecutorProcess({ file: fakeExecutor, environment: {}, sandbox, output: () => {} });
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      executor.kill();
      // Not before each process that has its pipes is gone.
      expect((await executor.ended).report).toBeUndefined();
    }
  });
});

describe('the ways to start an executor', () => {
  const all: Tools = { sh: '/bin/sh', bwrap: '/usr/bin/bwrap', setpriv: '/usr/bin/setpriv' };

  it('drop less and less, and say each time what is left', () => {
    const ways = sandboxes(all, needs);
    expect(ways[0]!.missed).toEqual([]);
    expect(ways.at(-1)).toMatchObject({ wrapper: [], dropped: [] });
    for (const [i, way] of ways.entries()) {
      if (i === 0) continue;
      expect(way.dropped.length).toBeLessThanOrEqual(ways[i - 1]!.dropped.length);
      expect(way.missed.length).toBeGreaterThan(0);
      for (const missed of way.missed) expect(missed).toMatch(/: .*(did not|is not)/);
    }
  });

  it('name the tool that is not there', () => {
    const { bwrap: _, ...others } = all;
    expect(sandboxes(others, needs)[0]!.missed.join()).toMatch(/bubblewrap \(bwrap\) is not installed/);
    expect(sandboxes({}, needs)).toMatchObject([{ wrapper: [], dropped: [] }]);
  });

  it('leave the program and the files of the driver in sight', () => {
    const folder = temporaryFolder();
    for (const name of ['app/dist', 'driver', 'tmp']) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'driver', 'icd.json'), '{}');
    const [strict] = sandboxes(all, {
      file: '/home/someone/app/dist/executor.js',
      environment: { VK_DRIVER_FILES: join(folder, 'driver', 'icd.json'), TMPDIR: join(folder, 'tmp'), HOME: '/root' },
      devices: ['/dev/vport0p1'],
    });
    const text = strict!.wrapper.join(' ');
    expect(text).toContain('--ro-bind-try /home/someone/app /home/someone/app');
    expect(text).toContain(`--ro-bind-try ${folder}/driver ${folder}/driver`);
    expect(text).toContain('--dev-bind-try /dev/vport0p1 /dev/vport0p1');
    expect(text).not.toContain(`${folder}/tmp`);
  });
});
