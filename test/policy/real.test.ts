/// <reference types="@webgpu/types" />
import { connect } from '@vesper-gpu/guest';
import { DEFAULT_POLICY, type Policy } from '@vesper-gpu/host';
import { openTransport } from '@vesper-gpu/transport';
import { describe, expect, it } from 'vitest';
import { requireBuilt } from '../../packages/cli/test/command.ts';
import { afterwards, TestBroker } from '../../packages/cli/test/test-broker.ts';

/** Policies on a real GPU, in a process of its own. */

requireBuilt();

const [QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ] = [0x200, 4, 8, 1];

async function adapterUnder(policy: Partial<Policy>): Promise<GPUAdapter | null> {
  const test = await TestBroker.startReal('unix', { policy: { ...DEFAULT_POLICY, ...policy } });
  const connection = await connect(await openTransport(test.broker.addresses[0]!));
  afterwards(() => connection.close());
  return connection.gpu.requestAdapter();
}

/** Times of the begin and the end of some passes, in nanoseconds. */
async function timestamps(device: GPUDevice, passes: number): Promise<bigint[]> {
  const count = 2 * passes;
  const querySet = device.createQuerySet({ type: 'timestamp', count });
  const resolved = device.createBuffer({ size: 256 + count * 8, usage: QUERY_RESOLVE | COPY_SRC });
  const read = device.createBuffer({ size: count * 8, usage: COPY_DST | MAP_READ });
  const encoder = device.createCommandEncoder();
  for (let i = 0; i < passes; i++) {
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
    encoder.beginComputePass({ timestampWrites }).end();
  }
  encoder.resolveQuerySet(querySet, 0, count, resolved, 256);
  encoder.copyBufferToBuffer(resolved, 256, read, 0, count * 8);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(MAP_READ);
  return [...new BigUint64Array(read.getMappedRange())];
}

describe('timestamps', () => {
  const requiredFeatures: GPUFeatureName[] = ['timestamp-query'];

  it.each([100, 1000, 7])('are multiples of %i µs where the policy says so', async (quantumUs) => {
    const adapter = await adapterUnder({ timestamps: { quantumUs } });
    const device = await adapter!.requestDevice({ requiredFeatures });
    device.pushErrorScope('validation');
    const times = await timestamps(device, 20);
    expect(await device.popErrorScope()).toBeNull();
    const quantum = BigInt(quantumUs * 1000);
    expect(times.filter((time) => time % quantum !== 0n)).toEqual([]);
    expect(times.some((time) => time !== 0n)).toBe(true);
    expect(times.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(times);
  });

  it('cannot be asked for where the policy denies them', async () => {
    const adapter = await adapterUnder({ timestamps: 'deny' });
    expect(adapter!.features.has('timestamp-query')).toBe(false);
    await expect(adapter!.requestDevice({ requiredFeatures })).rejects.toThrow(TypeError);
  });

  it('of an occlusion query are left alone', async () => {
    const adapter = await adapterUnder({ timestamps: { quantumUs: 1000 } });
    const device = await adapter!.requestDevice({ requiredFeatures });
    device.pushErrorScope('validation');
    const querySet = device.createQuerySet({ type: 'occlusion', count: 1 });
    const buffer = device.createBuffer({ size: 256, usage: QUERY_RESOLVE | COPY_SRC });
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(querySet, 0, 1, buffer, 0);
    device.queue.submit([encoder.finish()]);
    expect(await device.popErrorScope()).toBeNull();
  });

  it('are rounded one by one, for each of several commands of an encoder', async () => {
    const adapter = await adapterUnder({ timestamps: { quantumUs: 100 } });
    const device = await adapter!.requestDevice({ requiredFeatures });
    device.pushErrorScope('validation');
    const count = 130;
    const querySet = device.createQuerySet({ type: 'timestamp', count });
    const resolved = device.createBuffer({ size: 4096, usage: QUERY_RESOLVE | COPY_SRC });
    const read = device.createBuffer({ size: 4096, usage: COPY_DST | MAP_READ });
    const encoder = device.createCommandEncoder();
    for (let i = 0; i < count; i += 2) {
      const timestampWrites = { querySet, beginningOfPassWriteIndex: i, endOfPassWriteIndex: i + 1 };
      encoder.beginComputePass({ timestampWrites }).end();
    }
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
    encoder.resolveQuerySet(querySet, 100, 30, resolved, 2048);
    encoder.resolveQuerySet(querySet, 7, 1, resolved, 3072);
    encoder.copyBufferToBuffer(resolved, 0, read, 0, 4096);
    device.queue.submit([encoder.finish()]);
    expect(await device.popErrorScope()).toBeNull();
    await read.mapAsync(MAP_READ);
    const times = [...new BigUint64Array(read.getMappedRange())];
    expect(times.filter((time) => time % 100_000n !== 0n)).toEqual([]);
    expect(times[count - 1]).toBeGreaterThan(0n);
    expect(times.slice(256, 286)).toEqual(times.slice(100, 130));
    expect(times[384]).toBe(times[7]);
    // What lies behind the times is not written to.
    expect([...times.slice(count, 256), ...times.slice(286, 384), ...times.slice(385)].every((one) => one === 0n)).toBe(
      true,
    );
  });

  it.each([{ where: { 'GPUBufferDescriptor.usage': { noneOf: ['STORAGE'] } } }, {}])(
    'give a guest no use of a buffer that it did not ask for, under %j',
    async (rules: Pick<Partial<Policy>, 'where'>) => {
      const adapter = await adapterUnder({ timestamps: { quantumUs: 100 }, ...rules });
      const device = await adapter!.requestDevice({ requiredFeatures });
      const buffer = device.createBuffer({ size: 256, usage: QUERY_RESOLVE | COPY_SRC });
      const source = device.createBuffer({ size: 256, usage: COPY_SRC });
      const texture = device.createTexture({ size: [1], format: 'r32uint', usage: COPY_SRC });
      const encoded = (record: (encoder: GPUCommandEncoder) => void) => (): void => {
        const encoder = device.createCommandEncoder();
        record(encoder);
        encoder.finish();
      };
      const layout = device.createBindGroupLayout({
        entries: [{ binding: 0, visibility: 4, buffer: { type: 'storage' } }],
      });
      const uses: Record<string, () => void> = {
        createBindGroup: () => void device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] }),
        writeBuffer: () => device.queue.writeBuffer(buffer, 0, new Uint32Array([1])),
        clearBuffer: encoded((encoder) => encoder.clearBuffer(buffer)),
        copyBufferToBuffer: encoded((encoder) => encoder.copyBufferToBuffer(source, 0, buffer, 0, 4)),
        'copyBufferToBuffer, whole': encoded((encoder) => encoder.copyBufferToBuffer(source, buffer)),
        copyTextureToBuffer: encoded((encoder) => encoder.copyTextureToBuffer({ texture }, { buffer }, [1])),
      };
      for (const [name, use] of Object.entries(uses)) {
        device.pushErrorScope('validation');
        use();
        const error = await device.popErrorScope();
        expect([name, error?.message]).toEqual([name, expect.stringMatching(/usage/)]);
      }
      // With the usage the same is allowed.
      device.pushErrorScope('validation');
      const asked = device.createBuffer({ size: 256, usage: QUERY_RESOLVE | COPY_DST });
      device.queue.writeBuffer(asked, 0, new Uint32Array([1]));
      encoded((encoder) => encoder.copyBufferToBuffer(source, 0, asked, 0, 4))();
      expect(await device.popErrorScope()).toBeNull();
    },
  );

  it('go wrong as WebGPU says, where they do', async () => {
    const adapter = await adapterUnder({ timestamps: { quantumUs: 100 } });
    const device = await adapter!.requestDevice({ requiredFeatures });
    const querySet = device.createQuerySet({ type: 'timestamp', count: 2 });
    for (const [usage, offset] of [
      [COPY_SRC, 0],
      [QUERY_RESOLVE, 8],
      [QUERY_RESOLVE, 2 ** 40],
    ] as const) {
      device.pushErrorScope('validation');
      const buffer = device.createBuffer({ size: 512, usage });
      const encoder = device.createCommandEncoder();
      encoder.resolveQuerySet(querySet, 0, 2, buffer, offset);
      encoder.finish();
      expect(await device.popErrorScope(), `usage ${usage}, offset ${offset}`).not.toBeNull();
    }
  });
});

describe('an adapter', () => {
  it('is shown whole, in buckets, or not at all', async () => {
    const full = (await adapterUnder({}))!;
    expect(full.info.description + full.info.device + full.info.vendor).not.toBe('');
    const bucketed = (await adapterUnder({ adapterInfo: 'bucketed' }))!;
    expect(bucketed.info).toMatchObject({ vendor: full.info.vendor, device: '', description: '' });
    for (const adapterInfo of ['redacted', 'deny'] as const) {
      const { info, limits } = (await adapterUnder({ adapterInfo }))!;
      expect(info).toMatchObject({ vendor: '', architecture: '', device: '', description: '' });
      expect(limits.maxTextureDimension2D).toBe(8192);
      expect(limits.maxBufferSize).toBe(268435456);
    }
  });

  it('has the limits that a device gets without asking, where it is redacted', async () => {
    const full = (await adapterUnder({}))!;
    const { limits } = await full.requestDevice();
    const redacted = (await adapterUnder({ adapterInfo: 'redacted' }))!;
    const names = Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(limits) as object));
    for (const name of names.filter((one) => /^m(ax|in)[A-Z]/.test(one))) {
      const key = name as Exclude<keyof GPUSupportedLimits, '__brand'>;
      expect([name, redacted.limits[key]]).toEqual([name, limits[key]]);
    }
  });

  it('gives the features and limits of the policy, and no more', async () => {
    const adapter = (await adapterUnder({ features: [], limits: { maxTextureDimension2D: 4096 } }))!;
    expect([...adapter.features]).toEqual(['core-features-and-limits']);
    expect(adapter.limits.maxTextureDimension2D).toBe(4096);
    await expect(adapter.requestDevice({ requiredLimits: { maxTextureDimension2D: 8192 } })).rejects.toMatchObject({
      name: 'OperationError',
    });
  });

  it('is null where the policy allows none', async () => {
    expect(await adapterUnder({ allow: [] })).toBeNull();
  });
});
