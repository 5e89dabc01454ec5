import {
  GPUBindingCommandsMixinHandlers,
  GPUCommandEncoderHandlers,
  GPUComputePassEncoderHandlers,
  GPUDebugCommandsMixinHandlers,
  GPUPipelineBaseHandlers,
  GPUQuerySetHandlers,
  GPURenderBundleEncoderHandlers,
  GPURenderCommandsMixinHandlers,
  GPURenderPassEncoderHandlers,
  GPUTextureHandlers,
  type api,
  type Handlers,
} from '@vesper-gpu/protocol/host';
import type { HostConnection } from '../host-connection.ts';
import { AdapterHandlers } from './adapter.ts';
import { BufferHandlers } from './buffer.ts';
import { DeviceHandlers } from './device.ts';
import { RootHandlers } from './gpu.ts';
import { ObjectBaseHandlers } from './object-base.ts';
import { QueueHandlers } from './queue.ts';
import { ShaderModuleHandlers } from './shader-module.ts';
import { StreamHandlers } from './stream.ts';

/** The handlers of a session: those of the protocol package where the call itself is all there is to do. */
export function createHandlers(connection: HostConnection, gpu: api.GPU): Handlers {
  return {
    stream: new StreamHandlers(connection),
    objectBase: new ObjectBaseHandlers(),
    gpu: new RootHandlers(connection, gpu),
    adapter: new AdapterHandlers(connection),
    device: new DeviceHandlers(connection),
    buffer: new BufferHandlers(),
    texture: new GPUTextureHandlers(),
    shaderModule: new ShaderModuleHandlers(connection),
    pipelineBase: new GPUPipelineBaseHandlers(),
    commandEncoder: new GPUCommandEncoderHandlers(),
    bindingCommands: new GPUBindingCommandsMixinHandlers(),
    debugCommands: new GPUDebugCommandsMixinHandlers(),
    computePassEncoder: new GPUComputePassEncoderHandlers(),
    renderPassEncoder: new GPURenderPassEncoderHandlers(),
    renderCommands: new GPURenderCommandsMixinHandlers(),
    renderBundleEncoder: new GPURenderBundleEncoderHandlers(),
    queue: new QueueHandlers(),
    querySet: new GPUQuerySetHandlers(),
  };
}
