/// <reference types="@webgpu/types" preserve="true" />
import { create, globals } from 'webgpu';

/** Options of {@link openGPU}. */
export interface OpenGPUOptions {
  /**
   * Dawn's own flags, such as `backend=vulkan`, `adapter=NAME`, `enable-dawn-features=NAME,NAME`.
   *
   * @see https://dawn.googlesource.com/dawn/+/refs/heads/main/src/dawn/node/
   */
  readonly flags?: readonly string[];
}

/** Every object that was opened. Dawn for Node crashes the process when one is collected, so none ever is. */
const opened: GPU[] = [];

/**
 * Opens Dawn's GPU in this process. The process must have been started with the variables of chooseDriver(). Importing
 * this module loads the native library (30 ms, 5 MB); `@vesper-gpu/dawn/driver` and `/doctor` do not.
 *
 * @returns a GPU that stays alive as long as the process. Keep the adapters that it gives referenced as well.
 * @throws Error when Dawn does not know a flag
 * @see https://www.w3.org/TR/webgpu/#gpu-interface
 */
export function openGPU(options: OpenGPUOptions = {}): GPU {
  const gpu = create([...(options.flags ?? [])]);
  opened.push(gpu);
  return gpu;
}

/** Interfaces and namespaces that Dawn for Node provides under the names that a page finds on its global object. */
export type DawnGlobals = Pick<
  typeof globalThis,
  | 'GPU'
  | 'GPUAdapter'
  | 'GPUAdapterInfo'
  | 'GPUBindGroup'
  | 'GPUBindGroupLayout'
  | 'GPUBuffer'
  | 'GPUBufferUsage'
  | 'GPUCanvasContext'
  | 'GPUColorWrite'
  | 'GPUCommandBuffer'
  | 'GPUCommandEncoder'
  | 'GPUCompilationInfo'
  | 'GPUCompilationMessage'
  | 'GPUComputePassEncoder'
  | 'GPUComputePipeline'
  | 'GPUDevice'
  | 'GPUDeviceLostInfo'
  | 'GPUError'
  | 'GPUExternalTexture'
  | 'GPUInternalError'
  | 'GPUMapMode'
  | 'GPUOutOfMemoryError'
  | 'GPUPipelineError'
  | 'GPUPipelineLayout'
  | 'GPUQuerySet'
  | 'GPUQueue'
  | 'GPURenderBundle'
  | 'GPURenderBundleEncoder'
  | 'GPURenderPassEncoder'
  | 'GPURenderPipeline'
  | 'GPUSampler'
  | 'GPUShaderModule'
  | 'GPUShaderStage'
  | 'GPUSupportedLimits'
  | 'GPUTexture'
  | 'GPUTextureUsage'
  | 'GPUTextureView'
  | 'GPUUncapturedErrorEvent'
  | 'GPUValidationError'
>;

/** The classes of the objects that {@link openGPU} leads to, for `instanceof` and for the flag values. */
export const dawnGlobals: DawnGlobals = globals as DawnGlobals;
