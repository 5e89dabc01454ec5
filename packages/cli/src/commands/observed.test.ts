import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VesperProcess } from '../../test/command.ts';
import { afterwards, eventually, temporaryFolder } from '../../test/test-broker.ts';

const POLICY = {
  vesperPolicy: 1,
  roles: { small: { allow: ['@transfer'], where: { 'GPUBufferDescriptor.size': { max: '1KiB' } } } },
};
/** A guest that makes a small buffer, asks for one that is too large, and stays. */
const GUEST = `
const device = await (await navigator.gpu.requestAdapter()).requestDevice();
globalThis.kept = device.createBuffer({ size: 512, usage: 8 });
device.pushErrorScope('validation');
device.createBuffer({ size: 4096, usage: 8, label: 'a secret' });
console.log((await device.popErrorScope())?.message);
process.stdin.resume().on('end', () => process.exit(0));
`;

describe('vesper serve --audit --metrics', () => {
  it('says what a policy refused, and what was used', async () => {
    const folder = temporaryFolder();
    const file = (name: string, text?: string): string => {
      const path = join(folder, name);
      if (text !== undefined) writeFileSync(path, text);
      return path;
    };
    const policy = file('policy.json', JSON.stringify(POLICY));
    const options = ['--policy', policy, '--audit', file('audit.jsonl'), '--metrics', 'tcp:127.0.0.1:0'];
    const host = new VesperProcess(['serve', ...options, '--listen', 'tcp:127.0.0.1:0']);
    const { address } = await host.logged(/^listening/);
    const { address: metrics } = await host.logged(/^metrics at/);
    const text = async (): Promise<string> => {
      const response = await fetch(`http://${String(metrics).slice('tcp:'.length)}/metrics`);
      return response.text();
    };
    const guest = spawn('node', ['--import', '@vesper-gpu/register', file('guest.mjs', GUEST)], {
      cwd: import.meta.dirname,
      env: { ...process.env, VESPER_ADDRESS: String(address) },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    afterwards(() => void guest.kill('SIGKILL'));
    let said = '';
    guest.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    await eventually('what the guest sees', () => (said.includes('\n') ? true : undefined));
    expect(said).toMatch(/GPUBufferDescriptor.size: .*1024/);

    const written = (): string => readFileSync(file('audit.jsonl'), 'utf8');
    await eventually('the audit log', () => (written().endsWith('\n') ? true : undefined));
    expect(JSON.parse(written())).toMatchObject({
      session: 1,
      role: 'small',
      path: 'GPUBufferDescriptor.size',
      rule: 'where.max',
      value: '4096',
      verdict: 'refused',
    });
    expect(written()).not.toContain('secret');

    let shown = '';
    for (let i = 0; i < 100 && !/vesper_gpu_memory_bytes\{role="small"\} [1-9]/.test(shown); i++) {
      shown = await text();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(shown).toMatch(/^vesper_gpu_memory_bytes\{role="small"\} [1-9]/m);
    expect(shown).toMatch(/^vesper_refusals_total\{role="small"\} 1$/m);
    expect(shown).toMatch(/^vesper_sessions\{role="small"\} 1$/m);
    guest.stdin.end();
    await host.logged(/guest 1 left/);
    shown = await text();
    expect(shown).toMatch(/^vesper_sessions_ended_total\{role="small",reason="closed"\} 1$/m);
    expect(shown).toMatch(/^vesper_objects\{role="small"\} 0$/m);
    host.child.kill('SIGTERM');
    expect(await host.ended).toBe(0);
  });

  it('does not start where the audit log or metrics have no place', async () => {
    const log = new VesperProcess(['serve', '--listen', 'tcp:127.0.0.1:0', '--audit', '/nonexistent/audit']);
    expect(await log.ended).toBe(1);
    expect(log.stderr).toMatch(/vesper serve: cannot write the audit log \/nonexistent\/audit/);
    const metrics = new VesperProcess(['serve', '--listen', 'tcp:127.0.0.1:0', '--metrics', 'nonsense']);
    expect(await metrics.ended).toBe(1);
    expect(metrics.stderr).toMatch(/"nonsense" is no address/);
  });
});
