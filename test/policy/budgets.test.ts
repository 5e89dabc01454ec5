/// <reference types="@webgpu/types" />
import { DEFAULT_POLICY, type AuditEntry, type Budget, type Policy } from '@vesper-gpu/host';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NullGpu } from '../hostile/null-gpu.ts';
import { connected, type Connected } from '../session/pair.ts';

const UNIFORM = 64;
const TEXTURE_BINDING = 4;

/** A guest whose policy allows everything, up to a budget. */
async function spender(
  budget: Budget,
  policy: Partial<Policy> = {},
  gpu = new NullGpu(),
): Promise<Connected & { audit: AuditEntry[] }> {
  const audit: AuditEntry[] = [];
  const options = {
    policy: { ...DEFAULT_POLICY, ...policy, budget },
    audit: (entry: AuditEntry) => void audit.push(entry),
  };
  return { ...(await connected(options, gpu)), audit };
}

/** The error that `act` causes in the innermost scope of a type. */
async function caught(device: GPUDevice, filter: GPUErrorFilter, act: () => void): Promise<GPUError | null> {
  device.pushErrorScope(filter);
  act();
  return device.popErrorScope();
}

describe('GPU memory', () => {
  const MiB = 1 << 20;
  /** 4 MiB for the device, 10 for what is made of it. */
  const budget = { gpuMemory: 14 * MiB };
  const buffer = (device: GPUDevice, size: number): GPUBuffer => device.createBuffer({ size, usage: UNIFORM });

  it('that does not fit is an out-of-memory error, and makes nothing', async () => {
    const { device, backend, audit } = await spender(budget);
    expect(await caught(device, 'out-of-memory', () => buffer(device, 10 * MiB))).toBeNull();
    const error = await caught(device, 'out-of-memory', () => buffer(device, 4));
    expect(error?.message).toMatch(
      /allows 14680064 bytes of GPU memory, of which 14680064 are in use.*budget\.gpuMemory/,
    );
    expect(audit).toEqual([
      { path: 'GPUDevice.createBuffer', rule: 'budget.gpuMemory', value: '4', verdict: 'refused' },
    ]);
    const made = backend.calls.filter((name) => name === 'createBuffer').length;
    for (let i = 0; i < 100; i++) await caught(device, 'out-of-memory', () => buffer(device, 4));
    expect(backend.calls.filter((name) => name === 'createBuffer').length, 'one invalid buffer serves all').toBe(made);
  });

  it('is free again once it is destroyed, however often', async () => {
    const { device } = await spender(budget);
    for (let i = 0; i < 5; i++) {
      const one = buffer(device, 10 * MiB);
      one.destroy();
      one.destroy();
      expect(await caught(device, 'out-of-memory', () => buffer(device, 10 * MiB).destroy())).toBeNull();
    }
  });

  it('counts textures by format, levels and samples', async () => {
    const { device } = await spender(budget);
    const texture = (format: GPUTextureFormat, sampleCount = 1): GPUTexture =>
      device.createTexture({ size: [1024, 1024], format, usage: TEXTURE_BINDING, sampleCount });
    expect(await caught(device, 'out-of-memory', () => texture('rgba8unorm'))).toBeNull(); // 4 MiB
    expect(await caught(device, 'out-of-memory', () => texture('rgba32float'))).not.toBeNull(); // 16 MiB
    expect(await caught(device, 'out-of-memory', () => texture('rgba8unorm', 4))).not.toBeNull(); // 16 MiB
    expect(await caught(device, 'out-of-memory', () => texture('r8unorm'))).toBeNull(); // 1 MiB
  });

  it('of a device is free once the device is destroyed', async () => {
    const { device, connection } = await spender(budget);
    buffer(device, 10 * MiB);
    device.destroy();
    await device.lost;
    const next = await (await connection.gpu.requestAdapter())!.requestDevice();
    expect(await caught(next, 'out-of-memory', () => buffer(next, 10 * MiB))).toBeNull();
  });

  it('bounds the data that may wait for it', async () => {
    const { device, session } = await spender(budget);
    const target = device.createBuffer({ size: 4, usage: 8 });
    const error = await caught(device, 'out-of-memory', () => {
      device.queue.writeBuffer(target, 0, new Uint8Array(15 * MiB));
    });
    expect(error).not.toBeNull();
    expect(session.statistics.receivedBytes).toBeLessThan(MiB);
  });

  it('does not allow more devices than it has room for', async () => {
    const { connection } = await spender(budget);
    const adapters = await Promise.all(Array.from({ length: 4 }, () => connection.gpu.requestAdapter()));
    const results = await Promise.allSettled(adapters.map((adapter) => adapter!.requestDevice()));
    const refused = results.filter((one) => one.status === 'rejected');
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({ reason: { name: 'OperationError' } });
  });
});

describe('objects', () => {
  it('beyond their number are out-of-memory errors, and the ids go on working', async () => {
    // An adapter, a device, a queue, and two more.
    const { device } = await spender({ objects: 5 });
    const sampler = (): GPUSampler => device.createSampler();
    expect(await caught(device, 'out-of-memory', () => [sampler(), sampler()])).toBeNull();
    const error = await caught(device, 'out-of-memory', sampler);
    expect(error?.message).toMatch(/allows 5 objects at a time/);
    const pipeline = device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code: '' }) },
    });
    await expect(pipeline).rejects.toMatchObject({ name: 'GPUPipelineError', reason: 'internal' });
  });
});

describe('shaders', () => {
  const module = (device: GPUDevice, code: string) => () => device.createShaderModule({ code });

  it.each([
    ['bytes', { maxBytes: 100 }, 'x'.repeat(101), /allows 100 bytes of WGSL \(wgsl\.maxBytes\)/],
    ['functions', { maxFunctions: 1 }, 'fn a() {} fn b() {}', /allows 1 functions.*wgsl\.maxFunctions/],
    [
      'calls',
      { maxExpandedCalls: 3 },
      'fn a() {} fn b() { a(); a(); } fn c() { b(); b(); }',
      /allows 3 calls.*wgsl\.maxExpandedCalls/,
    ],
  ])('have a limit of %s', async (_, wgsl, code, message) => {
    const { device } = await spender({}, { wgsl });
    expect(await caught(device, 'internal', module(device, 'fn a() {}'))).toBeNull();
    expect((await caught(device, 'internal', module(device, code)))?.message).toMatch(message);
  });

  it('may be only those that are listed', async () => {
    const listed = { ...DEFAULT_POLICY, wgsl: { sha256: ['a'] } };
    const { device } = await connected({ policy: listed, sha256: (bytes) => String.fromCharCode(bytes[0]!) });
    expect(await caught(device, 'validation', module(device, 'a'))).toBeNull();
    expect((await caught(device, 'validation', module(device, 'b')))?.message).toMatch(/does not list.*wgsl\.sha256/);
    await expect(connected({ policy: listed })).rejects.toThrow(/no function that makes one/);
  });
});

/** Lets what is under way arrive: fake time stands still otherwise. */
async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(10);
}

describe('over time', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'setImmediate'] }));
  afterEach(() => void vi.useRealTimers());

  /** A backend of which the submits get done when it is told. */
  function slowGpu(): { gpu: NullGpu; finish: () => void; asked: () => number } {
    const gpu = new NullGpu();
    const waiting: (() => void)[] = [];
    gpu.gate = (name) => (name === 'onSubmittedWorkDone' ? new Promise((resolve) => waiting.push(resolve)) : undefined);
    return { gpu, asked: () => waiting.length, finish: () => waiting.splice(0).forEach((done) => done()) };
  }

  async function start(budget: Budget, gpu: NullGpu, policy: Partial<Policy> = {}): ReturnType<typeof spender> {
    const promise = spender(budget, policy, gpu);
    await vi.advanceTimersByTimeAsync(50);
    return promise;
  }

  it('a GPU that gets nothing done ends the session, with the reason', async () => {
    const { gpu } = slowGpu();
    const { device, session, audit } = await start({ hangMs: 2000 }, gpu);
    device.queue.submit([]);
    await settled();
    await vi.advanceTimersByTimeAsync(1900);
    expect(session.statistics.objects).toBeGreaterThan(0);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await session.ended).toMatchObject({ reason: 'limit' });
    const { reason, message } = await device.lost;
    expect(reason).toBe('unknown');
    expect(message).toMatch(/the GPU did not get any submit done within 2000 ms \(budget\.hangMs\)/);
    expect(audit).toEqual([{ path: 'VesperStream.ended', rule: 'budget.hangMs', verdict: 'ended' }]);
  });

  it('a GPU that gets something done now and then is not hung', async () => {
    const { gpu, finish } = slowGpu();
    const { device, session } = await start({ hangMs: 2000 }, gpu);
    for (let i = 0; i < 20; i++) {
      device.queue.submit([]);
      await vi.advanceTimersByTimeAsync(1500);
      finish();
      await settled();
    }
    expect(session.statistics.objects).toBeGreaterThan(0);
    device.queue.submit([]);
    await vi.advanceTimersByTimeAsync(3000);
    expect(await session.ended).toMatchObject({ reason: 'limit' });
  });

  it('a GPU that gets done one of many submits after the other is not hung', async () => {
    const gpu = new NullGpu();
    const waiting: (() => void)[] = [];
    gpu.gate = (name) => (name === 'onSubmittedWorkDone' ? new Promise((resolve) => waiting.push(resolve)) : undefined);
    const { device, session } = await start({ hangMs: 2000 }, gpu);
    for (let i = 0; i < 15; i++) {
      device.queue.submit([]);
      await vi.advanceTimersByTimeAsync(110);
    }
    // All were submitted before the first was done; each takes a second.
    expect(waiting.length).toBeGreaterThan(8);
    while (waiting.length > 0) {
      waiting.shift()!();
      await settled();
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(session.statistics.objects).toBeGreaterThan(0);
    await vi.advanceTimersByTimeAsync(5000);
    device.pushErrorScope('validation');
    await settled();
    expect(gpu.calls).toContain('pushErrorScope');
  });

  it('GPU time that is spent ends the session', async () => {
    const { gpu, finish } = slowGpu();
    const { device, session } = await start({ gpuMsTotal: 1000 }, gpu);
    for (let i = 0; i < 3; i++) {
      device.queue.submit([]);
      await vi.advanceTimersByTimeAsync(300);
      finish();
      await vi.advanceTimersByTimeAsync(5000); // not busy: not counted
    }
    device.queue.submit([]);
    await vi.advanceTimersByTimeAsync(150);
    expect(await session.ended).toMatchObject({ reason: 'limit', message: expect.stringMatching(/gpuMsTotal/) });
  });

  it('submits beyond their number wait until others are done', async () => {
    const { gpu, finish } = slowGpu();
    const { device, session } = await start({ inflightSubmits: 2 }, gpu);
    const submits = (): number => gpu.calls.filter((name) => name === 'submit').length;
    for (let i = 0; i < 5; i++) {
      device.queue.submit([]);
      await settled();
    }
    expect(submits()).toBe(2);
    for (let i = 0; i < 4; i++) {
      finish();
      await settled();
    }
    expect(submits()).toBe(5);
    expect(session.statistics.objects).toBeGreaterThan(0);
  });

  it('memory is free once the GPU has done with it, and what needs it waits until then', async () => {
    const { gpu, finish } = slowGpu();
    const { device, session } = await start({ gpuMemory: 14 * 2 ** 20 }, gpu);
    const made = (): number => gpu.calls.filter((name) => name === 'createBuffer').length;
    for (let i = 0; i < 3; i++) device.createBuffer({ size: 10 * 2 ** 20, usage: UNIFORM }).destroy();
    device.pushErrorScope('validation');
    await settled();
    expect(made()).toBe(1);
    for (let i = 0; i < 6; i++) {
      finish();
      await settled();
    }
    expect(made()).toBe(3);
    expect(gpu.calls).toContain('pushErrorScope');
    expect(session.statistics.objects).toBeGreaterThan(0);
  });

  it('GPU time beyond its share of a second makes the guest wait', async () => {
    const { gpu, finish } = slowGpu();
    const { device } = await start({ gpuMsPerSec: 500 }, gpu);
    const submits = (): number => gpu.calls.filter((name) => name === 'submit').length;
    device.queue.submit([]);
    await vi.advanceTimersByTimeAsync(1000);
    finish();
    await settled();
    device.queue.submit([]);
    await vi.advanceTimersByTimeAsync(850); // 500 ms were saved up; the other 500 take a second
    expect(submits()).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(submits()).toBe(2);
  });

  it('commands beyond their rate wait, within a frame as well', async () => {
    const gpu = new NullGpu();
    const { device, session } = await start({ commandsPerSec: 100 }, gpu);
    for (let i = 0; i < 1000; i++) device.pushErrorScope('validation');
    await settled();
    const pushed = (): number => gpu.calls.filter((name) => name === 'pushErrorScope').length;
    const first = pushed();
    expect(first).toBeLessThan(600);
    await vi.advanceTimersByTimeAsync(500);
    expect(pushed()).toBe(first);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(pushed()).toBe(1000);
    expect(session.statistics.commands).toBeGreaterThan(1000);
  });

  it('bytes beyond their rate wait', async () => {
    const gpu = new NullGpu();
    const { device } = await start({ bytesPerSec: 10_000 }, gpu);
    const buffer = device.createBuffer({ size: 65536, usage: 8 });
    const written = (): number => gpu.calls.filter((name) => name === 'writeBuffer').length;
    for (let i = 0; i < 3; i++) {
      device.queue.writeBuffer(buffer, 0, new Uint8Array(20_000));
      device.pushErrorScope('internal');
      await settled();
    }
    expect(written()).toBeLessThan(3);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(written()).toBe(3);
  });

  it('a guest that owes more than a minute is not waited for', async () => {
    const gpu = new NullGpu();
    const { device, session } = await start({ commandsPerSec: 1 }, gpu);
    for (let i = 0; i < 1000; i++) device.pushErrorScope('validation');
    await vi.advanceTimersByTimeAsync(61_000);
    expect(await session.ended).toMatchObject({ reason: 'limit' });
    expect((await device.lost).message).toMatch(/had to wait for more than a minute/);
  });

  it('a frame that takes long is executed in turns, in order', async () => {
    const gpu = new NullGpu();
    const { device, session } = await start({ wallMs: 5000 }, gpu);
    // Each takes 20 ms.
    let spentMs = 0;
    gpu.fail = (name) => void (spentMs += name === 'createBuffer' ? 20 : 0);
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + spentMs);
    for (let i = 0; i < 1000; i++) device.createBuffer({ size: 4 * i, usage: 8 });
    await vi.advanceTimersByTimeAsync(20);
    const made = gpu.calls.filter((name) => name === 'createBuffer').length;
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThan(1000);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await session.ended, 'its time is over while the frame is executed').toMatchObject({ reason: 'limit' });
    vi.restoreAllMocks();
  });

  it.each([
    ['commands', { commands: 50 }, /the 50 commands/],
    ['bytes', { bytes: 4000 }, /the 4000 bytes/],
  ])('%s that are spent end the session', async (_, budget, message) => {
    const { device, session, audit } = await start(budget, new NullGpu());
    for (let i = 0; i < 500; i++) device.pushErrorScope('validation');
    await settled();
    expect(await session.ended).toMatchObject({ reason: 'limit', message: expect.stringMatching(message) });
    expect(audit).toMatchObject([{ path: 'VesperStream.ended', verdict: 'ended' }]);
    expect((await device.lost).message).toMatch(message);
  });

  it('a session ends with its time', async () => {
    const { device, session } = await start({ wallMs: 1000 }, new NullGpu());
    await vi.advanceTimersByTimeAsync(1000);
    expect(await session.ended).toMatchObject({ reason: 'limit' });
    expect((await device.lost).message).toMatch(/the 1000 ms .* are over \(budget\.wallMs\)/);
  });

  it('a compilation that goes on beside others ends the session', async () => {
    const gpu = new NullGpu();
    gpu.gate = (name) => (name === 'createComputePipelineAsync' ? new Promise(() => {}) : undefined);
    const { device, session } = await start({}, gpu, { wgsl: { compileMs: 3000 } });
    const compute = { module: device.createShaderModule({ code: '' }) };
    const pipeline = device.createComputePipelineAsync({ layout: 'auto', compute }).catch(() => {});
    await vi.advanceTimersByTimeAsync(3100);
    expect(await session.ended).toMatchObject({
      reason: 'limit',
      message: expect.stringMatching(/3000 ms \(wgsl\.compileMs\)/),
    });
    await pipeline;
  });
});
