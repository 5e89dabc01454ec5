/// <reference types="@webgpu/types" />
import { connect } from '@vesper-gpu/guest';
import { DEFAULT_POLICY, type Policy } from '@vesper-gpu/host';
import { openTransport } from '@vesper-gpu/transport';
import { describe, expect, it } from 'vitest';
import { requireBuilt } from '../../packages/cli/test/command.ts';
import { afterwards, TestBroker } from '../../packages/cli/test/test-broker.ts';

/** What a guest that is not shown the adapter hears of it in error messages of a real GPU. */

requireBuilt();

const [UNIFORM, STORAGE, TEXTURE_BINDING, COMPUTE, VERTEX, FRAGMENT] = [0x40, 0x80, 4, 4, 1, 2];

type LimitName = Exclude<keyof GPUSupportedLimits, '__brand'>;
type Attempt = (device: GPUDevice, limit: number) => unknown;

async function adapterUnder(policy: Partial<Policy>): Promise<GPUAdapter> {
  const test = await TestBroker.startReal('unix', { policy: { ...DEFAULT_POLICY, ...policy } });
  const connection = await connect(await openTransport(test.broker.addresses[0]!));
  afterwards(() => connection.close());
  return (await connection.gpu.requestAdapter())!;
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

const texture =
  (dimension: GPUTextureDimension, size: (limit: number) => number[]): Attempt =>
  (device, limit) =>
    device.createTexture({ dimension, size: size(limit), format: 'r8unorm', usage: TEXTURE_BINDING });

/** A layout with one more of an entry than there may be. */
const entries =
  (visibility: number, entry: Omit<GPUBindGroupLayoutEntry, 'binding' | 'visibility'>): Attempt =>
  (device, limit) => {
    const layout = { entries: times(limit + 1, (binding) => ({ binding, visibility, ...entry })) };
    return device.createPipelineLayout({ bindGroupLayouts: [device.createBindGroupLayout(layout)] });
  };
const storageTexture = { storageTexture: { format: 'r32uint', access: 'read-only' } } as const;
const readOnly = { buffer: { type: 'read-only-storage' } } as const;

const binding =
  (usage: number, type: GPUBufferBindingType, offset: (limit: number) => number, size: (limit: number) => number) =>
  (device: GPUDevice, limit: number): unknown => {
    const resource = { buffer: device.createBuffer({ size: 512 + size(limit), usage }), offset: offset(limit) };
    const layout = device.createBindGroupLayout({ entries: [{ binding: 0, visibility: COMPUTE, buffer: { type } }] });
    return device.createBindGroup({
      layout,
      entries: [{ binding: 0, resource: { ...resource, size: size(limit) } }],
    });
  };

const compute =
  (code: (limit: number) => string): Attempt =>
  (device, limit) => {
    const descriptor = {
      layout: 'auto',
      compute: { module: device.createShaderModule({ code: code(limit) }) },
    } as const;
    return [device.createComputePipeline(descriptor), device.createComputePipelineAsync(descriptor)];
  };
const workgroup = (size: (limit: number) => string): Attempt =>
  compute((limit) => `@compute @workgroup_size(${size(limit)}) fn main() {}`);

const vertexState =
  (buffers: (limit: number) => GPUVertexBufferLayout[]): Attempt =>
  (device, limit) => {
    const code = '@vertex fn main() -> @builtin(position) vec4f { return vec4f(); }';
    const vertex = { module: device.createShaderModule({ code }), buffers: buffers(limit) };
    const depthStencil = { format: 'depth16unorm', depthCompare: 'always', depthWriteEnabled: true } as const;
    const descriptor = { layout: 'auto', vertex, depthStencil } as const;
    return [device.createRenderPipeline(descriptor), device.createRenderPipelineAsync(descriptor)];
  };
const attribute = (shaderLocation: number) => ({ shaderLocation, offset: 0, format: 'float32' }) as const;

const interStage: Attempt = (device, limit) => {
  const code = `
    struct Both { @builtin(position) position: vec4f, ${times(limit + 1, (i) => `@location(${i}) v${i}: f32`).join()} }
    @vertex fn v() -> Both { return Both(); }
    @fragment fn f(both: Both) -> @location(0) vec4f { return both.position; }`;
  const module = device.createShaderModule({ code });
  const fragment = { module, targets: [{ format: 'rgba8unorm' }] } as const;
  return device.createRenderPipelineAsync({ layout: 'auto', vertex: { module }, fragment });
};

const encoded = (record: (encoder: GPUComputePassEncoder, limit: number) => void): Attempt => {
  return (device, limit) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    const code = '@compute @workgroup_size(1) fn main() {}';
    pass.setPipeline(
      device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }) } }),
    );
    record(pass, limit);
    pass.end();
    return encoder.finish();
  };
};

/** For each limit something that is beyond it. */
const ATTEMPTS: Partial<Record<LimitName, Attempt>> = {
  maxTextureDimension1D: texture('1d', (limit) => [limit + 1]),
  maxTextureDimension2D: texture('2d', (limit) => [limit + 1, 1]),
  maxTextureDimension3D: texture('3d', (limit) => [1, 1, limit + 1]),
  maxTextureArrayLayers: texture('2d', (limit) => [1, 1, limit + 1]),
  maxBindGroups: (device, limit) =>
    device.createPipelineLayout({
      bindGroupLayouts: times(limit + 1, () => device.createBindGroupLayout({ entries: [] })),
    }),
  maxBindingsPerBindGroup: (device, limit) =>
    device.createBindGroupLayout({ entries: [{ binding: limit, visibility: COMPUTE, sampler: {} }] }),
  maxDynamicUniformBuffersPerPipelineLayout: entries(COMPUTE, { buffer: { hasDynamicOffset: true } }),
  maxDynamicStorageBuffersPerPipelineLayout: entries(COMPUTE, {
    buffer: { ...readOnly.buffer, hasDynamicOffset: true },
  }),
  maxSampledTexturesPerShaderStage: entries(COMPUTE, { texture: {} }),
  maxSamplersPerShaderStage: entries(COMPUTE, { sampler: {} }),
  maxStorageBuffersPerShaderStage: entries(COMPUTE, readOnly),
  maxStorageBuffersInVertexStage: entries(VERTEX, readOnly),
  maxStorageBuffersInFragmentStage: entries(FRAGMENT, readOnly),
  maxStorageTexturesPerShaderStage: entries(COMPUTE, storageTexture),
  maxStorageTexturesInVertexStage: entries(VERTEX, storageTexture),
  maxStorageTexturesInFragmentStage: entries(FRAGMENT, storageTexture),
  maxUniformBuffersPerShaderStage: entries(COMPUTE, { buffer: {} }),
  maxUniformBufferBindingSize: binding(
    UNIFORM,
    'uniform',
    () => 0,
    (limit) => limit + 16,
  ),
  maxStorageBufferBindingSize: binding(
    STORAGE,
    'storage',
    () => 0,
    (limit) => limit + 4,
  ),
  minUniformBufferOffsetAlignment: binding(
    UNIFORM,
    'uniform',
    () => 4,
    () => 64,
  ),
  minStorageBufferOffsetAlignment: binding(
    STORAGE,
    'storage',
    () => 4,
    () => 64,
  ),
  maxVertexBuffers: vertexState((limit) => times(limit + 1, (i) => ({ arrayStride: 4, attributes: [attribute(i)] }))),
  maxBufferSize: (device, limit) => device.createBuffer({ size: limit + 4, usage: STORAGE }),
  maxVertexAttributes: vertexState((limit) => [{ arrayStride: 4, attributes: times(limit + 1, attribute) }]),
  maxVertexBufferArrayStride: vertexState((limit) => [{ arrayStride: limit + 4, attributes: [attribute(0)] }]),
  maxInterStageShaderVariables: interStage,
  maxColorAttachments: (device, limit) =>
    device.createRenderBundleEncoder({ colorFormats: times(limit + 1, () => 'r8unorm' as const) }).finish(),
  maxColorAttachmentBytesPerSample: (device, limit) =>
    device.createRenderBundleEncoder({ colorFormats: times(limit / 16 + 1, () => 'rgba32float' as const) }).finish(),
  maxComputeWorkgroupStorageSize: compute(
    (limit) => `var<workgroup> w: array<u32, ${limit / 4 + 1}>;
      @compute @workgroup_size(1) fn main() { w[0] = 1; }`,
  ),
  maxComputeInvocationsPerWorkgroup: workgroup((limit) => `${limit}, 3`),
  maxComputeWorkgroupSizeX: workgroup((limit) => `${limit + 1}`),
  maxComputeWorkgroupSizeY: workgroup((limit) => `1, ${limit + 1}`),
  maxComputeWorkgroupSizeZ: workgroup((limit) => `1, 1, ${limit + 1}`),
  maxComputeWorkgroupsPerDimension: encoded((pass, limit) => pass.dispatchWorkgroups(limit + 1)),
};

/** The messages that a guest gets for going beyond a limit: in a scope, uncaptured, and as rejections. */
async function messagesOf(device: GPUDevice, attempt: Attempt, limit: number): Promise<string[]> {
  const messages: string[] = [];
  const rejected = async (made: unknown): Promise<void> => {
    for (const one of Array.isArray(made) ? (made as unknown[]) : [made]) {
      if (one instanceof Promise) await one.catch((error: Error) => messages.push(error.message));
    }
  };
  device.pushErrorScope('validation');
  const rejection = rejected(attempt(device, limit));
  const error = await device.popErrorScope();
  if (error !== null) messages.push(error.message);
  await rejection;
  device.onuncapturederror = (event) => {
    event.preventDefault();
    messages.push(event.error.message);
  };
  await rejected(attempt(device, limit));
  await device.queue.onSubmittedWorkDone();
  return messages;
}

/** Messages by limit. */
async function allMessages(device: GPUDevice): Promise<Map<LimitName, string[]>> {
  const found = new Map<LimitName, string[]>();
  for (const [name, attempt] of Object.entries(ATTEMPTS) as [LimitName, Attempt][])
    found.set(name, await messagesOf(device, attempt, device.limits[name]));
  return found;
}

describe('messages of a backend', () => {
  it('tell nothing of the adapter where that is not shown, and are told as they are where it is', async () => {
    const full = await adapterUnder({});
    const { vendor, architecture, device, description } = full.info;
    const names = [vendor, architecture, device, description].filter((name) => name.length > 2);
    const withAll = await full.requestDevice();
    const told = await allMessages(withAll);
    expect([...told.values()].flat().filter((text) => /adapter supports/.test(text)).length).toBeGreaterThan(20);

    for (const adapterInfo of ['bucketed', 'redacted', 'deny'] as const) {
      const messages = await allMessages(await (await adapterUnder({ adapterInfo })).requestDevice());
      for (const [name, texts] of messages) {
        expect([name, texts.length]).toEqual([name, told.get(name)!.length]);
        expect(texts.length, name).toBeGreaterThan(0);
        const secret = full.limits[name] === withAll.limits[name] ? [] : [String(full.limits[name])];
        for (const text of texts) {
          expect(text).not.toMatch(/adapter supports|requiredLimits/i);
          expect(text.match(/\d+/g)?.filter((number) => secret.includes(number)) ?? [], text).toEqual([]);
          expect(names.filter((one) => text.toLowerCase().includes(one.toLowerCase()))).toEqual([]);
        }
      }
    }
  });
});
