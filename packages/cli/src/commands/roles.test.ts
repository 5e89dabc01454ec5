import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VesperProcess } from '../../test/command.ts';
import { temporaryFolder } from '../../test/test-broker.ts';
import { listenAddresses, onlyPolicy } from './roles.ts';

const EXAMPLE = fileURLToPath(new URL('../../../host/examples/policy.json', import.meta.url));
const GUEST = fileURLToPath(new URL('../../test/guest.mjs', import.meta.url));

function policyFile(roles: object): string {
  const file = join(temporaryFolder(), 'policy.json');
  writeFileSync(file, JSON.stringify({ vesperPolicy: 1, roles }));
  return file;
}

describe('addresses', () => {
  it('have the policies of the roles that they name', () => {
    const found = listenAddresses(['llm-worker=unix:/a=b', 'display=tcp:127.0.0.1:0', 'unix:/c=d'], {
      policy: EXAMPLE,
      role: 'build-step',
    });
    expect(found.map(({ address, policy }) => [address, policy?.role])).toEqual([
      ['unix:/a=b', 'llm-worker'],
      ['tcp:127.0.0.1:0', 'display'],
      ['unix:/c=d', 'build-step'],
    ]);
    expect(listenAddresses(['unix:/a=b'], {})).toEqual([{ address: 'unix:/a=b' }]);
    expect(listenAddresses(['unix:/a'], { policy: policyFile({ only: {} }) })[0]!.policy!.role).toBe('only');
    expect(onlyPolicy({})).toEqual({});
    expect(onlyPolicy({ policy: EXAMPLE, role: 'display' }).policy!.role).toBe('display');
  });

  it.each([
    [
      ['unix:/a'],
      { policy: EXAMPLE },
      /several roles, and none was named. Name one of llm-worker, display, build-step/,
    ],
    [['x=unix:/a'], { policy: EXAMPLE }, /no role "x"/],
    [['unix:/a'], { policy: EXAMPLE, role: 'y' }, /no role "y"/],
    [['x=unix:/a'], {}, /"x" was named, and no policy file\. Add --policy FILE/],
    [['unix:/a'], { role: 'x' }, /Add --policy FILE/],
    [['unix:/a'], { policy: '/nonexistent' }, /cannot be read/],
  ])('%j with %j are refused', (addresses, flags, message) => {
    expect(() => listenAddresses(addresses, flags)).toThrow(message);
  });
});

describe('vesper run --policy', () => {
  const run = (...options: string[]) =>
    new VesperProcess(['run', ...options, '--', 'node', '--import', '@vesper-gpu/register', GUEST], {
      TMPDIR: temporaryFolder(),
    });

  it('lets a guest do what its role may', async () => {
    const vesper = run('--policy', EXAMPLE, '--role', 'llm-worker');
    expect([await vesper.ended, vesper.stdout, vesper.stderr]).toEqual([0, '42\n', '']);
  });

  it('gives no adapter to a role that may nothing', async () => {
    const vesper = run('--policy', policyFile({ nothing: {} }));
    expect(await vesper.ended).not.toBe(0);
    expect(vesper.stdout).toBe('');
  });

  it('does not start with a policy that is wrong', async () => {
    const file = policyFile({ one: { alow: [] } });
    const vesper = run('--policy', file);
    expect([await vesper.ended, vesper.stdout]).toEqual([1, '']);
    expect(vesper.stderr).toBe(`vesper run: ${file}: roles.one.alow: there is no such key. Did you mean "allow"?\n`);
  });
});

describe('vesper serve --policy', () => {
  it('serves each address in its role', async () => {
    const folder = temporaryFolder();
    const addresses = ['llm-worker', 'display'].map((role) => `${role}=unix:${join(folder, role)}`);
    const vesper = new VesperProcess(['serve', '--policy', EXAMPLE, '--listen', ...addresses]);
    expect(await vesper.logged(/listening at .*llm-worker/)).toMatchObject({ role: 'llm-worker' });
    expect(await vesper.logged(/listening at .*display/)).toMatchObject({ role: 'display' });
    const env = { ...process.env, VESPER_ADDRESS: `unix:${join(folder, 'llm-worker')}` };
    const { stdout } = spawnSync('node', ['--import', '@vesper-gpu/register', GUEST], { env, encoding: 'utf8' });
    expect(stdout).toBe('42\n');
    expect(await vesper.logged(/guest 1 left/)).toMatchObject({ reason: 'closed' });
    expect(await vesper.logged(/guest 1 connected/)).toMatchObject({ role: 'llm-worker' });
  });

  it('names the roles when none was named', async () => {
    const vesper = new VesperProcess(['serve', '--policy', EXAMPLE, '--listen', 'tcp:127.0.0.1:0']);
    expect(await vesper.ended).toBe(1);
    expect(vesper.stderr).toMatch(/Name one of llm-worker, display, build-step/);
  });
});
