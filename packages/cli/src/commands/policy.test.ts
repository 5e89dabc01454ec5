import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VesperProcess } from '../../test/command.ts';
import { temporaryFolder } from '../../test/test-broker.ts';

const EXAMPLE = fileURLToPath(new URL('../../../host/examples/policy.json', import.meta.url));

async function vesper(...args: string[]): Promise<{ status: number | string; stdout: string; stderr: string }> {
  const child = new VesperProcess(['policy', ...args]);
  const status = await child.ended;
  return { status, stdout: child.stdout, stderr: child.stderr };
}

function wrong(): string {
  const file = join(temporaryFolder(), 'wrong.json');
  writeFileSync(file, '{ "vesperPolicy": 1, "roles": { "a": { "allow": ["@compote"], "budgets": {} } } }');
  return file;
}

describe('vesper policy check', () => {
  it('sums up what roles may do', async () => {
    const { status, stdout, stderr } = await vesper('check', EXAMPLE);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/3 roles, written for schema revision 2\n\nllm-worker\n/);
    expect(stdout).toMatch(/may {9}@adapter @transfer @compute\n/);
    expect(stdout).toMatch(/where {7}GPUBufferDescriptor.usage: none of VERTEX, INDEX, INDIRECT\n/);
    expect(stdout).toMatch(/budget {6}6 GiB of GPU memory, 50000 objects/);
    const json = await vesper('check', EXAMPLE, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, roles: [{ role: 'llm-worker' }, {}, {}] });
  });

  it('names all that is wrong', async () => {
    const file = wrong();
    const { status, stdout, stderr } = await vesper('check', file);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`${file}: roles.a.allow[0]: "@compote" is nothing`);
    expect(stderr).toContain('Did you mean "@compute"?');
    expect(stderr).toContain('roles.a.budgets: there is no such key. Did you mean "budget"?');
    const json = await vesper('check', file, '--json');
    expect(json.status).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems: [{ path: 'roles.a.allow[0]' }, {}] });
  });

  it('says when there is no such file', async () => {
    const { status, stderr } = await vesper('check', '/nonexistent/policy.json');
    expect(status).toBe(1);
    expect(stderr).toMatch(/cannot be read: ENOENT/);
  });
});

describe('vesper policy explain', () => {
  it('says who may do what, and why', async () => {
    const { status, stdout } = await vesper('explain', EXAMPLE, 'GPUDevice.createBuffer');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^GPUDevice.createBuffer: a command of @transfer\n {2}llm-worker {2}allowed: "@transfer" in allow, line 5\n/,
    );
    expect(stdout).toMatch(/build-step {2}allowed: "@transfer" in allow of llm-worker, line 5/);
    const json = await vesper('explain', EXAMPLE, 'GPURenderCommandsMixin.draw', '--role', 'display', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, roles: [{ role: 'display', verdict: 'allowed' }] });
  });

  it.each([
    [['GPUDevice.createBufer'], /Did you mean "GPUDevice.createBuffer"/],
    [['@core', '--role', 'nobody'], /has no role "nobody". Name one of llm-worker, display, build-step/],
  ])('of %j says what is wrong', async (args, message) => {
    const { status, stderr } = await vesper('explain', EXAMPLE, ...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });
});
