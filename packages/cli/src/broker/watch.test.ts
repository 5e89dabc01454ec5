import { readFileSync } from 'node:fs';
import { connect, type GuestConnection } from '@vesper-gpu/guest';
import { DEFAULT_POLICY } from '@vesper-gpu/host';
import { openTransport } from '@vesper-gpu/transport';
import { describe, expect, it } from 'vitest';
import { requireBuilt } from '../../test/command.ts';
import { afterwards, eventually, innermostProcess, TestBroker } from '../../test/test-broker.ts';
import { WatchReader, watchLine, type WatchLine } from './watch.ts';

requireBuilt();

/**
 * What may come on top of a limit, in milliseconds: the second that is promised, and two more, as tests run on machines
 * that do other things as well.
 */
const SLACK_MS = 3000;

interface Guest {
  readonly connection: GuestConnection;
  readonly device: GPUDevice;
  /** Process of its executor. */
  readonly pid: number;
}

async function guestOf(test: TestBroker): Promise<Guest> {
  const number = test.log.filter(({ msg }) => /^guest \d+ connected/.test(msg)).length + 1;
  const connection = await connect(await openTransport(test.broker.addresses[0]!));
  afterwards(() => connection.close());
  const adapter = await connection.gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  const { pid } = await test.logged(new RegExp(`^guest ${number} connected`));
  return { connection, device, pid: innermostProcess(Number(pid)) };
}

/** Resolves to whether the device still computes: 1000 squares, added up. */
async function works({ device, connection }: Guest): Promise<boolean> {
  const { GPUBufferUsage, GPUMapMode } = connection.globals as unknown as typeof globalThis;
  const code = `@group(0) @binding(0) var<storage, read_write> sum: atomic<u32>;
    @compute @workgroup_size(100) fn main(@builtin(global_invocation_id) id: vec3u) { atomicAdd(&sum, id.x * id.x); }`;
  const compute = { module: device.createShaderModule({ code }) };
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute });
  const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const read = device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const encoder = device.createCommandEncoder();
  dispatch(device, encoder, pipeline, buffer, 10);
  encoder.copyBufferToBuffer(buffer, 0, read, 0, 4);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  return new Uint32Array(read.getMappedRange())[0] === 332_833_500;
}

function dispatch(
  device: GPUDevice,
  encoder: GPUCommandEncoder,
  pipeline: GPUComputePipeline,
  buffer: GPUBuffer,
  workgroups: number,
): void {
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer } }] }),
  );
  pass.dispatchWorkgroups(workgroups);
  pass.end();
}

/** 820 bytes that take the better part of a minute: each function calls the one before it twice. */
function compileBomb(functions: number): string {
  const calls = Array.from(
    { length: functions },
    (_, i) => `fn f${i + 1}(x: f32) -> f32 { return f${i}(x) + f${i}(x * 1.01); }`,
  );
  return `fn f0(x: f32) -> f32 { return sin(x); }
    ${calls.join('\n')}
    @group(0) @binding(0) var<storage, read_write> out: array<f32>;
    @compute @workgroup_size(1) fn main() { out[0] = f${functions}(out[0]); }`;
}

/** Milliseconds until the device is lost, and why it was. */
async function loss(device: GPUDevice, startedMs: number): Promise<{ milliseconds: number; message: string }> {
  const { message } = await device.lost;
  return { milliseconds: performance.now() - startedMs, message };
}

/** Processor time of a process, in milliseconds. */
function cpuMs(pid: number): number {
  // Behind the name, which may contain anything: utime and stime are fields 14 and 15, in hundredths of a second.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function isAlive(pid: number): boolean {
  try {
    // A process that nobody has waited for yet does nothing any more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe.each(['unix', 'tcp'] as const)('over %s, a guest whose executor is ended', (kind) => {
  it('because a shader does not compile in time learns it, and another guest goes on', async () => {
    const compileMs = 700;
    // Without the look at the text that stops it before the compiler sees it.
    const policy = { ...DEFAULT_POLICY, wgsl: { compileMs } };
    const test = await TestBroker.startReal(kind, { policy });
    const [hostile, healthy] = [await guestOf(test), await guestOf(test)];
    const { device } = hostile;
    const startedMs = performance.now();
    device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code: compileBomb(16) }) },
    });
    const lost = loss(device, startedMs);
    expect(await works(healthy)).toBe(true);
    const { milliseconds, message } = await lost;
    expect(message).toMatch(/the host ended this session: GPUDevice\.\w+ did not return within 0\.7 s$/);
    expect(milliseconds).toBeLessThan(compileMs + SLACK_MS);
    await test.logged(/^guest 1 was dropped: GPUDevice\.\w+ did not return within 0\.7 s/);
    expect(test.reports).toMatchObject([{ guest: 1, reason: 'watchdog' }]);
    expect(await works(healthy)).toBe(true);
    expect(await works(await guestOf(test))).toBe(true);
  });

  it('because its process stands still learns it', async () => {
    const hangMs = 2000;
    const test = await TestBroker.startReal(kind, { watch: { hangMs } });
    const guest = await guestOf(test);
    const startedMs = performance.now();
    process.kill(guest.pid, 'SIGSTOP');
    const { milliseconds, message } = await loss(guest.device, startedMs);
    expect(message).toMatch(/the host ended this session: its process did not answer for 2 s$/);
    // The broker waits a second longer, lest it was the one that stood still.
    expect(milliseconds).toBeLessThan(hangMs + 1000 + SLACK_MS);
    await eventually('the end of the process', () => (isAlive(guest.pid) ? undefined : true));
  });

  it('because it takes too much memory learns it', async () => {
    const test = await TestBroker.startReal(kind, { watch: { processMemory: 500 * 2 ** 20 } });
    const { device, connection, pid } = await guestOf(test);
    const { GPUBufferUsage } = connection.globals as unknown as typeof globalThis;
    const startedMs = performance.now();
    for (let i = 0; i < 8; i++) {
      const usage = GPUBufferUsage.COPY_DST;
      device.createBuffer({ size: 128 * 2 ** 20, usage, mappedAtCreation: true }).unmap();
    }
    const { message } = await loss(device, startedMs);
    expect(message).toMatch(/the host ended this session: its process took more than 500 MiB of memory$/);
    await eventually('the end of the process', () => (isAlive(pid) ? undefined : true));
  });

  it('by somebody else learns it within half a second', async () => {
    const test = await TestBroker.startReal(kind, {});
    const [victim, witness] = [await guestOf(test), await guestOf(test)];
    const startedMs = performance.now();
    process.kill(victim.pid, 'SIGKILL');
    const { milliseconds, message } = await loss(victim.device, startedMs);
    expect(message).toMatch(/the host's process for this session was ended by SIGKILL$/);
    expect(milliseconds).toBeLessThan(500);
    expect(await works(witness)).toBe(true);
  });
});

describe('a guest that goes away', () => {
  it('leaves no work on the GPU', async () => {
    const test = await TestBroker.startReal('unix', {});
    const { device, connection, pid } = await guestOf(test);
    const { GPUBufferUsage } = connection.globals as unknown as typeof globalThis;
    const code = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
      @compute @workgroup_size(1) fn main() { while (out[0] == 0u) { out[1] = out[1] + 1u; } }`;
    const pipeline = await device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }) },
    });
    const encoder = device.createCommandEncoder();
    dispatch(device, encoder, pipeline, device.createBuffer({ size: 8, usage: GPUBufferUsage.STORAGE }), 1);
    device.queue.submit([encoder.finish()]);
    const busyFromMs = cpuMs(pid);
    await eventually('work on the GPU, which is a software one', () =>
      cpuMs(pid) > busyFromMs + 500 ? true : undefined,
    );
    const startedMs = performance.now();
    await connection.close();
    await eventually('the end of its process', () => (isAlive(pid) ? undefined : true));
    expect(performance.now() - startedMs).toBeLessThan(2000);
    await test.logged(/^guest 1 left/);
    expect(test.reports).toMatchObject([{ reason: 'closed' }]);
  });
});

describe('what an executor says to its broker', () => {
  const lines: WatchLine[] = [
    { type: 'beat' },
    { type: 'behind', isBehind: true },
    { type: 'greeted' },
    { type: 'violation', violation: { kind: 'stuck', command: 'GPUQueue.submit', limitMs: 5000 } },
    { type: 'violation', violation: { kind: 'memory', limitBytes: 2 ** 30 } },
    { type: 'violation', violation: { kind: 'frozen', limitMs: 1 } },
  ];
  it('is understood however it is cut', () => {
    const text = lines.map((line) => watchLine(line)).join('');
    for (let size = 1; size < 50; size++) {
      const read: WatchLine[] = [];
      const reader = new WatchReader(
        (line) => void read.push(line),
        () => {},
      );
      for (let i = 0; i < text.length; i += size) reader.push(text.slice(i, i + size));
      expect(read).toEqual(lines);
    }
  });

  it('is dropped where it makes no sense', () => {
    const read: WatchLine[] = [];
    const reader = new WatchReader(
      (line) => void read.push(line),
      () => {},
    );
    for (const text of [
      'null',
      '7',
      '[]',
      '{',
      '"beat"',
      '{"type":"violation"}',
      '{"type":"violation","violation":{"kind":1}}',
    ])
      reader.push(`${text}\n`);
    reader.push('x'.repeat(100_000));
    reader.push('\n{"type":"violation","violation":{"kind":"stuck","command":"a\\u001b\\n"}}\n');
    expect(read).toEqual([{ type: 'violation', violation: { kind: 'stuck', command: 'a  ', limitMs: 0 } }]);
  });
});
