// Compiled by types.test.ts, never run: what is written here has to type-check.
import { connect, type Transport } from '@vesper-gpu/guest';
import type { api } from '@vesper-gpu/protocol/guest';

declare const transport: Transport;

/** A connection's gpu is the GPU of @webgpu/types: programs need no types of ours. */
export const gpu: GPU = (await connect(transport)).gpu;
export const adapter: GPUAdapter | null = await gpu.requestAdapter({ powerPreference: 'low-power' });
export const device: GPUDevice = await adapter!.requestDevice({
  requiredFeatures: ['timestamp-query'],
  requiredLimits: { maxBindGroups: 4 },
});
export const buffer: GPUBuffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST });

// @ts-expect-error a buffer has a usage
device.createBuffer({ size: 4 });
// @ts-expect-error no such format
device.createTexture({ size: [1], format: 'rgba9unorm', usage: 0 });

/** Interfaces whose types here and in @webgpu/types can stand for each other. */
interface Ours {
  queue: api.GPUQueue;
  buffer: api.GPUBuffer;
  view: api.GPUTextureView;
  sampler: api.GPUSampler;
  module: api.GPUShaderModule;
  querySet: api.GPUQuerySet;
  bindGroup: api.GPUBindGroup;
  bindGroupLayout: api.GPUBindGroupLayout;
  pipelineLayout: api.GPUPipelineLayout;
  computePipeline: api.GPUComputePipeline;
  renderPipeline: api.GPURenderPipeline;
  encoder: api.GPUCommandEncoder;
  computePass: api.GPUComputePassEncoder;
  renderPass: api.GPURenderPassEncoder;
  bundleEncoder: api.GPURenderBundleEncoder;
  bundle: api.GPURenderBundle;
  commands: api.GPUCommandBuffer;
}
interface Theirs {
  queue: GPUQueue;
  buffer: GPUBuffer;
  view: GPUTextureView;
  sampler: GPUSampler;
  module: GPUShaderModule;
  querySet: GPUQuerySet;
  bindGroup: GPUBindGroup;
  bindGroupLayout: GPUBindGroupLayout;
  pipelineLayout: GPUPipelineLayout;
  computePipeline: GPUComputePipeline;
  renderPipeline: GPURenderPipeline;
  encoder: GPUCommandEncoder;
  computePass: GPUComputePassEncoder;
  renderPass: GPURenderPassEncoder;
  bundleEncoder: GPURenderBundleEncoder;
  bundle: GPURenderBundle;
  commands: GPUCommandBuffer;
}
declare const ours: Ours;
declare const theirs: Theirs;
export const forth: Theirs = ours;
export const back: Ours = theirs;

/** Interfaces of ours that say more than those of @webgpu/types: they go one way. */
declare const more: {
  gpu: api.GPU;
  adapter: api.GPUAdapter;
  device: api.GPUDevice;
  texture: api.GPUTexture;
  limits: api.GPUSupportedLimits;
  features: api.GPUSupportedFeatures;
  info: api.GPUAdapterInfo;
};
export const less: {
  gpu: GPU;
  adapter: GPUAdapter;
  device: GPUDevice;
  texture: GPUTexture;
  limits: GPUSupportedLimits;
  features: GPUSupportedFeatures;
  info: GPUAdapterInfo;
} = more;
// @ts-expect-error theirs is any set of strings, ours is told apart by its name
export const features: api.GPUSupportedFeatures = less.features;
// @ts-expect-error in theirs, limits that are newer may be absent
export const limits: api.GPUSupportedLimits = less.limits;
// @ts-expect-error in theirs, the sizes of subgroups may be absent
export const info: api.GPUAdapterInfo = less.info;
// @ts-expect-error in theirs, textureBindingViewDimension may be absent
export const texture: api.GPUTexture = less.texture;
