import {
  decodeVesperErrorReply,
  encodeDeviceCreateBuffer,
  encodeDeviceCreateComputePipelineAsync,
  encodeDeviceCreateQuerySet,
  encodeDeviceCreateRenderPipelineAsync,
  encodeDeviceCreateShaderModule,
  encodeDeviceCreateTexture,
  encodeDeviceDestroy,
  encodeDevicePopErrorScope,
  encodeDevicePushErrorScope,
  GPUComputePipelineBase,
  GPUDeviceBase,
  GPURenderPipelineBase,
  wrapGPUDevice,
  wrapGPUQueue,
  type api,
  type GPUAdapterInfoImplementation,
  type GPUBindGroupDescriptorValue,
  type GPUBindGroupImplementation,
  type GPUBindGroupLayoutDescriptorValue,
  type GPUBindGroupLayoutImplementation,
  type GPUBufferDescriptorValue,
  type GPUComputePipelineDescriptorValue,
  type GPUComputePipelineImplementation,
  type GPUDeviceLostInfoImplementation,
  type GPUPipelineLayoutDescriptorValue,
  type GPUPipelineLayoutImplementation,
  type GPUQuerySetDescriptorValue,
  type GPURenderBundleEncoderDescriptorValue,
  type GPURenderBundleEncoderImplementation,
  type GPURenderPipelineDescriptorValue,
  type GPURenderPipelineImplementation,
  type GPUShaderModuleDescriptorValue,
  type GPUSupportedFeaturesImplementation,
  type GPUSupportedLimitsImplementation,
  type GPUTextureDescriptorValue,
} from '@vesper-gpu/protocol/guest';
import type { RemoteObject } from '@vesper-gpu/wire';
import { MappableBuffer } from './buffer.ts';
import type { Capabilities } from './capabilities.ts';
import type { Connection } from './connection.ts';
import { DeviceLoss } from './device-loss.ts';
import { GPUPipelineError, GPUUncapturedErrorEvent, makeError, operationError, RequestFailure } from './errors.ts';
import { requireFormat } from './formats.ts';
import { QuerySet } from './query-set.ts';
import { Queue } from './queue.ts';
import { ShaderModule } from './shader-module.ts';
import { Texture } from './texture.ts';
import {
  invalidBindGroup,
  invalidBindGroupLayout,
  invalidBundleEncoder,
  invalidComputePipeline,
  invalidPipelineLayout,
  invalidRenderPipeline,
  makeOrWhereTooLarge,
  orWhereTooLarge,
  standIn,
} from './too-large.ts';

export class Device extends GPUDeviceBase {
  /** Buffers that are mapped or about to be: what `destroy` unmaps. */
  readonly mappedBuffers = new Set<MappableBuffer>();
  readonly connection: Connection;
  readonly #capabilities: Capabilities;
  readonly #queue: Queue;
  readonly loss = new DeviceLoss();
  #scopeDepth = 0;
  #handler: api.EventHandler = null;
  /** One listener for all handlers, so that a new one takes the old one's place in the order. */
  readonly #listener = (event: Event): void => {
    const result = this.#handler?.call(this.wrapper as api.GPUDevice, event as GPUUncapturedErrorEvent);
    // https://html.spec.whatwg.org/multipage/webappapis.html#the-event-handler-processing-algorithm
    if (result === false) event.preventDefault();
  };

  constructor(
    adapter: RemoteObject,
    id: number,
    queueId: number,
    label: string,
    queueLabel: string,
    capabilities: Capabilities,
    connection: Connection,
  ) {
    super(adapter, id, label);
    this.#capabilities = capabilities;
    this.connection = connection;
    this.#queue = new Queue(this, queueId, queueLabel);
    // A queue that the program never asks for has to be released with the device all the same.
    wrapGPUQueue(this.#queue);
  }

  override get features(): GPUSupportedFeaturesImplementation {
    return this.#capabilities.features;
  }

  get featureSet(): ReadonlySet<string> {
    return this.#capabilities.features.values;
  }

  override get limits(): GPUSupportedLimitsImplementation {
    return this.#capabilities.limits;
  }

  override get adapterInfo(): GPUAdapterInfoImplementation {
    return this.#capabilities.info;
  }

  override get queue(): Queue {
    return this.#queue;
  }

  override get lost(): Promise<GPUDeviceLostInfoImplementation> {
    return this.loss.promise;
  }

  override destroy(): void {
    if (!this.loss.isDestroyed && !this.loss.isLost) {
      // The host answers with the event of the loss.
      this.stream.hold();
      void this.loss.promise.then(() => this.stream.letGo());
    }
    this.loss.isDestroyed = true;
    for (const buffer of this.mappedBuffers) buffer.abandonMapping('the device was destroyed');
    encodeDeviceDestroy(this.stream.writer, this.id);
    if (this.stream.closedBy !== undefined) this.loss.lose('destroyed', 'the device was destroyed');
  }

  /** @throws RangeError when a buffer that is mapped at creation has no multiple of 4 bytes, or more than there is memory for. */
  override createBuffer(descriptor: GPUBufferDescriptorValue): MappableBuffer {
    let whole: ArrayBuffer | undefined;
    if (descriptor.mappedAtCreation) {
      if (descriptor.size % 4 !== 0)
        throw new RangeError(
          `GPUDevice.createBuffer: size ${descriptor.size} is not a multiple of 4, as mappedAtCreation needs`,
        );
      whole = new ArrayBuffer(descriptor.size);
    }
    const id = this.stream.ids.allocate();
    encodeDeviceCreateBuffer(this.stream.writer, this.id, id, descriptor);
    return new MappableBuffer(this, id, descriptor, whole);
  }

  override createTexture(descriptor: GPUTextureDescriptorValue): Texture {
    const place = 'GPUDevice.createTexture: descriptor';
    requireFormat(this.featureSet, descriptor.format, `${place}.format`);
    for (const format of descriptor.viewFormats) requireFormat(this.featureSet, format, `${place}.viewFormats`);
    const { stream } = this;
    const id = stream.ids.allocate();
    orWhereTooLarge(
      () => encodeDeviceCreateTexture(stream.writer, this.id, id, descriptor),
      // A format that is listed twice says nothing new.
      () => {
        const viewFormats = [...new Set(descriptor.viewFormats)];
        encodeDeviceCreateTexture(stream.writer, this.id, id, { ...descriptor, viewFormats });
      },
    );
    return new Texture(this, id, descriptor);
  }

  override createBindGroupLayout(descriptor: GPUBindGroupLayoutDescriptorValue): GPUBindGroupLayoutImplementation {
    for (const { storageTexture } of descriptor.entries) {
      requireFormat(
        this.featureSet,
        storageTexture?.format,
        'GPUDevice.createBindGroupLayout: descriptor.entries.storageTexture.format',
      );
    }
    return makeOrWhereTooLarge(
      this.stream,
      () => super.createBindGroupLayout(descriptor),
      (why) => standIn(invalidBindGroupLayout(descriptor), why, (invalid) => super.createBindGroupLayout(invalid)),
    );
  }

  override createPipelineLayout(descriptor: GPUPipelineLayoutDescriptorValue): GPUPipelineLayoutImplementation {
    return makeOrWhereTooLarge(
      this.stream,
      () => super.createPipelineLayout(descriptor),
      (why) => standIn(invalidPipelineLayout(descriptor), why, (invalid) => super.createPipelineLayout(invalid)),
    );
  }

  override createBindGroup(descriptor: GPUBindGroupDescriptorValue): GPUBindGroupImplementation {
    return makeOrWhereTooLarge(
      this.stream,
      () => super.createBindGroup(descriptor),
      (why) => standIn(invalidBindGroup(descriptor), why, (invalid) => super.createBindGroup(invalid)),
    );
  }

  override createShaderModule(descriptor: GPUShaderModuleDescriptorValue): ShaderModule {
    const { stream } = this;
    const { maxStringBytes } = stream.host.limits;
    const id = stream.ids.allocate();
    // Code that the host does not take is replaced by code that does not compile: the error is in its scope, then.
    const isTooLong =
      descriptor.code.length > maxStringBytes / 3 &&
      new TextEncoder().encode(descriptor.code).byteLength > maxStringBytes;
    const code = isTooLong
      ? `the_code_is_longer_than_the_${maxStringBytes}_bytes_that_the_host_takes`
      : descriptor.code;
    orWhereTooLarge(
      () => encodeDeviceCreateShaderModule(stream.writer, this.id, id, { ...descriptor, code }),
      // Hints may be ignored. Code that takes more than a frame is code that the host does not take.
      () => {
        const fits = code.length * 3 < stream.host.limits.maxFrameBytes / 2;
        const shorter = fits ? code : 'the_code_is_longer_than_what_the_host_takes';
        const { label } = descriptor;
        encodeDeviceCreateShaderModule(stream.writer, this.id, id, { label, code: shorter, compilationHints: [] });
      },
    );
    return new ShaderModule(this, id, descriptor.label);
  }

  override createRenderPipeline(descriptor: GPURenderPipelineDescriptorValue): GPURenderPipelineImplementation {
    this.#requireFormats(descriptor, 'GPUDevice.createRenderPipeline');
    return makeOrWhereTooLarge(
      this.stream,
      () => super.createRenderPipeline(descriptor),
      (why) => super.createRenderPipeline(invalidRenderPipeline(descriptor, why)),
    );
  }

  override createComputePipeline(descriptor: GPUComputePipelineDescriptorValue): GPUComputePipelineImplementation {
    return makeOrWhereTooLarge(
      this.stream,
      () => super.createComputePipeline(descriptor),
      (why) => super.createComputePipeline(invalidComputePipeline(descriptor, why)),
    );
  }

  #requireFormats(descriptor: GPURenderPipelineDescriptorValue, place: string): void {
    requireFormat(this.featureSet, descriptor.depthStencil?.format, `${place}: descriptor.depthStencil.format`);
    for (const target of descriptor.fragment?.targets ?? [])
      requireFormat(this.featureSet, target?.format, `${place}: descriptor.fragment.targets.format`);
  }

  override createRenderBundleEncoder(
    descriptor: GPURenderBundleEncoderDescriptorValue,
  ): GPURenderBundleEncoderImplementation {
    const place = 'GPUDevice.createRenderBundleEncoder: descriptor';
    requireFormat(this.featureSet, descriptor.depthStencilFormat, `${place}.depthStencilFormat`);
    for (const format of descriptor.colorFormats) requireFormat(this.featureSet, format, `${place}.colorFormats`);
    return makeOrWhereTooLarge(
      this.stream,
      () => super.createRenderBundleEncoder(descriptor),
      (why) => standIn(invalidBundleEncoder(descriptor), why, (invalid) => super.createRenderBundleEncoder(invalid)),
    );
  }

  override createComputePipelineAsync(
    descriptor: GPUComputePipelineDescriptorValue,
  ): Promise<GPUComputePipelineImplementation> {
    const { writer } = this.stream;
    return this.#pipeline(
      (id, request) =>
        orWhereTooLarge(
          () => encodeDeviceCreateComputePipelineAsync(writer, this.id, request, id, descriptor),
          (why) =>
            encodeDeviceCreateComputePipelineAsync(
              writer,
              this.id,
              request,
              id,
              invalidComputePipeline(descriptor, why),
            ),
        ),
      (id) => new GPUComputePipelineBase(this, id, descriptor.label),
    );
  }

  override createRenderPipelineAsync(
    descriptor: GPURenderPipelineDescriptorValue,
  ): Promise<GPURenderPipelineImplementation> {
    this.#requireFormats(descriptor, 'GPUDevice.createRenderPipelineAsync');
    const { writer } = this.stream;
    return this.#pipeline(
      (id, request) =>
        orWhereTooLarge(
          () => encodeDeviceCreateRenderPipelineAsync(writer, this.id, request, id, descriptor),
          (why) =>
            encodeDeviceCreateRenderPipelineAsync(writer, this.id, request, id, invalidRenderPipeline(descriptor, why)),
        ),
      (id) => new GPURenderPipelineBase(this, id, descriptor.label),
    );
  }

  /** Rejects with a GPUPipelineError; on a lost device it resolves with a pipeline that is of no use. */
  async #pipeline<T>(encode: (id: number, request: number) => void, make: (id: number) => T): Promise<T> {
    const { stream } = this;
    const id = stream.ids.allocate();
    try {
      await stream.request(
        () => undefined,
        (request) => encode(id, request),
      );
    } catch (error) {
      if (error instanceof RequestFailure) {
        stream.release(id);
        throw new GPUPipelineError(error.failure.message, { reason: error.failure.reason ?? 'validation' });
      }
    }
    return make(id);
  }

  override createQuerySet(descriptor: GPUQuerySetDescriptorValue): QuerySet {
    if (descriptor.type === 'timestamp' && !this.featureSet.has('timestamp-query')) {
      throw new TypeError(
        'GPUDevice.createQuerySet: type "timestamp" needs the feature "timestamp-query", which the device does not have',
      );
    }
    const id = this.stream.ids.allocate();
    encodeDeviceCreateQuerySet(this.stream.writer, this.id, id, descriptor);
    return new QuerySet(this, id, descriptor);
  }

  override pushErrorScope(filter: api.GPUErrorFilter): void {
    this.#scopeDepth++;
    encodeDevicePushErrorScope(this.stream.writer, this.id, filter);
  }

  /** The depth is known here, so that popping an empty stack costs no round trip. */
  override async popErrorScope(): Promise<api.GPUError | null> {
    if (this.loss.isLost) return null;
    if (this.#scopeDepth === 0 && !this.loss.isDestroyed)
      throw operationError('GPUDevice.popErrorScope: there is no error scope');
    this.#scopeDepth = Math.max(0, this.#scopeDepth - 1);
    const { stream, id } = this;
    try {
      const { error } = await stream.request(decodeVesperErrorReply, (request) =>
        encodeDevicePopErrorScope(stream.writer, id, request),
      );
      return error === undefined ? null : makeError(error.type, error.message);
    } catch (failure) {
      if (failure instanceof RequestFailure && !this.loss.isDestroyed)
        throw failure.toException('GPUDevice.popErrorScope: there is no error scope');
      return null;
    }
  }

  override get onuncapturederror(): api.EventHandler {
    return this.#handler;
  }

  override set onuncapturederror(value: api.EventHandler) {
    const handler = typeof value === 'function' ? value : null;
    const target = wrapGPUDevice(this);
    if (handler !== null && this.#handler === null) target.addEventListener('uncapturederror', this.#listener);
    if (handler === null) target.removeEventListener('uncapturederror', this.#listener);
    this.#handler = handler;
  }

  /** An error that no scope caught. What no listener takes care of is worth a line on the console. */
  uncaptured(type: api.GPUErrorFilter, message: string): void {
    const event = new GPUUncapturedErrorEvent('uncapturederror', { error: makeError(type, message), cancelable: true });
    // oxlint-disable-next-line no-console -- browsers do the same
    if (wrapGPUDevice(this).dispatchEvent(event)) console.warn(`WebGPU: uncaptured ${type} error: ${message}`);
  }
}
