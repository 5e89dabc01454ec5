import {
  GPUBindGroupBase,
  GPUBindGroupLayoutBase,
  GPUCommandBufferBase,
  GPUComputePipelineBase,
  GPUPipelineLayoutBase,
  GPURenderBundleBase,
  GPURenderPipelineBase,
  GPUSamplerBase,
  GPUTextureViewBase,
  implementations,
} from '@vesper-gpu/protocol/guest';
import { CommandEncoder, ComputePassEncoder, RenderBundleEncoder, RenderPassEncoder } from './encoders.ts';

/** Tells the generated code which classes to make: those of the protocol package where nothing is to be added. */
export function installImplementations(): void {
  Object.assign(implementations, {
    GPUSampler: GPUSamplerBase,
    GPUBindGroupLayout: GPUBindGroupLayoutBase,
    GPUPipelineLayout: GPUPipelineLayoutBase,
    GPUBindGroup: GPUBindGroupBase,
    GPUComputePipeline: GPUComputePipelineBase,
    GPURenderPipeline: GPURenderPipelineBase,
    GPUCommandEncoder: CommandEncoder,
    GPURenderBundleEncoder: RenderBundleEncoder,
    GPUTextureView: GPUTextureViewBase,
    GPURenderPassEncoder: RenderPassEncoder,
    GPUComputePassEncoder: ComputePassEncoder,
    GPUCommandBuffer: GPUCommandBufferBase,
    GPURenderBundle: GPURenderBundleBase,
  } satisfies typeof implementations);
}
