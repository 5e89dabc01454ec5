import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NOTHING_LEARNED, type Learned } from '@vesper-gpu/host';
import { describe, expect, it } from 'vitest';
import { VesperProcess } from '../../test/command.ts';
import { eventually, fakeDriver, guestHello, temporaryFolder, TestBroker } from '../../test/test-broker.ts';

interface Ending {
  status: number | string;
  stdout: string;
  stderr: string;
}

async function vesper(...args: string[]): Promise<Ending> {
  const child = new VesperProcess(args);
  const status = await child.ended;
  return { status, stdout: child.stdout, stderr: child.stderr };
}

const program = (file: string): string[] => ['--', process.execPath, '--import', '@vesper-gpu/register', file];

/** Learns a policy. @returns what the command printed, and the policy's only role */
async function learn(
  folder: string,
  file: string,
  ...options: string[]
): Promise<Ending & { policy: string; role: Role }> {
  const policy = join(folder, 'policy.json');
  const ending = await vesper('policy', 'learn', '--out', policy, ...options, ...program(file));
  return { ...ending, policy, role: roleIn(readFileSync(policy, 'utf8')) };
}

interface Role {
  allow: string[];
  where: Record<string, object>;
  wgsl: Record<string, unknown>;
}

function roleIn(text: string): Role {
  const { roles } = JSON.parse(text) as { roles: Record<string, Role> };
  return Object.values(roles)[0]!;
}

/** Runs a program under a policy. @returns what it printed, and the rules that refused something */
async function runUnder(folder: string, policy: string, file: string): Promise<Ending & { rules: string[] }> {
  const audit = join(folder, `${Math.random()}.jsonl`);
  const ending = await vesper('run', '--policy', policy, '--audit', audit, ...program(file));
  const lines = existsSync(audit) ? readFileSync(audit, 'utf8').split('\n').slice(0, -1) : [];
  return { ...ending, rules: lines.map((line) => (JSON.parse(line) as { rule: string }).rule) };
}

const RENDERING = fileURLToPath(new URL('../../../../test/e2e/programs/compute-and-render.mjs', import.meta.url));

/** A program that doubles a number on the GPU, and prints it; with one more line before that. */
function computing(folder: string, name: string, { code = 'data *= 2;', more = '' } = {}): string {
  const file = join(folder, name);
  writeFileSync(
    file,
    `
const device = await (await navigator.gpu.requestAdapter()).requestDevice();
device.addEventListener('uncapturederror', ({ error }) => console.error(error.message));
const code = '@group(0) @binding(0) var<storage, read_write> data: u32; @compute @workgroup_size(1) fn main() { ${code} }';
const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }) } });
const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
device.queue.writeBuffer(buffer, 0, Uint32Array.of(21));
const encoder = device.createCommandEncoder();
const pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
const entries = [{ binding: 0, resource: { buffer } }];
pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
pass.dispatchWorkgroups(1);
pass.end();
const result = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
encoder.copyBufferToBuffer(buffer, 0, result, 0, 4);
device.queue.submit([encoder.finish()]);
await result.mapAsync(GPUMapMode.READ);
${more}
console.log(new Uint32Array(result.getMappedRange())[0]);
`,
  );
  return file;
}

describe('vesper policy learn', () => {
  it('writes a policy under which a program computes what it did, and others do not', async () => {
    const folder = temporaryFolder();
    const file = computing(folder, 'double.mjs');
    const { status, stdout, stderr, policy, role } = await learn(folder, file);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '42\n', stderr: '' });
    expect(role.where).toMatchObject({ 'GPUComputePassEncoder.dispatchWorkgroups': { productMax: 1 } });
    expect(role.wgsl['sha256']).toHaveLength(1);

    expect(await runUnder(folder, policy, file)).toEqual({ status: 0, stdout: '42\n', stderr: '', rules: [] });

    const other = await runUnder(folder, policy, computing(folder, 'triple.mjs', { code: 'data *= 3;' }));
    expect(other.rules).toContain('wgsl.sha256');
    expect(other.stdout).not.toContain('63');
    const larger = await runUnder(folder, policy, computing(folder, 'larger.mjs', { more: 'device.createSampler();' }));
    expect(larger.rules).toEqual(['allow']);
  });

  it('writes a policy for a program that renders, of which nothing can be left out', async () => {
    const folder = temporaryFolder();
    const { status, stdout, stderr, policy, role } = await learn(
      folder,
      RENDERING,
      '--shaders',
      'limits',
      '--role',
      'r',
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(role.wgsl).toEqual({ maxBytes: 512, maxFunctions: 4, maxExpandedCalls: 0 });
    expect(await runUnder(folder, policy, RENDERING)).toEqual({ status: 0, stdout, stderr: '', rules: [] });
    const check = await vesper('policy', 'check', policy);
    expect({ ...check, stdout: '' }).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(check.stdout).toMatch(/1 role, written for schema revision 3\n\nr\n/);

    const entry = role.allow.find((one) => one.endsWith('.draw'))!;
    const text = readFileSync(policy, 'utf8').replace(`"${entry}",`, '');
    const less = join(folder, 'less.json');
    writeFileSync(less, text);
    const { rules, stderr: said } = await runUnder(folder, less, RENDERING);
    expect(rules).toEqual(['allow']);
    expect(said).toMatch(/GPURenderCommandsMixin.draw.*does not allow/);
  });

  it('writes to stdout, where nothing else goes', async () => {
    const file = computing(temporaryFolder(), 'double.mjs');
    const { status, stdout, stderr } = await vesper('policy', 'learn', ...program(file));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '42\n' });
    expect(roleIn(stdout).allow).toContain('GPUQueue.submit');
  });

  it.each([
    ['is killed', "process.kill(process.pid, 'SIGKILL');", 137],
    ['fails', "throw new Error('a defect');", 1],
  ])('says what was seen of a program that %s', async (_, more, expected) => {
    const folder = temporaryFolder();
    const { status, stderr, role } = await learn(folder, computing(folder, 'broken.mjs', { more }));
    expect(status).toBe(expected);
    expect(stderr).toContain(`vesper policy learn: the command ended with status ${expected}: the policy is of what`);
    expect(role.allow).toContain('GPUBuffer.mapAsync');
  });

  it('says what a guest that breaks the protocol had used', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'rude.mjs');
    writeFileSync(
      file,
      `
import { connect } from 'node:net';
await (await navigator.gpu.requestAdapter()).requestDevice();
const socket = connect(process.env.VESPER_ADDRESS.slice('unix:'.length));
socket.write(Buffer.from('${Buffer.from(guestHello()).toString('base64')}', 'base64'));
socket.write(Buffer.from([8, 0, 0, 0, 255, 255, 255, 255]));
socket.resume();
await new Promise((resolve) => socket.once('close', resolve));
process.exit(0);
`,
    );
    const { status, stderr, role } = await learn(folder, file);
    expect(status).toBe(0);
    expect(stderr).toMatch(/vesper policy learn: guest 2 broke off, so not all is known of it: /);
    expect(role.allow).toEqual(['GPU.requestAdapter']);
  });

  it('writes nothing where nothing was used', async () => {
    const out = join(temporaryFolder(), 'policy.json');
    const idle = await vesper('policy', 'learn', '--out', out, '--', 'true');
    expect([idle.status, idle.stderr]).toEqual([
      1,
      'vesper policy learn: the command did not use the GPU, so there is no policy to write\n',
    ]);
    expect((await vesper('policy', 'learn', '--out', out, '--', 'sh', '-c', 'exit 5')).status).toBe(5);
    const missing = await vesper('policy', 'learn', '--out', out, '--', 'no-such-command');
    expect(missing.status).toBe(127);
    expect(missing.stderr).toMatch(/^vesper policy learn: cannot run "no-such-command": no such command\n/);
    expect(existsSync(out)).toBe(false);
  });

  it.each([
    [['--role', 'no name'], 1, /roles.*: this is no name for a role/],
    [['--out', '/nonexistent/policy.json'], 1, /^vesper policy learn: cannot write the policy: ENOENT.*\/nonexistent/],
    [['--shaders', 'all'], 2, /Allowed choices are hashes, limits/],
  ])('of %j says what is wrong before it runs anything', async (options, expected, message) => {
    const { status, stdout, stderr } = await vesper('policy', 'learn', ...options, '--', 'echo', 'it ran');
    expect(status).toBe(expected);
    expect(stderr).toMatch(message);
    expect(stdout + stderr).not.toContain('it ran');
  });
});

describe('a broker', () => {
  const executorFile = fileURLToPath(new URL('../../test/dying-executor.mjs', import.meta.url));

  it('hears what a guest used whose executor crashed', async () => {
    const all: Learned[] = [];
    const test = await TestBroker.startReal('unix', {
      executorFile,
      chosenDriver: fakeDriver(),
      learned: (learned) => void all.push(learned),
    });
    const client = await test.connect();
    client.socket.write(guestHello());
    const report = await eventually('the end of the session', () => test.reports[0]);
    expect(report.reason).toBe('crash');
    const shaders = { modules: 0, maxBytes: 0, maxFunctions: 0, maxExpandedCalls: 0 };
    expect(all).toEqual([{ ...NOTHING_LEARNED, commands: ['GPUQueue.submit'], peakObjects: 3, shaders }]);
  });

  it('does not have executors learn what nobody wants to hear', async () => {
    const test = await TestBroker.startReal('unix', { executorFile, chosenDriver: fakeDriver() });
    const client = await test.connect();
    client.socket.write(guestHello());
    expect((await eventually('the end of the session', () => test.reports[0])).reason).toBe('crash');
  });
});
