import { GPUDeviceHandlers, InterfaceNumber, type api, type VesperErrorReplyValue } from '@vesper-gpu/protocol/host';
import { errorType } from '../error-scopes.ts';
import { cutMessage } from '../failure.ts';
import type { HostConnection } from '../host-connection.ts';
import { InvalidObjects } from '../invalid-objects.ts';

export class DeviceHandlers extends GPUDeviceHandlers {
  readonly #connection: HostConnection;

  constructor(connection: HostConnection) {
    super();
    this.#connection = connection;
  }

  override destroy(target: api.GPUDevice): void {
    target.destroy();
  }

  override async createComputePipelineAsync(
    target: api.GPUDevice,
    newComputePipeline: number,
    descriptor: api.GPUComputePipelineDescriptor,
  ): Promise<void> {
    this.#checkConversion(target, InterfaceNumber.GPUComputePipeline, descriptor);
    const pipeline = await target.createComputePipelineAsync(descriptor);
    this.#connection.fulfil(newComputePipeline, InterfaceNumber.GPUComputePipeline, pipeline);
  }

  override async createRenderPipelineAsync(
    target: api.GPUDevice,
    newRenderPipeline: number,
    descriptor: api.GPURenderPipelineDescriptor,
  ): Promise<void> {
    this.#checkConversion(target, InterfaceNumber.GPURenderPipeline, descriptor);
    const pipeline = await target.createRenderPipelineAsync(descriptor);
    this.#connection.fulfil(newRenderPipeline, InterfaceNumber.GPURenderPipeline, pipeline);
  }

  /**
   * Dawn for Node crashes where an asynchronous creation is given what it cannot convert (an infinite constant, a format
   * of a feature that is not enabled): it makes the promise while its exception is pending. The synchronous one throws.
   */
  #checkConversion(
    target: api.GPUDevice,
    type: number,
    descriptor: api.GPUComputePipelineDescriptor | api.GPURenderPipelineDescriptor,
  ): void {
    // A lost device has no state any more, and converts as before.
    const invalid = this.#connection.devices.get(target)?.invalid ?? new InvalidObjects(target);
    invalid.checkConversion(type, descriptor);
  }

  override pushErrorScope(target: api.GPUDevice, filter: api.GPUErrorFilter): void {
    target.pushErrorScope(filter);
    this.#connection.scopesOf(target)?.push(filter);
  }

  override async popErrorScope(target: api.GPUDevice): Promise<VesperErrorReplyValue> {
    const shadow = this.#connection.scopesOf(target)?.pop();
    const error = await target.popErrorScope();
    if (shadow?.comesFirst) return { error: { type: shadow.type, message: shadow.message } };
    // Both are of the type that the scope filters; the backend's message says more.
    if (error !== null) {
      const message = cutMessage(this.#connection.view.ofMessage(error.message));
      return { error: { type: errorType(error), message } };
    }
    return shadow === undefined ? {} : { error: { type: shadow.type, message: shadow.message } };
  }
}
