import { globals } from '@vesper-gpu/guest';
import { beforeAll, describe, expect, it } from 'vitest';
import { NullGpu } from '../hostile/null-gpu.ts';
import { connected, type Connected } from './pair.ts';

// What a host with low limits refuses is an error of WebGPU. test/semantics/too-large.test.ts has a real backend.

const limits = { maxFrameBytes: 2 << 20, maxStringBytes: 4 << 20, maxBulkBytes: 4 << 20 };

beforeAll(() => void Object.assign(globalThis, globals));

/** Keeps what the backend is called with. */
async function recorded(): Promise<Connected & { argsOf(name: string): unknown[] }> {
  const backend = new NullGpu();
  const calls: [string, unknown[]][] = [];
  backend.fail = (name, args) => {
    calls.push([name, [...args]]);
  };
  const session = await connected({ limits }, backend);
  return { ...session, argsOf: (called) => calls.filter(([name]) => name === called).map(([, args]) => args) };
}

async function errorOf(device: GPUDevice, filter: GPUErrorFilter, act: () => void): Promise<string | undefined> {
  device.pushErrorScope(filter);
  act();
  return (await device.popErrorScope())?.message;
}

describe('data that a host does not take', () => {
  it('runs out of memory in writeBuffer and writeTexture, and the next write arrives', async () => {
    const { device, argsOf } = await recorded();
    const buffer = device.createBuffer({ size: 8 << 20, usage: GPUBufferUsage.COPY_DST });
    const texture = device.createTexture({ size: [2048, 1024], format: 'rgba8unorm', usage: GPUTextureUsage.COPY_DST });
    const data = new Uint8Array((4 << 20) + 4);
    expect(await errorOf(device, 'out-of-memory', () => device.queue.writeBuffer(buffer, 0, data))).toMatch(
      /writeBuffer.*4194308 bytes.*4194304/,
    );
    const write = (): void => device.queue.writeTexture({ texture }, data, {}, [2048, 1024]);
    expect(await errorOf(device, 'out-of-memory', write)).toMatch(/writeTexture.*4194308 bytes/);
    expect(argsOf('writeBuffer')).toHaveLength(0);
    expect(await errorOf(device, 'out-of-memory', () => device.queue.writeBuffer(buffer, 0, data, 4))).toBeUndefined();
    expect(argsOf('writeBuffer')).toHaveLength(1);
  });

  it('runs out of memory in unmap, which unmaps all the same', async () => {
    const { device, argsOf } = await recorded();
    const size = (4 << 20) + 4;
    const buffer = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST, mappedAtCreation: true });
    buffer.getMappedRange();
    expect(await errorOf(device, 'out-of-memory', () => buffer.unmap())).toMatch(/unmap.*4194308 bytes/);
    expect(buffer.mapState).toBe('unmapped');
    expect(argsOf('unmap')).toHaveLength(1);
  });

  it('is joined where ranges together take more than a frame', async () => {
    const { device, argsOf } = await recorded();
    const size = 4 << 20;
    const buffer = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST, mappedAtCreation: true });
    for (let offset = 0; offset < size; offset += 1 << 20) buffer.getMappedRange(offset, 1 << 20);
    // The null backend maps no more than 64 KiB of a buffer.
    expect(await errorOf(device, 'validation', () => buffer.unmap())).toMatch('no such range is mapped');
    expect(argsOf('getMappedRange')).toEqual([[0, size]]);
  });
});

describe('code that a host does not take', () => {
  it.each([
    ['in a string', 'x'.repeat(5 << 20)],
    ['in a frame', 'x'.repeat(3 << 20)],
  ])('is replaced when it is too long for the host %s', async (_, code) => {
    const { device, argsOf } = await recorded();
    device.createShaderModule({ code });
    expect(await errorOf(device, 'validation', () => {})).toBeUndefined();
    expect(argsOf('createShaderModule')).toMatchObject([
      [{ code: expect.stringMatching(/^the_code_is_longer/) as string }],
    ]);
  });
});

describe('a record that fits by itself', () => {
  it('is not joined to what stands before it when both are more than a frame', async () => {
    const { device, session, argsOf } = await recorded();
    for (let i = 0; i < 500; i++) device.createSampler({ label: String(i) });
    const layout = device.createBindGroupLayout({ entries: [] });
    const resource = device.createSampler();
    // Six words each: just below the limit.
    const entries = Array.from({ length: 130_000 }, (_, binding) => ({ binding, resource }));
    device.createBindGroup({ layout, entries });
    expect(await errorOf(device, 'validation', () => {})).toBeUndefined();
    expect(argsOf('createSampler')).toHaveLength(501);
    expect(argsOf('createBindGroup')).toMatchObject([[{ entries: { length: 130_000 } }]]);
    expect(session.statistics.objects).toBeGreaterThan(0);
  });
});

describe('a request that says more than the host takes', () => {
  it('names each feature once', async () => {
    const { connection, argsOf } = await recorded();
    const adapter = (await connection.gpu.requestAdapter())!;
    const requiredFeatures = Array.from({ length: 1_000_000 }, (): GPUFeatureName => 'timestamp-query');
    await adapter.requestDevice({ requiredFeatures });
    expect(argsOf('requestDevice').at(-1)).toMatchObject([{ requiredFeatures: ['timestamp-query'] }]);
  });
});
