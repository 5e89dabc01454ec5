import * as guest from '@vesper-gpu/protocol/guest';
import type { Handlers } from '@vesper-gpu/protocol/host';
import { ProtocolError, WireWriter, type HostLimits, type Transport } from '@vesper-gpu/wire';
import { createHandlers } from '../../packages/host/src/handlers/index.ts';
import { DEFAULT_POLICY } from '../../packages/host/src/policy/defaults.ts';
import { HostConnection } from '../../packages/host/src/host-connection.ts';
import { interfaceNumbers } from '../wire/schema.ts';
import { NullGpu } from './null-gpu.ts';

export const LIMITS: HostLimits = {
  maxFrameBytes: 1 << 20,
  maxStringBytes: 1 << 12,
  maxBulkBytes: 1 << 22,
  maxObjects: 64,
};

/** An id's slot with generation 1: what a guest allocates first. */
export function idAt(slot: number, generation = 1): number {
  return (slot | (generation << 22)) >>> 0;
}

/** A transport of which only the frames that were sent are of interest. */
class SinkTransport implements Transport {
  readonly frames: Uint8Array[] = [];
  isClosed = false;

  start(): void {}
  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    this.frames.push(bytes);
    return true;
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    this.isClosed = true;
  }
}

/** What it took to fill an arena. */
interface Recording {
  frames: readonly Uint8Array<ArrayBuffer>[];
  ids: ReadonlyMap<string, number>;
  stale: number;
  reserved: number;
  nextSlot: number;
}

let recorded: Recording | undefined;
let canaryRecord: Int32Array<ArrayBuffer> | undefined;

/** What became of a frame. */
export type Verdict = { refusal: ProtocolError } | { refusal: undefined };

/**
 * A host's connection to a guest that has one object of every interface, an id of each kind that stands for none,
 * and is about to misbehave.
 */
export class Arena {
  readonly gpu = new NullGpu();
  readonly transport = new SinkTransport();
  readonly faults: Error[] = [];
  readonly connection: HostConnection;
  readonly handlers: Handlers;
  /** An id of each interface. */
  readonly ids = new Map<string, number>();
  /** Was bound, and released. */
  stale = 0;
  /** Of an object that a request promised, and that does not exist yet. */
  reserved = 0;
  /** The next slot that was never used. */
  nextSlot = 0;
  readonly #written: Uint8Array<ArrayBuffer>[] = [];
  /** Of the ids that are allocated. */
  #generation = 1;

  private constructor(limits: Partial<HostLimits>) {
    this.connection = new HostConnection(
      this.transport,
      { ...LIMITS, ...limits },
      (error) => this.faults.push(error),
      undefined,
    );
    // A frame is done when it was received.
    this.connection.stream.turnMs = Infinity;
    this.handlers = createHandlers(this.connection, this.gpu.api);
    this.connection.execute(this.handlers, { policy: DEFAULT_POLICY });
  }

  static async open(limits: Partial<HostLimits> = {}): Promise<Arena> {
    const arena = new Arena(limits);
    await (recorded === undefined ? arena.#fill() : arena.#replay(recorded));
    arena.gpu.calls.length = 0;
    return arena;
  }

  /**
   * An arena in which every slot is in use for the second time, each by an object of the interface that it had before.
   * @returns it, and the ids of the first time.
   */
  static async openReused(): Promise<{ arena: Arena; before: ReadonlyMap<string, number> }> {
    const arena = new Arena({});
    await arena.#fill();
    const before = new Map(arena.ids);
    const live = Array.from({ length: arena.nextSlot }, (_, slot) => idAt(slot)).filter((id) => id !== arena.stale);
    arena.write((w) => guest.encodeStreamRelease(w, live));
    arena.#generation = 2;
    arena.nextSlot = 0;
    arena.ids.clear();
    await arena.#fill();
    arena.gpu.calls.length = 0;
    return { arena, before };
  }

  /** Does what the first arena did, from its bytes: thousands are opened. */
  async #replay(model: Recording): Promise<void> {
    for (const [name, id] of model.ids) this.ids.set(name, id);
    ({ stale: this.stale, reserved: this.reserved, nextSlot: this.nextSlot } = model);
    for (const [index, bytes] of model.frames.entries()) {
      // The adapter that never comes is the one of the last frame but one.
      this.gpu.gate = index === model.frames.length - 2 ? () => new Promise(() => {}) : undefined;
      this.connection.receive(bytes);
      if (index < 2) await settle();
    }
    this.gpu.gate = undefined;
  }

  #nextId(): number {
    return idAt(this.nextSlot++, this.#generation);
  }

  /** The next id of `interfaceName`, which is then the one that `idOf` gives. */
  #allocate(interfaceName: string): number {
    const id = this.#nextId();
    this.ids.set(interfaceName, id);
    return id;
  }

  readonly idOf = (interfaceName: string): number => {
    const id = this.ids.get(interfaceName);
    if (id === undefined) throw new Error(`the arena has no ${interfaceName}`);
    return id;
  };

  async #fill(): Promise<void> {
    const [adapter, device, queue] = ['GPUAdapter', 'GPUDevice', 'GPUQueue'].map((name) => this.#allocate(name)) as [
      number,
      number,
      number,
    ];
    this.write((w) =>
      guest.encodeGpuRequestAdapter(w, 1, adapter, {
        featureLevel: 'core',
        forceFallbackAdapter: false,
        xrCompatible: false,
      }),
    );
    await settle();
    this.write((w) =>
      guest.encodeAdapterRequestDevice(w, adapter, 2, device, queue, {
        label: '',
        requiredFeatures: [],
        requiredLimits: undefined,
      }),
    );
    await settle();
    this.write((w) => this.#createObjects(w, device));
    // Never answered: its id stays reserved.
    this.gpu.gate = () => new Promise(() => {});
    this.reserved = this.#nextId();
    this.write((w) =>
      guest.encodeGpuRequestAdapter(w, 3, this.reserved, {
        featureLevel: 'core',
        forceFallbackAdapter: false,
        xrCompatible: false,
      }),
    );
    this.gpu.gate = undefined;
    this.stale = this.#nextId();
    this.write((w) => {
      guest.encodeDeviceCreateCommandEncoder(w, device, this.stale, undefined);
      guest.encodeStreamRelease(w, [this.stale]);
    });
    const missing = [...interfaceNumbers.keys()].filter((name) => !this.ids.has(name));
    if (missing.length > 0) throw new Error(`the arena has no ${missing.join(', ')}`);
    if (this.#generation > 1) return;
    const { ids, stale, reserved, nextSlot } = this;
    recorded = { frames: [...this.#written], ids: new Map(ids), stale, reserved, nextSlot };
  }

  #createObjects(w: WireWriter, device: number): void {
    const make = (name: string): number => this.#allocate(name);
    const colorFormats: guest.api.GPUTextureFormat[] = ['rgba8unorm'];
    const buffer = { label: '', size: 64, usage: 1, mappedAtCreation: false };
    guest.encodeDeviceCreateBuffer(w, device, make('GPUBuffer'), buffer);
    guest.encodeDeviceCreateTexture(w, device, make('GPUTexture'), {
      label: '',
      size: { width: 4, height: 4, depthOrArrayLayers: 1 },
      mipLevelCount: 1,
      sampleCount: 1,
      dimension: '2d',
      format: 'rgba8unorm',
      usage: 1,
      viewFormats: [],
      textureBindingViewDimension: undefined,
    });
    guest.encodeTextureCreateView(w, this.idOf('GPUTexture'), make('GPUTextureView'), undefined);
    guest.encodeDeviceCreateSampler(w, device, make('GPUSampler'), undefined);
    guest.encodeDeviceCreateBindGroupLayout(w, device, make('GPUBindGroupLayout'), { label: '', entries: [] });
    guest.encodeDeviceCreateBindGroup(w, device, make('GPUBindGroup'), {
      label: '',
      layout: this.idOf('GPUBindGroupLayout'),
      entries: [],
    });
    guest.encodeDeviceCreatePipelineLayout(w, device, make('GPUPipelineLayout'), {
      label: '',
      bindGroupLayouts: [],
      immediateSize: 0,
    });
    guest.encodeDeviceCreateShaderModule(w, device, make('GPUShaderModule'), {
      label: '',
      code: 'x',
      compilationHints: [],
    });
    const module = { module: this.idOf('GPUShaderModule'), entryPoint: undefined, constants: undefined };
    guest.encodeDeviceCreateComputePipeline(w, device, make('GPUComputePipeline'), {
      label: '',
      layout: 'auto',
      compute: module,
    });
    guest.encodeDeviceCreateRenderPipeline(w, device, make('GPURenderPipeline'), {
      label: '',
      layout: 'auto',
      vertex: { ...module, buffers: [] },
    });
    guest.encodeDeviceCreateQuerySet(w, device, make('GPUQuerySet'), { label: '', type: 'occlusion', count: 4 });
    this.#createEncoders(w, device, colorFormats);
  }

  #createEncoders(w: WireWriter, device: number, colorFormats: guest.api.GPUTextureFormat[]): void {
    const bundle = { label: '', colorFormats, sampleCount: 1, depthReadOnly: false, stencilReadOnly: false };
    const make = (name: string): number => this.#allocate(name);
    guest.encodeDeviceCreateRenderBundleEncoder(w, device, make('GPURenderBundleEncoder'), bundle);
    guest.encodeStreamSelectEncoder(w, this.idOf('GPURenderBundleEncoder'));
    guest.encodeRenderBundleEncoderFinish(w, make('GPURenderBundle'), undefined);
    guest.encodeDeviceCreateRenderBundleEncoder(w, device, make('GPURenderBundleEncoder'), bundle);
    guest.encodeDeviceCreateCommandEncoder(w, device, make('GPUCommandEncoder'), undefined);
    guest.encodeStreamSelectEncoder(w, this.idOf('GPUCommandEncoder'));
    guest.encodeCommandEncoderFinish(w, make('GPUCommandBuffer'), undefined);
    guest.encodeDeviceCreateCommandEncoder(w, device, make('GPUCommandEncoder'), undefined);
    guest.encodeStreamSelectEncoder(w, this.idOf('GPUCommandEncoder'));
    const view = this.idOf('GPUTextureView');
    guest.encodeCommandEncoderBeginRenderPass(w, make('GPURenderPassEncoder'), {
      label: '',
      colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store' }],
      maxDrawCount: 50_000_000,
    });
    guest.encodeCommandEncoderBeginComputePass(w, make('GPUComputePassEncoder'), undefined);
  }

  /** The ids that a command may allocate next. */
  freshIds(count: number): number[] {
    return Array.from({ length: count }, (_, index) => idAt(this.nextSlot + index));
  }

  /** Sends what `write` encodes, which must be right. */
  write(write: (writer: WireWriter) => void): void {
    const writer = new WireWriter();
    write(writer);
    const bytes = writer.takeFrame();
    this.#written.push(bytes);
    this.connection.receive(bytes);
  }

  /** Sends one frame of these records, which may be wrong. Anything but a ProtocolError is thrown. */
  send(...records: readonly Int32Array[]): Verdict {
    return this.sendBytes(frame(...records));
  }

  sendBytes(bytes: Uint8Array): Verdict {
    try {
      this.connection.receive(bytes);
    } catch (error) {
      if (error instanceof ProtocolError) return { refusal: error };
      throw error;
    }
    return { refusal: undefined };
  }

  /** A record which, when it is run, leaves a trace: the label of the queue. */
  canary(): Int32Array<ArrayBuffer> {
    if (canaryRecord !== undefined) return canaryRecord;
    const writer = new WireWriter();
    guest.encodeObjectBaseLabel(writer, this.idOf('GPUQueue'), 'canary');
    canaryRecord = new Int32Array(writer.takeFrame().buffer.slice(4));
    return canaryRecord;
  }

  get canaryRan(): boolean {
    return this.gpu.devices[0]!.queue.label === 'canary';
  }
}

export function frame(...records: readonly Int32Array[]): Uint8Array<ArrayBuffer> {
  const words = new Int32Array(records.reduce((sum, record) => sum + record.length, 1));
  words[0] = words.byteLength;
  let at = 1;
  for (const record of records) {
    words.set(record, at);
    at += record.length;
  }
  return new Uint8Array(words.buffer);
}

/** Lets everything run that waits for no more than promises. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await Promise.resolve();
}
