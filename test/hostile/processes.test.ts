/// <reference types="@webgpu/types" />
import { readFileSync } from 'node:fs';
import { connect, type GuestConnection } from '@vesper-gpu/guest';
import { DEFAULT_POLICY, type Policy } from '@vesper-gpu/host';
import { openTransport } from '@vesper-gpu/transport';
import { describe, expect, it } from 'vitest';
import { requireBuilt } from '../../packages/cli/test/command.ts';
import { afterwards, TestBroker } from '../../packages/cli/test/test-broker.ts';

/** Rows of the table of hostile inputs that take a real GPU and a process of their own to show. */

requireBuilt();

/**
 * What may come on top of a limit, in milliseconds: the second that is promised, and two more, as tests run on machines
 * that do other things as well.
 */
const SLACK_MS = 3000;
const MiB = 1 << 20;
const [UNIFORM, COPY_DST, STORAGE] = [64, 8, 128];

interface Guest {
  connection: GuestConnection;
  device: GPUDevice;
  pid: number;
}

async function guestOf(test: TestBroker): Promise<Guest> {
  const number = test.log.filter(({ msg }) => /^guest \d+ connected/.test(msg)).length + 1;
  const connection = await connect(await openTransport(test.broker.addresses[0]!));
  afterwards(() => connection.close());
  const device = await (await connection.gpu.requestAdapter())!.requestDevice();
  const { pid } = await test.logged(new RegExp(`^guest ${number} connected`));
  return { connection, device, pid: Number(pid) };
}

async function started(policy: Partial<Policy> = {}): Promise<TestBroker> {
  return TestBroker.startReal('unix', { policy: { ...DEFAULT_POLICY, ...policy } });
}

async function caught(device: GPUDevice, filter: GPUErrorFilter, act: () => void): Promise<string | undefined> {
  device.pushErrorScope(filter);
  act();
  return (await device.popErrorScope())?.message;
}

/** Whether a guest can still do something with its GPU. */
async function works({ device }: Guest): Promise<boolean> {
  const buffer = device.createBuffer({ size: 256, usage: UNIFORM | COPY_DST });
  device.queue.writeBuffer(buffer, 0, new Uint8Array(256));
  await device.queue.onSubmittedWorkDone();
  buffer.destroy();
  return true;
}

/** Memory that a process occupies, in bytes. */
function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match![1]) * 1024;
}

/** Functions of which each calls the one before twice. */
function doubling(levels: number): string {
  const functions = Array.from({ length: levels }, (_, i) => `fn f${i + 1}() -> u32 { return f${i}() + f${i}(); }`);
  return `fn f0() -> u32 { return 1; } ${functions.join(' ')} @compute @workgroup_size(1) fn main() { _ = f${levels}(); }`;
}

function chain(length: number): string {
  const functions = Array.from({ length }, (_, i) => `fn f${i + 1}() -> u32 { return f${i}(); }`);
  return `fn f0() -> u32 { return 1; } ${functions.join('\n')}`;
}

describe('without a policy file', () => {
  it.each([
    ['functions that call each other twice', doubling(16), /16384 calls in a shader module/],
    ['a chain of 20,000 functions', chain(20_000), /4096 functions in a shader module/],
    ['a comment of 8 MiB', `/*${'x'.repeat(8 * MiB)}*/`, /./],
    ['a comment that no frame holds', `/*${'x'.repeat(20 * MiB)}*/`, /./],
  ])('%s reach no compiler', async (_, code, message) => {
    const test = await started();
    const [hostile, healthy] = [await guestOf(test), await guestOf(test)];
    const startedMs = performance.now();
    const { device } = hostile;
    device.pushErrorScope('validation');
    const error = await caught(device, 'internal', () => device.createShaderModule({ code }));
    const other = (await device.popErrorScope())?.message;
    expect(error ?? other).toMatch(message);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect(await works(hostile)).toBe(true);
    expect(await works(healthy)).toBe(true);
  });
});

describe('a shader that never ends', () => {
  const code = `@group(0) @binding(0) var<storage, read_write> data: array<u32>;
    @compute @workgroup_size(1) fn main() { loop { data[0] += 1u; if (data[1] == 7u) { break; } } }`;

  it('costs its guest the device, within the limit, and no other guest anything', async () => {
    const hangMs = 1500;
    const test = await started({ budget: { hangMs } });
    const [{ device }, healthy] = [await guestOf(test), await guestOf(test)];
    const module = device.createShaderModule({ code });
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
    const buffer = device.createBuffer({ size: 16, usage: STORAGE });
    const layout = pipeline.getBindGroupLayout(0);
    const bindGroup = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(1);
    pass.end();
    await device.queue.onSubmittedWorkDone();
    const startedMs = performance.now();
    device.queue.submit([encoder.finish()]);
    const { reason, message } = await device.lost;
    const lostMs = performance.now() - startedMs;
    expect(reason).toBe('unknown');
    expect(message).toMatch(/the GPU did not get any submit done within 1500 ms \(budget\.hangMs\)/);
    expect(lostMs).toBeLessThan(hangMs + SLACK_MS);
    await test.logged(/^guest 1 left/);
    expect(test.reports).toMatchObject([{ guest: 1, reason: 'limit' }]);
    expect(await works(healthy)).toBe(true);
    expect(await works(await guestOf(test))).toBe(true);
  });
});

describe('memory', () => {
  const budget = { gpuMemory: 300 * MiB };

  it('of 16 buffers of 256 MiB, mapped at creation, is not taken', async () => {
    const test = await started({ budget });
    const guest = await guestOf(test);
    const before = residentBytes(guest.pid);
    const messages = [];
    // Held, or they would be collected, and make room.
    const buffers: GPUBuffer[] = [];
    for (let i = 0; i < 16; i++) {
      const create = (): void => {
        const buffer = guest.device.createBuffer({ size: 256 * MiB, usage: COPY_DST, mappedAtCreation: true });
        buffer.unmap();
        buffers.push(buffer);
      };
      messages.push(await caught(guest.device, 'out-of-memory', create));
    }
    expect(messages.filter((message) => message === undefined)).toHaveLength(1);
    expect(buffers).toHaveLength(16);
    expect(messages[15]).toMatch(/budget\.gpuMemory/);
    expect(residentBytes(guest.pid) - before).toBeLessThan(600 * MiB);
    expect(await works(guest)).toBe(true);
  });

  it('of 64 buffers of 256 MiB, each written to, is not taken', async () => {
    const test = await started({ budget });
    const guest = await guestOf(test);
    const before = residentBytes(guest.pid);
    let refused = 0;
    const buffers: GPUBuffer[] = [];
    for (let i = 0; i < 64; i++) {
      guest.device.pushErrorScope('validation');
      const message = await caught(guest.device, 'out-of-memory', () => {
        const buffer = guest.device.createBuffer({ size: 256 * MiB, usage: COPY_DST });
        guest.device.queue.writeBuffer(buffer, 0, new Uint32Array(1));
        buffers.push(buffer);
      });
      await guest.device.popErrorScope();
      if (message !== undefined) refused++;
    }
    expect([refused, buffers.length]).toEqual([63, 64]);
    expect(residentBytes(guest.pid) - before).toBeLessThan(600 * MiB);
    expect(await works(guest)).toBe(true);
  });

  it('beyond what its process may have ends the session', async () => {
    const processMemory = 900 * MiB;
    const test = await started({ budget: { processMemory } });
    const [guest, healthy] = [await guestOf(test), await guestOf(test)];
    const startedMs = performance.now();
    for (let i = 0; i < 16; i++)
      guest.device.createBuffer({ size: 128 * MiB, usage: COPY_DST, mappedAtCreation: true }).unmap();
    expect((await guest.device.lost).message).toMatch(/memory/);
    expect(performance.now() - startedMs).toBeLessThan(30_000);
    expect(await works(healthy)).toBe(true);
  });
});
