import { connect } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';
import { describe, expect, it } from 'vitest';
import { errorOf, rejectionName } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';

// client-semantics.md, section 5.

const guest = useGuest();
const anything = <T>(value: unknown): T => value as T;

describe('requestAdapter', () => {
  it('resolves to null for a feature level that is none, and rejects for a power preference that is none', async () => {
    for (const featureLevel of ['', 'Core', 'ultra', 'cor'])
      expect(await guest.gpu.requestAdapter({ featureLevel }), featureLevel).toBeNull();
    for (const featureLevel of ['core', undefined])
      expect(await guest.gpu.requestAdapter(anything({ featureLevel })), featureLevel).toBeInstanceOf(GPUAdapter);
    for (const powerPreference of ['low-power', 'high-performance', undefined]) {
      expect(await guest.gpu.requestAdapter(anything({ powerPreference })), powerPreference).toBeInstanceOf(GPUAdapter);
    }
    expect(await rejectionName(() => guest.gpu.requestAdapter(anything({ powerPreference: 'fast' })))).toBe(
      'TypeError',
    );
    expect(await rejectionName(() => guest.gpu.requestAdapter(anything(5)))).toBe('TypeError');
  });

  it('gives a new adapter each time, hundreds of times', async () => {
    const adapters = await Promise.all(Array.from({ length: 100 }, () => guest.newAdapter()));
    expect(new Set(adapters).size).toBe(100);
    for (let i = 0; i < 100; i++) await guest.newAdapter();
  });
});

describe('requestDevice', () => {
  it('can be called once with success: the second call, even before the first has resolved, is refused', async () => {
    const adapter = await guest.newAdapter();
    const [first, second] = [adapter.requestDevice(), adapter.requestDevice()];
    expect(await rejectionName(() => second)).toBe('OperationError');
    const device = await first;
    expect(device).toBeInstanceOf(GPUDevice);
    expect(await rejectionName(() => adapter.requestDevice())).toBe('OperationError');
    device.destroy();
    await device.lost;
    expect(await rejectionName(() => adapter.requestDevice())).toBe('OperationError');
    // What is wrong with the descriptor comes first.
    expect(await rejectionName(() => adapter.requestDevice({ requiredFeatures: [anything('none')] }))).toBe(
      'TypeError',
    );
  });

  it('refuses what cannot be, in the way that WebGPU says, and keeps the adapter', async () => {
    const adapter = await guest.newAdapter();
    const { maxBindGroups } = adapter.limits;
    const unsupported = adapter.features.has('shader-f16') ? 'texture-formats-tier2' : 'shader-f16';
    const limits = (requiredLimits: Record<string, unknown>): GPUDeviceDescriptor => ({
      requiredLimits: anything(requiredLimits),
    });
    const cases: [string, GPUDeviceDescriptor][] = [
      ['TypeError', { requiredFeatures: [anything('no-such-feature')] }],
      ['TypeError', { requiredFeatures: [unsupported] }],
      ['TypeError', { requiredFeatures: anything(5) }],
      ['TypeError', limits({ maxBindGroups: -1 })],
      ['TypeError', limits({ maxBindGroups: 2 ** 53 })],
      ['TypeError', limits({ maxBindGroups: NaN })],
      ['TypeError', anything(7)],
      ['OperationError', limits({ noSuchLimit: 1 })],
      ['OperationError', limits({ toString: 1 })],
      ['OperationError', limits({ maxBindGroups: maxBindGroups + 1 })],
      ['OperationError', limits({ maxBufferSize: 2 ** 53 - 1 })],
      ['OperationError', limits({ minUniformBufferOffsetAlignment: 1 })],
      ['OperationError', limits({ minUniformBufferOffsetAlignment: 300 })],
      ['OperationError', limits({ minStorageBufferOffsetAlignment: 2 ** 32 })],
    ];
    for (const [name, descriptor] of cases)
      expect(await rejectionName(() => adapter.requestDevice(descriptor)), JSON.stringify(descriptor)).toBe(name);
    const device = await adapter.requestDevice(limits({ maxBindGroups, noSuchLimit: undefined }));
    expect(device.limits.maxBindGroups).toBe(maxBindGroups);
    device.destroy();
  });

  it('gives default limits, and labels to the device and its queue', async () => {
    const device = await guest.newDevice({ label: 'mine', defaultQueue: { label: 'its queue' } });
    expect([device.label, device.queue.label]).toEqual(['mine', 'its queue']);
    expect([device.limits.maxTextureDimension2D, device.limits.maxBufferSize, device.limits.maxBindGroups]).toEqual([
      8192,
      2 ** 28,
      4,
    ]);
    device.destroy();
  });
});

describe('device.lost', () => {
  it('is one promise, pending until destroy, of one object', async () => {
    const device = await guest.newDevice();
    const { lost } = device;
    let isLost = false;
    void lost.then(() => (isLost = true));
    await device.queue.onSubmittedWorkDone();
    expect(isLost).toBe(false);
    device.destroy();
    device.destroy();
    const info = await lost;
    expect(info).toBeInstanceOf(GPUDeviceLostInfo);
    expect(info.reason).toBe('destroyed');
    expect(info.message).toBeTypeOf('string');
    expect(device.lost).toBe(lost);
    expect(await device.lost).toBe(info);
  });

  it('of one device does not touch the others', async () => {
    const [one, two] = [await guest.newDevice(), await guest.newDevice()];
    one.destroy();
    await one.lost;
    expect(await errorOf(two, () => two.createBuffer({ size: 4, usage: 8 }))).toBeNull();
    two.destroy();
  });
});

/** Everything that a program may do with a device that is no more, and what comes of it. */
async function useLostDevice(device: GPUDevice, older: { buffer: GPUBuffer; module: GPUShaderModule }): Promise<void> {
  const uncaptured: string[] = [];
  device.addEventListener('uncapturederror', ({ error }) => uncaptured.push(error.message));
  device.pushErrorScope('validation');
  const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
  expect(buffer).toBeInstanceOf(GPUBuffer);
  device.createBuffer({ size: 16, usage: 0 });
  const mapped = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
  expect(mapped.mapState).toBe('mapped');
  const range = mapped.getMappedRange();
  new Uint8Array(range).fill(1);
  mapped.unmap();
  expect(range.byteLength).toBe(0);
  const texture = device.createTexture({
    size: [4, 4],
    format: 'rgba8unorm',
    usage: GPUTextureUsage.RENDER_ATTACHMENT,
  });
  expect(texture.width).toBe(4);
  const module = device.createShaderModule({ code: 'nonsense' });
  const layout = device.createBindGroupLayout({ entries: [] });
  device.createBindGroup({ layout, entries: [] });
  device.createPipelineLayout({ bindGroupLayouts: [layout] });
  device.createSampler();
  device.createQuerySet({ type: 'occlusion', count: 1 }).destroy();
  device.createComputePipeline({ layout: 'auto', compute: { module } }).getBindGroupLayout(0);
  device.createRenderPipeline({ layout: 'auto', vertex: { module } });
  device.createRenderBundleEncoder({ colorFormats: ['rgba8unorm'] }).finish();
  const encoder = device.createCommandEncoder();
  encoder.clearBuffer(buffer);
  const pass = encoder.beginRenderPass({
    colorAttachments: [{ view: texture.createView(), loadOp: 'clear', storeOp: 'store' }],
  });
  pass.draw(3);
  pass.end();
  device.queue.submit([encoder.finish()]);
  device.queue.writeBuffer(buffer, 0, new Uint8Array(8));
  device.queue.writeBuffer(older.buffer, 0, new Uint8Array(8));
  device.queue.writeTexture({ texture }, new Uint8Array(64), { bytesPerRow: 16 }, [4, 4]);
  expect(await device.popErrorScope()).toBeNull();
  // There is no scope any more: on a device that is lost that does not matter.
  expect(await device.popErrorScope()).toBeNull();
  expect(await device.createComputePipelineAsync({ layout: 'auto', compute: { module } })).toBeInstanceOf(
    GPUComputePipeline,
  );
  expect(await device.createRenderPipelineAsync({ layout: 'auto', vertex: { module } })).toBeInstanceOf(
    GPURenderPipeline,
  );
  await device.queue.onSubmittedWorkDone();
  expect((await module.getCompilationInfo()).messages).toBeInstanceOf(Array);
  expect((await older.module.getCompilationInfo()).messages).toBeInstanceOf(Array);
  const readable = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ });
  expect(await rejectionName(() => readable.mapAsync(GPUMapMode.READ))).toBe('AbortError');
  expect(readable.mapState).toBe('unmapped');
  readable.unmap();
  buffer.destroy();
  device.label = 'gone';
  expect(device.label).toBe('gone');
  device.destroy();
  expect(uncaptured).toEqual([]);
}

describe('a device that is no more', () => {
  const older = (device: GPUDevice) => ({
    buffer: device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST }),
    module: device.createShaderModule({ code: '' }),
  });

  it('neither throws nor reports, right after destroy()', async () => {
    const device = await guest.newDevice();
    const old = older(device);
    device.destroy();
    await useLostDevice(device, old);
    expect((await device.lost).reason).toBe('destroyed');
  });

  it('neither throws nor reports, once it is lost', async () => {
    const device = await guest.newDevice();
    const old = older(device);
    device.destroy();
    await device.lost;
    await useLostDevice(device, old);
  });

  it('neither throws nor reports, when the connection has ended', async () => {
    const connection = await connect(await openTransport(guest.host.address));
    const adapter = (await connection.gpu.requestAdapter())!;
    const spare = (await connection.gpu.requestAdapter())!;
    const device = await adapter.requestDevice();
    const old = older(device);
    const readable = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ });
    await readable.mapAsync(GPUMapMode.READ);
    expect(readable.getMappedRange().byteLength).toBe(16);
    await connection.close();
    const info = await device.lost;
    expect(info.reason).toBe('unknown');
    expect(info.message).not.toBe('');
    readable.unmap();
    await useLostDevice(device, old);
    // What is asked of the host comes to nothing, as if the GPU had been taken out.
    expect(await connection.gpu.requestAdapter()).toBeNull();
    const late = await spare.requestDevice();
    expect((await late.lost).reason).toBe('unknown');
    await useLostDevice(late, older(late));
  });

  it('settles what was pending when the connection ended', async () => {
    const connection = await connect(await openTransport(guest.host.address));
    const device = await (await connection.gpu.requestAdapter())!.requestDevice();
    const order: string[] = [];
    const note = async (name: string, promise: Promise<unknown>): Promise<void> => {
      const outcome = await rejectionName(() => promise);
      order.push(`${name}: ${outcome ?? 'resolved'}`);
    };
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code: '@compute @workgroup_size(1) fn main() {}' });
    const notes = [
      note('map', device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ }).mapAsync(GPUMapMode.READ)),
      note('work', device.queue.onSubmittedWorkDone()),
      note('pipeline', device.createComputePipelineAsync({ layout: 'auto', compute: { module } })),
      note('info', module.getCompilationInfo()),
      note('scope', device.popErrorScope()),
      note('adapter', connection.gpu.requestAdapter()),
      note('lost', device.lost),
    ];
    // Before any of it is sent.
    await connection.close();
    await Promise.all(notes);
    expect(order.toSorted()).toEqual([
      'adapter: resolved',
      'info: resolved',
      'lost: resolved',
      'map: AbortError',
      'pipeline: resolved',
      'scope: resolved',
      'work: resolved',
    ]);
  });

  it('loses the one that is being requested when the connection ends, and no promise is left', async () => {
    const connection = await connect(await openTransport(guest.host.address));
    const adapter = (await connection.gpu.requestAdapter())!;
    const requested = adapter.requestDevice();
    await connection.close();
    const device = await requested;
    expect((await device.lost).reason).toBe('unknown');
  });
});

describe('connections', () => {
  it('have objects of their own: one of another is a TypeError', async () => {
    const connection = await connect(await openTransport(guest.host.address));
    const device = await (await connection.gpu.requestAdapter())!.requestDevice();
    const stranger = guest.device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST });
    expect(() => device.queue.writeBuffer(stranger, 0, new Uint8Array(4))).toThrow(TypeError);
    await connection.close();
  });
});
