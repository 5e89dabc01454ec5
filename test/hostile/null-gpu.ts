import type { api } from '@vesper-gpu/protocol/host';
import { NullEncoder, NullPass } from './null-encoders.ts';
import { isInvalid, NullObject, NullScopes, type NullLog } from './null-objects.ts';

/** What a null backend can do, for the guest's hello and capabilities. */
const LIMITS: Readonly<Record<string, number>> = { maxBufferSize: 1 << 28, maxBindGroups: 4 };

/**
 * A WebGPU that draws nothing: it takes every call that the host's handlers make, counts it, and knows just enough
 * of validity that an object made of an invalid one is invalid. A test makes it throw with `fail`.
 */
export class NullGpu implements NullLog {
  /** Every call, by its name, in order. */
  readonly calls: string[] = [];
  readonly devices: NullDevice[] = [];
  readonly wgslLanguageFeatures = new Set(['packed_4x8_integer_dot_product']);
  /** Of its adapters and devices. */
  limits = LIMITS;
  /** Called before each call; it may throw. `args` are the call's own. */
  fail: ((name: string, args: readonly unknown[]) => void) | undefined;
  /** What the answer to an asynchronous call waits for. */
  gate: ((name: string) => Promise<void> | undefined) | undefined;

  log(name: string, args: readonly unknown[]): void {
    this.calls.push(name);
    this.fail?.(name, args);
  }

  wait(name: string): Promise<void> | undefined {
    return this.gate?.(name);
  }

  getPreferredCanvasFormat(): string {
    return 'bgra8unorm';
  }

  async requestAdapter(...args: unknown[]): Promise<NullAdapter> {
    this.log('requestAdapter', args);
    await this.wait('requestAdapter');
    return new NullAdapter(this);
  }

  /** As the type that the host takes. */
  get api(): api.GPU {
    return this as unknown as api.GPU;
  }
}

class NullAdapter {
  readonly features = new Set(['core-features-and-limits', 'timestamp-query']);
  readonly limits: Readonly<Record<string, number>>;
  readonly info = { vendor: 'null', architecture: '', device: '', description: 'nothing', isFallbackAdapter: true };
  readonly #gpu: NullGpu;

  constructor(gpu: NullGpu) {
    this.#gpu = gpu;
    this.limits = gpu.limits;
  }

  async requestDevice(...args: unknown[]): Promise<NullDevice> {
    this.#gpu.log('requestDevice', args);
    await this.#gpu.wait('requestDevice');
    const device = new NullDevice(this.#gpu, this);
    this.#gpu.devices.push(device);
    return device;
  }
}

class NullQueue extends NullObject {
  readonly #device: NullDevice;

  constructor(device: NullDevice) {
    super(device.logOf, []);
    this.#device = device;
  }

  submit(buffers: object[]): void {
    this.log('submit', buffers);
    if (buffers.some(isInvalid)) this.#device.scopes.report('validation', 'submit: an invalid command buffer');
  }

  writeBuffer(...args: unknown[]): void {
    this.log('writeBuffer', args);
    if (isInvalid(args[0] as object)) this.#device.scopes.report('validation', 'writeBuffer: an invalid buffer');
  }

  writeTexture(...args: unknown[]): void {
    this.log('writeTexture', args);
  }

  async onSubmittedWorkDone(): Promise<void> {
    await this.answer('onSubmittedWorkDone', []);
  }
}

class NullBuffer extends NullObject {
  readonly size: number;
  #mapped: ArrayBuffer | undefined;

  constructor(
    log: NullLog,
    parts: unknown[],
    { size, mappedAtCreation }: { size: number; mappedAtCreation?: boolean },
  ) {
    super(log, parts);
    this.size = size;
    if (mappedAtCreation) this.#mapped = new ArrayBuffer(Math.min(size, 1 << 16));
  }

  async mapAsync(...args: unknown[]): Promise<void> {
    await this.answer('mapAsync', args);
    if (this.isInvalid) throw new DOMException('the buffer is invalid', 'OperationError');
    this.#mapped = new ArrayBuffer(Math.min(this.size, 1 << 16));
  }

  getMappedRange(offset = 0, size?: number): ArrayBuffer {
    this.log('getMappedRange', [offset, size]);
    const mapped = this.#mapped;
    if (mapped === undefined || offset + (size ?? 0) > mapped.byteLength) {
      throw new DOMException('no such range is mapped', 'OperationError');
    }
    return mapped.slice(offset, size === undefined ? undefined : offset + size);
  }

  unmap(): void {
    this.log('unmap', []);
    this.#mapped = undefined;
  }

  destroy(): void {
    this.log('buffer.destroy', []);
  }
}

class NullTexture extends NullObject {
  createView(descriptor?: object): NullObject {
    this.log('createView', [descriptor]);
    return new NullObject(this.logOf, [this, descriptor]);
  }

  destroy(): void {
    this.log('texture.destroy', []);
  }
}

class NullShaderModule extends NullObject {
  async getCompilationInfo(): Promise<{ messages: object[] }> {
    await this.answer('getCompilationInfo', []);
    return { messages: [{ message: 'well', type: 'info', lineNum: 1, linePos: 2, offset: 3, length: 4 }] };
  }
}

class NullPipeline extends NullObject {
  getBindGroupLayout(index: number): NullObject {
    this.log('getBindGroupLayout', [index]);
    return new NullObject(this.logOf, [this]);
  }
}

class NullQuerySet extends NullObject {
  destroy(): void {
    this.log('querySet.destroy', []);
  }
}

/** The rules by which the host makes objects invalid on purpose; see packages/host/src/invalid-objects.ts. */
function breaksRule(name: string, descriptor: Record<string, unknown>): boolean {
  const entries = (descriptor['entries'] ?? []) as { binding: number }[];
  switch (name) {
    case 'createBuffer':
    case 'createTexture':
      return descriptor['usage'] === 0;
    case 'createSampler':
      return descriptor['maxAnisotropy'] === 0;
    case 'createBindGroupLayout':
      return new Set(entries.map((entry) => entry.binding)).size !== entries.length;
    case 'createShaderModule':
      return descriptor['code'] === '!';
    case 'createQuerySet':
      return descriptor['count'] === 0xffff_ffff;
    case 'createRenderBundleEncoder':
      return (descriptor['colorFormats'] as unknown[]).length === 0 && descriptor['depthStencilFormat'] === undefined;
    default:
      return false;
  }
}

export class NullDevice extends EventTarget {
  label = '';
  readonly scopes: NullScopes;
  readonly queue: NullQueue;
  readonly features = new Set(['core-features-and-limits']);
  readonly limits: Readonly<Record<string, number>>;
  readonly adapterInfo: object;
  readonly lost: Promise<{ reason: string; message: string }>;
  readonly logOf: NullLog;
  destroyed = 0;
  lose!: (info: { reason: string; message: string }) => void;

  constructor(log: NullLog, adapter: NullAdapter) {
    super();
    this.logOf = log;
    this.adapterInfo = adapter.info;
    this.limits = adapter.limits;
    this.queue = new NullQueue(this);
    this.scopes = new NullScopes((error) => this.dispatchEvent(Object.assign(new Event('uncapturederror'), { error })));
    this.lost = new Promise((resolve) => (this.lose = resolve));
  }

  #make<T extends NullObject>(name: string, descriptor: object | undefined, make: (parts: unknown[]) => T): T {
    this.logOf.log(name, [descriptor]);
    const made = make([descriptor]);
    if (breaksRule(name, (descriptor ?? {}) as Record<string, unknown>)) made.isInvalid = true;
    if (made.isInvalid) this.scopes.report('validation', `${name}: invalid`);
    return made;
  }

  createBuffer(descriptor: { size: number; mappedAtCreation?: boolean }): NullBuffer {
    return this.#make('createBuffer', descriptor, (parts) => new NullBuffer(this.logOf, parts, descriptor));
  }

  createTexture(descriptor: object): NullTexture {
    return this.#make('createTexture', descriptor, (parts) => new NullTexture(this.logOf, parts));
  }

  createSampler(descriptor: object): NullObject {
    return this.#make('createSampler', descriptor, (parts) => new NullObject(this.logOf, parts));
  }

  createBindGroupLayout(descriptor: object): NullObject {
    return this.#make('createBindGroupLayout', descriptor, (parts) => new NullObject(this.logOf, parts));
  }

  createPipelineLayout(descriptor: object): NullObject {
    return this.#make('createPipelineLayout', descriptor, (parts) => new NullObject(this.logOf, parts));
  }

  createBindGroup(descriptor: object): NullObject {
    return this.#make('createBindGroup', descriptor, (parts) => new NullObject(this.logOf, parts));
  }

  createShaderModule(descriptor: object): NullShaderModule {
    return this.#make('createShaderModule', descriptor, (parts) => new NullShaderModule(this.logOf, parts));
  }

  createComputePipeline(descriptor: object): NullPipeline {
    return this.#make('createComputePipeline', descriptor, (parts) => new NullPipeline(this.logOf, parts));
  }

  createRenderPipeline(descriptor: object): NullPipeline {
    return this.#make('createRenderPipeline', descriptor, (parts) => new NullPipeline(this.logOf, parts));
  }

  async createComputePipelineAsync(descriptor: object): Promise<NullPipeline> {
    this.logOf.log('createComputePipelineAsync', [descriptor]);
    await this.logOf.wait('createComputePipelineAsync');
    return new NullPipeline(this.logOf, [descriptor]);
  }

  async createRenderPipelineAsync(descriptor: object): Promise<NullPipeline> {
    this.logOf.log('createRenderPipelineAsync', [descriptor]);
    await this.logOf.wait('createRenderPipelineAsync');
    return new NullPipeline(this.logOf, [descriptor]);
  }

  createCommandEncoder(descriptor?: object): NullEncoder {
    return this.#make('createCommandEncoder', descriptor, () => new NullEncoder(this.logOf, this.scopes));
  }

  createRenderBundleEncoder(descriptor: object): NullPass {
    return this.#make('createRenderBundleEncoder', descriptor, () => new NullPass(this.logOf, this.scopes, undefined));
  }

  createQuerySet(descriptor: object): NullQuerySet {
    return this.#make('createQuerySet', descriptor, (parts) => new NullQuerySet(this.logOf, parts));
  }

  pushErrorScope(filter: string): void {
    this.logOf.log('pushErrorScope', [filter]);
    this.scopes.push(filter);
  }

  async popErrorScope(): Promise<object | null> {
    this.logOf.log('popErrorScope', []);
    const error = this.scopes.pop();
    await this.logOf.wait('popErrorScope');
    return error;
  }

  destroy(): void {
    this.logOf.log('device.destroy', []);
    this.destroyed++;
    this.lose({ reason: 'destroyed', message: 'destroyed' });
  }
}
