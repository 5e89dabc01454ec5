import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PROTOCOL } from '@vesper-gpu/protocol';
import { requireBuilt, VesperProcess } from '../../test/command.ts';
import { afterwards, eventually, temporaryFolder } from '../../test/test-broker.ts';

const GUEST = fileURLToPath(new URL('../../test/guest.mjs', import.meta.url));
const REGISTER = ['--import', '@vesper-gpu/register'];
const GATEWAY = ['gateway', '--listen', 'tcp:127.0.0.1:0'];

/** A guest process that stays; it sends each value through the GPU and says what came back. */
class Guest {
  readonly child;
  output = '';
  readonly ended: Promise<number | null>;

  constructor(address: string) {
    requireBuilt();
    const env = { ...process.env, VESPER_ADDRESS: address };
    this.child = spawn(process.execPath, [...REGISTER, GUEST, 'stay'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.ended = new Promise((resolve) => {
      this.child.on('close', resolve);
    });
    afterwards(() => void this.child.kill('SIGKILL'));
  }

  says(text: string): Promise<true> {
    return eventually(`"${text}"`, () => (this.output.includes(text) ? true : undefined));
  }
}

describe('vesper', () => {
  it.each([
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/, /^$/],
    [['--help'], 0, /serve[\s\S]+run[\s\S]+gateway[\s\S]+doctor[\s\S]+generate[\s\S]+check/, /^$/],
    [[], 2, /^$/, /Usage: vesper/],
    [['frobnicate'], 2, /^$/, /unknown command 'frobnicate'/],
    [['serve'], 2, /^$/, /--listen/],
    [['serve', '--listen', 'tcp:127.0.0.1:0', '--max-guests', 'many'], 2, /^$/, /whole number from 1/],
    [['run', '--driver', 'magic', '--', 'true'], 2, /^$/, /Allowed choices are auto, system, swiftshader/],
    [['check', '--frobnicate'], 2, /^$/, /--frobnicate/],
    [['gateway', '--listen', 'tcp:127.0.0.1:0'], 2, /^$/, /--to/],
    [[...GATEWAY, '--to', 'nonsense'], 1, /^$/, /"nonsense" is no address of a Vesper host/],
    [[...GATEWAY, '--to', 'unix:/x', '--allow-origin', 'null'], 1, /^$/, /"null" is no origin .* SCHEME:\/\/HOST/],
    [[...GATEWAY, '--to', 'unix:/x', '--allow-origin', 'http://a.b/'], 1, /^$/, /no origin .* give http:\/\/a\.b\n/],
    [['serve', '--listen', 'nonsense'], 1, /^$/, /"nonsense" is no address of a Vesper host/],
  ])('%j ends with %i', async (args, status, stdout, stderr) => {
    const vesper = new VesperProcess(args);
    expect(await vesper.ended).toBe(status);
    expect(vesper.stdout).toMatch(stdout);
    expect(vesper.stderr).toMatch(stderr);
  });
});

describe('vesper run', () => {
  const run = (...command: string[]) => new VesperProcess(['run', '--', ...command], { TMPDIR: temporaryFolder() });

  it('gives an unmodified program a GPU, and leaves its output alone', async () => {
    const vesper = run('node', ...REGISTER, GUEST);
    expect(await vesper.ended).toBe(0);
    expect(vesper.stdout).toBe('42\n');
    expect(vesper.stderr).toBe('');
  });

  it.each([
    ['exit 7', 7],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
  ])('ends as `%s` does', async (script, status) => {
    expect(await run('sh', '-c', script).ended).toBe(status);
  });

  it('says when there is no such command', async () => {
    const vesper = run('vesper-test-no-such-command');
    expect(await vesper.ended).toBe(127);
    expect(vesper.stderr).toBe('vesper run: cannot run "vesper-test-no-such-command": no such command\n');
  });

  it('keeps its socket in a private folder, and removes it', async () => {
    const vesper = run('sh', '-c', 'echo $VESPER_ADDRESS; stat -c %a $(dirname ${VESPER_ADDRESS#unix:}); ls $TMPDIR');
    expect(await vesper.ended).toBe(0);
    const [address = '', mode] = vesper.stdout.split('\n');
    expect(mode).toBe('700');
    expect(address).toMatch(/^unix:.+\/vesper-\w+\/gpu$/);
    expect(existsSync(join(address.slice('unix:'.length), '..'))).toBe(false);
  });

  it('passes signals on, and cleans up', async () => {
    const vesper = run(
      'sh',
      '-c',
      'trap "echo caught; exit 5" TERM; echo ready $VESPER_ADDRESS; while :; do sleep 0.05; done',
    );
    await eventually('the command', () => (vesper.stdout.includes('ready') ? true : undefined));
    vesper.child.kill('SIGTERM');
    expect(await vesper.ended).toBe(5);
    const [, path = ''] = /ready unix:(.+)\ncaught\n$/.exec(vesper.stdout) ?? [];
    expect(path).not.toBe('');
    expect(existsSync(join(path, '..'))).toBe(false);
  });

  it('has advice when there is no driver', async () => {
    const vesper = new VesperProcess(['run', '--driver', 'system', '--', 'true'], {
      VK_DRIVER_FILES: '/nonexistent.json',
    });
    expect(await vesper.ended).toBe(1);
    expect(vesper.stderr).toMatch(/No GPU driver works[\s\S]+What to do:/);
  });
});

describe('vesper serve', () => {
  it('serves guests beside each other; a crash takes one', async () => {
    const vesper = new VesperProcess(['serve', '--listen', 'tcp:127.0.0.1:0']);
    const address = String((await vesper.logged(/^listening/))['address']);
    const victim = new Guest(address);
    await victim.says('42\n');
    const { pid } = await vesper.logged(/guest 1 connected/);
    const witness = new Guest(address);
    await witness.says('42\n');

    process.kill(Number(pid), 'SIGKILL');
    await victim.says('lost: unknown\n');
    expect(await victim.ended).toBe(3);
    await vesper.logged(/guest 1 was dropped: its executor was ended by SIGKILL/);

    witness.child.stdin.write('77');
    await witness.says('77\n');
    witness.child.stdin.end();
    expect(await witness.ended).toBe(0);
    expect(await vesper.logged(/guest 2 left/)).toMatchObject({ reason: 'closed', level: 30 });
  });

  it('ends on SIGTERM with its guests, its processes and its files', async () => {
    const folder = temporaryFolder();
    const vesper = new VesperProcess(['serve', '--listen', `unix:${join(folder, 'gpu')}`, 'tcp:127.0.0.1:0']);
    await vesper.logged(/listening at tcp:/);
    const guest = new Guest(`unix:${join(folder, 'gpu')}`);
    await guest.says('42\n');
    const { pid } = await vesper.logged(/guest 1 connected/);
    vesper.child.kill('SIGTERM');
    expect(await vesper.ended).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
    expect(() => process.kill(Number(pid), 0)).toThrow(/ESRCH/);
    await guest.says('lost: unknown\n');
    expect(vesper.stdout).toBe('');
  });

  it('takes its executors along when it is killed', async () => {
    const vesper = new VesperProcess(['serve', '--listen', 'tcp:127.0.0.1:0']);
    const guest = new Guest(String((await vesper.logged(/^listening/))['address']));
    await guest.says('42\n');
    const { pid } = await vesper.logged(/guest 1 connected/);
    vesper.child.kill('SIGKILL');
    await guest.says('lost: unknown\n');
    const isGone = (): true | undefined => {
      try {
        process.kill(Number(pid), 0);
        return undefined;
      } catch {
        return true;
      }
    };
    expect(await eventually('the end of the executor', isGone)).toBe(true);
  });

  it('ends when the device that it serves cannot be opened', async () => {
    const vesper = new VesperProcess(['serve', '--listen', 'dev:/dev/vesper-absent']);
    expect(await vesper.ended).toBe(1);
    expect(await vesper.logged(/guest 1 left/)).toMatchObject({
      reason: 'fault',
      message: expect.stringContaining('there is no device dev:/dev/vesper-absent'),
    });
  });
});

describe('vesper doctor', () => {
  it('says what a host would run on, and why', async () => {
    const vesper = new VesperProcess(['doctor', '--json']);
    expect(await vesper.ended).toBe(0);
    const report = JSON.parse(vesper.stdout) as Record<string, unknown>;
    expect(report).toMatchObject({
      ok: true,
      driver: { reason: expect.arrayContaining([expect.stringMatching(/opened ".+"/)]) },
      features: expect.arrayContaining(['core-features-and-limits']),
      protocol: {
        wireVersion: 1,
        schemaRevision: PROTOCOL.schemaRevision,
        schemaHash: expect.stringMatching(/^[0-9a-f]{16}$/),
      },
    });
    const text = new VesperProcess(['doctor']);
    expect(await text.ended).toBe(0);
    expect(text.stdout).toMatch(/^adapter +\S[\s\S]+Why this driver\n {2}- [\s\S]+Features\n[\s\S]+Limits\n {2}max/);
  });

  it('has advice when there is no driver', async () => {
    const environment = { VK_DRIVER_FILES: '/nonexistent.json' };
    const vesper = new VesperProcess(['doctor', '--driver', 'system'], environment);
    expect(await vesper.ended).toBe(1);
    expect(vesper.stdout).toBe('');
    expect(vesper.stderr).toMatch(/No GPU driver works[\s\S]+What to do:/);
    const json = new VesperProcess(['doctor', '--driver', 'system', '--json'], environment);
    expect(await json.ended).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, error: expect.stringContaining('What to do:') });
  });
});
