import { createHash, type Hash } from 'node:crypto';
import type { api } from '@vesper-gpu/protocol/host';
import { NullScopes } from '../hostile/null-objects.ts';

/** An answer that the GPU owes: the scheduler says when it comes. */
export type Answers = (answer: () => void) => void;

/** What the GPU of one guest was told to do, in order; answers are not part of it, as they come at any time. */
export class CallTrace {
  readonly #hash: Hash = createHash('sha256');
  count = 0;
  /** The digest after each call, so that a trace that ends early can be compared with a whole one. */
  readonly digests: string[] = [];

  add(name: string, ...details: unknown[]): void {
    this.#hash.update(`${name} ${details.map(String).join(' ')}\n`);
    this.digests.push(this.#hash.copy().digest('hex').slice(0, 16));
    this.count++;
  }
}

class StubObject {
  label = '';
}

class StubBuffer extends StubObject {
  bytes: Uint8Array;
  readonly size: number;
  isInvalid: boolean;
  isDestroyed = false;
  readonly #device: StubDevice;
  #mapped = false;

  constructor(device: StubDevice, { size, usage }: { size: number; usage: number }) {
    super();
    this.#device = device;
    this.size = size;
    this.isInvalid = usage === 0;
    this.bytes = new Uint8Array(this.isInvalid ? 0 : size);
  }

  mapAsync(mode: number): Promise<void> {
    this.#device.note('mapAsync', mode);
    return this.#device.answer(() => {
      if (this.isInvalid || this.isDestroyed || this.#device.isLost)
        throw new DOMException('cannot be mapped', 'OperationError');
      this.#mapped = true;
    });
  }

  getMappedRange(offset = 0, size = this.size - offset): ArrayBuffer {
    if (!this.#mapped) throw new DOMException('not mapped', 'OperationError');
    // The backend's own memory: what is written is there.
    if (offset === 0 && size === this.size) return this.bytes.buffer as ArrayBuffer;
    return this.bytes.slice(offset, offset + size).buffer;
  }

  unmap(): void {
    this.#device.note('unmap', digest(this.bytes));
    this.#mapped = false;
  }

  destroy(): void {
    this.#device.note('buffer.destroy');
    this.isDestroyed = true;
  }
}

class StubEncoder extends StubObject {
  readonly #copies: (() => void)[] = [];
  readonly #device: StubDevice;

  constructor(device: StubDevice) {
    super();
    this.#device = device;
  }

  copyBufferToBuffer(source: StubBuffer, sourceOffset: number, target: StubBuffer, offset: number, size: number): void {
    this.#device.note('copyBufferToBuffer', sourceOffset, offset, size);
    this.#copies.push(() => target.bytes.set(source.bytes.subarray(sourceOffset, sourceOffset + size), offset));
  }

  clearBuffer(target: StubBuffer): void {
    this.#device.note('clearBuffer');
    this.#copies.push(() => target.bytes.fill(0));
  }

  finish(): object {
    this.#device.note('finish');
    return { label: '', copies: this.#copies };
  }
}

/** A device that really moves bytes between buffers, and answers when the scheduler says so. */
export class StubDevice extends EventTarget {
  label = '';
  readonly calls: CallTrace;
  readonly features = new Set(['core-features-and-limits']);
  readonly limits = { maxBufferSize: 1 << 28 };
  readonly adapterInfo = { vendor: 'stub', architecture: '', device: '', description: '', isFallbackAdapter: true };
  readonly lost: Promise<{ reason: string; message: string }>;
  readonly queue: object;
  readonly #answers: Answers;
  readonly #scopes: NullScopes;
  #lose!: (info: { reason: string; message: string }) => void;
  isLost = false;

  constructor(calls: CallTrace, answers: Answers) {
    super();
    this.calls = calls;
    this.#answers = answers;
    this.lost = new Promise((resolve) => (this.#lose = resolve));
    this.#scopes = new NullScopes((error) =>
      this.dispatchEvent(Object.assign(new Event('uncapturederror'), { error })),
    );
    this.queue = {
      label: '',
      submit: (buffers: { copies: (() => void)[] }[]) => {
        this.note('submit', buffers.length);
        for (const { copies } of buffers) for (const copy of copies) copy();
      },
      writeBuffer: (buffer: StubBuffer, offset: number, data: Uint8Array) => {
        this.note('writeBuffer', offset, digest(data));
        if (buffer.isInvalid || buffer.isDestroyed || offset + data.byteLength > buffer.size)
          this.#report('writeBuffer: no such range');
        else buffer.bytes.set(data, offset);
      },
      onSubmittedWorkDone: () => this.answer(() => {}),
    };
  }

  /** Of a device that is lost, the host makes objects of its own at its own time: they are no part of the trace. */
  note(name: string, ...details: unknown[]): void {
    if (!this.isLost) this.calls.add(name, ...details);
  }

  #report(message: string): void {
    if (!this.isLost) this.#scopes.report('validation', message);
  }

  /** Promises what `run` gives, when the scheduler lets it run. */
  answer<T>(run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#answers(() => {
        try {
          resolve(run());
        } catch (error) {
          reject(error as Error);
        }
      });
    });
  }

  createBuffer(descriptor: { size: number; usage: number; label?: string }): StubBuffer {
    this.note('createBuffer', descriptor.size, descriptor.usage, descriptor.label);
    if (descriptor.usage === 0) this.#report(`createBuffer: no usage: ${descriptor.label}`);
    return new StubBuffer(this, descriptor);
  }

  createShaderModule({ code }: { code: string }): object {
    this.note('createShaderModule', code);
    return { label: '', getCompilationInfo: () => this.answer(() => ({ messages: [message(code)] })) };
  }

  /** For the host alone, which makes one that stands for those of a lost device. */
  createComputePipeline(): object {
    return new StubObject();
  }

  createComputePipelineAsync(): Promise<object> {
    this.note('createComputePipelineAsync');
    return this.answer(() => new StubObject());
  }

  createCommandEncoder(): StubEncoder {
    this.note('createCommandEncoder');
    return new StubEncoder(this);
  }

  pushErrorScope(filter: string): void {
    this.#scopes.push(filter);
  }

  popErrorScope(): Promise<object | null> {
    if (this.isLost) return Promise.resolve(null);
    const error = this.#scopes.pop();
    return this.answer(() => error);
  }

  destroy(): void {
    if (this.isLost) return;
    this.note('device.destroy');
    this.isLost = true;
    this.#answers(() => this.#lose({ reason: 'destroyed', message: 'destroyed' }));
  }
}

function message(text: string): object {
  return { message: text, type: 'info', lineNum: 1, linePos: 1, offset: 0, length: 1 };
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** The WebGPU of one host process. */
export class StubGpu {
  readonly calls = new CallTrace();
  readonly devices: StubDevice[] = [];
  readonly wgslLanguageFeatures = new Set<string>();
  readonly #answers: Answers;

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  getPreferredCanvasFormat(): string {
    return 'bgra8unorm';
  }

  requestAdapter(): Promise<object> {
    this.calls.add('requestAdapter');
    const adapter = {
      features: new Set(['core-features-and-limits']),
      limits: { maxBufferSize: 1 << 28 },
      info: { vendor: 'stub', architecture: '', device: '', description: '', isFallbackAdapter: true },
      requestDevice: () => {
        this.calls.add('requestDevice');
        const device = new StubDevice(this.calls, this.#answers);
        this.devices.push(device);
        return device.answer(() => device);
      },
    };
    return new Promise((resolve) => this.#answers(() => resolve(adapter)));
  }

  /** As the type that the host takes. */
  get api(): api.GPU {
    return this as unknown as api.GPU;
  }
}
