import { commands, interfaceNumbers, type CommandSchema } from '../wire/schema.ts';
import { commandOf, GuestModel, Released, type GuestObject, type Step } from './guest-model.ts';
import { Random } from './random.ts';
import { COMPUTE, program, RENDER } from './shaders.ts';
import { Values } from './values.ts';

/** What a backend can bear. */
export interface Bearing {
  /**
   * Whether what takes long or much memory is really done: then sizes, counts and shaders are small, so that what a
   * sequence finds is a fault and not a long wait. What may take how long is for budgets to say.
   */
  readonly isReal: boolean;
  /** One sequence in so many uses ids that it should not, and harms records. */
  readonly wildOneIn: number;
}

const BUFFER = {
  MAP_READ: 1,
  MAP_WRITE: 2,
  COPY_SRC: 4,
  COPY_DST: 8,
  INDEX: 16,
  VERTEX: 32,
  UNIFORM: 64,
  STORAGE: 128,
  INDIRECT: 256,
  QUERY_RESOLVE: 512,
};
const BUFFER_USAGES = [
  BUFFER.MAP_READ | BUFFER.COPY_DST,
  BUFFER.MAP_WRITE | BUFFER.COPY_SRC,
  BUFFER.COPY_SRC | BUFFER.COPY_DST | BUFFER.STORAGE,
  BUFFER.COPY_SRC | BUFFER.COPY_DST | BUFFER.UNIFORM | BUFFER.VERTEX | BUFFER.INDEX,
  BUFFER.QUERY_RESOLVE | BUFFER.COPY_SRC,
  // Nothing writes to it but the guest's few small numbers.
  BUFFER.INDIRECT,
];
const FORMATS = [
  'rgba8unorm',
  'rgba8unorm',
  'bgra8unorm',
  'r32float',
  'r8uint',
  'depth24plus-stencil8',
  'depth32float',
  'bc1-rgba-unorm',
  'rgba16float',
  'stencil8',
];
const TEXTURE_USAGES = [1, 2, 3, 4, 8, 16, 1 | 2 | 4 | 16, 31, 0, 64];
const ENCODER_TYPES = ['GPUCommandEncoder', 'GPUComputePassEncoder', 'GPURenderPassEncoder', 'GPURenderBundleEncoder'];
/** How much goes on at once, and how often something unrelated comes between. */
const FLOWS = 3;
const NOISE_ONE_IN = 4;

type Flow = Generator<void, void>;

/** A guest that makes one sequence of commands after another in one session. */
export class SequenceMaker {
  readonly model: GuestModel;
  readonly #bearing: Bearing;
  #random: Random;
  #values: Values;
  /** Whether the last sequence may have left the host with other objects than the guest knows of. */
  isWild = false;
  /** Whether the device was destroyed: the session has served its turn. */
  isOver = false;
  #adapter!: GuestObject;
  #device!: GuestObject;
  #queue!: GuestObject;

  constructor(bearing: Bearing) {
    this.#bearing = bearing;
    this.#random = new Random(0);
    this.model = new GuestModel(this.#random);
    this.model.mayHarm = (command) => !bearing.isReal || !spends(command);
    this.#values = this.#valuesOf(this.#random);
  }

  /** What a guest sends until it has an object of each interface; the objects in the order of their slots. */
  static oneOfEach(): { steps: Step[]; objects: GuestObject[] } {
    const maker = new SequenceMaker({ isReal: true, wildOneIn: 1 });
    maker.#random = new Random(1);
    const steps = maker.begin();
    for (const type of interfaceNumbers.keys()) if (!isRoot(type)) maker.#make(type);
    maker.model.flush(false);
    steps.push(...maker.model.takeSteps());
    const slotOf = (object: GuestObject): number => object.id & 0x3f_ffff;
    const objects = [...interfaceNumbers.keys()].flatMap((type) => maker.model.live(type));
    return { steps, objects: objects.toSorted((a, b) => slotOf(a) - slotOf(b)) };
  }

  #valuesOf(random: Random): Values {
    return new Values(
      random,
      (interfaces) => this.model.use(this.#need(interfaces)),
      (owner, field) => this.#override(owner, field),
    );
  }

  /** An adapter, a device, its queue: what a session begins with. */
  begin(): Step[] {
    const [adapter] = this.model.call('GPU.requestAdapter', undefined, ADAPTER_OPTIONS);
    this.model.wait(adapter!);
    const [device, queue] = this.model.call('GPUAdapter.requestDevice', adapter!, DEVICE_DESCRIPTOR);
    this.model.wait(device!, queue!);
    this.#adapter = adapter!;
    this.#device = device!;
    this.#queue = queue!;
    return this.model.takeSteps();
  }

  /** One sequence: some flows interleaved, with noise between; then everything is let go. */
  next(random: Random): Step[] {
    const { model } = this;
    this.#random = random;
    model.random = random;
    this.#values = this.#valuesOf(random);
    this.isWild = random.oneIn(this.#bearing.wildOneIn);
    model.badIdOneIn = this.isWild ? 30 + random.below(200) : 0;
    model.harmOneIn = this.isWild ? 10 + random.below(60) : 0;
    const flows = Array.from({ length: 1 + random.below(FLOWS) }, () => this.#flow());
    for (let left = 20 + random.below(40); left > 0; left--) {
      if (flows.length === 0 || random.oneIn(NOISE_ONE_IN)) this.#attempt(() => this.#noise());
      else this.#advance(flows, random.below(flows.length));
    }
    for (; model.scopeDepth > 0; model.scopeDepth--)
      this.#attempt(() => void model.call('GPUDevice.popErrorScope', this.#device));
    model.flush(random.oneIn(2));
    model.releaseAll();
    model.wait();
    return model.takeSteps();
  }

  #advance(flows: Flow[], index: number): void {
    const isThrough = this.#attempt(() => flows[index]!.next().done === true) ?? true;
    if (isThrough) flows.splice(index, 1);
  }

  #attempt<T>(act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      if (error instanceof Released) return undefined;
      throw error;
    }
  }

  #flow(): Flow {
    switch (this.#random.below(this.#bearing.isReal ? 9 : 8)) {
      case 0:
      case 1:
        return this.#computing();
      case 2:
      case 3:
        return this.#rendering();
      case 4:
        return this.#mapping();
      case 5:
        return this.#copying();
      case 6:
        return this.#bundling();
      case 7:
        return this.#random.oneIn(this.#bearing.isReal ? 12 : 2) ? this.#secondDevice() : this.#querying();
      default:
        return this.#mapping();
    }
  }

  // What programs do, each step of which something else may come before.

  *#computing(): Flow {
    const { model } = this;
    const random = this.#random;
    const [module] = model.call('GPUDevice.createShaderModule', this.#device, shader(program(random, COMPUTE)));
    if (random.oneIn(6)) model.call('GPUShaderModule.getCompilationInfo', module!);
    yield;
    const compute = {
      module: model.use(module!),
      entryPoint: random.oneIn(8) ? 'fs' : undefined,
      constants: random.oneIn(4) ? [['scale', 3]] : [],
    };
    const descriptor = { label: '', layout: 'auto', compute };
    if (random.oneIn(6)) model.call('GPUDevice.createComputePipelineAsync', this.#device, descriptor);
    const [pipeline] = model.call('GPUDevice.createComputePipeline', this.#device, descriptor);
    yield;
    const [layout] = model.call('GPUPipelineBase.getBindGroupLayout', pipeline!, random.oneIn(12) ? 1 : 0);
    const buffer = this.#buffer(BUFFER.STORAGE | BUFFER.COPY_SRC | BUFFER.COPY_DST, 64);
    yield;
    const resource = { buffer: model.use(buffer), offset: 0, size: random.oneIn(8) ? 60 : undefined };
    const entries = [{ binding: random.oneIn(20) ? 1 : 0, resource }];
    const [group] = model.call('GPUDevice.createBindGroup', this.#device, {
      label: '',
      layout: model.use(layout!),
      entries,
    });
    model.call('GPUQueue.writeBuffer', this.#queue, model.use(buffer), 0, small(random, 16));
    yield;
    const [encoder] = model.call('GPUDevice.createCommandEncoder', this.#device, undefined);
    const [pass] = model.call('GPUCommandEncoder.beginComputePass', encoder!, undefined);
    yield;
    for (let left = 1 + random.below(3); left > 0; left--) {
      model.call('GPUComputePassEncoder.setPipeline', pass!, model.use(pipeline!));
      if (!random.oneIn(10))
        model.call('GPUBindingCommandsMixin.setBindGroup', pass!, 0, model.use(group!), random.oneIn(10) ? [0] : []);
      yield;
      model.call('GPUComputePassEncoder.dispatchWorkgroups', pass!, random.below(6), 1, random.below(3));
      yield;
    }
    this.#end(pass!, 'GPUComputePassEncoder.end');
    yield;
    if (random.oneIn(3)) {
      const target = this.#buffer(BUFFER.MAP_READ | BUFFER.COPY_DST, 64);
      model.call('GPUCommandEncoder.copyBufferToBuffer', encoder!, model.use(buffer), 0, model.use(target), 0, 64);
      yield* this.#submitting(encoder!);
      yield* this.#reading(target);
      return;
    }
    yield* this.#submitting(encoder!);
  }

  *#rendering(): Flow {
    const { model } = this;
    const random = this.#random;
    const [module] = model.call('GPUDevice.createShaderModule', this.#device, shader(program(random, RENDER)));
    const texture = this.#texture('rgba8unorm', 1 | 2 | 16);
    yield;
    const [view] = model.call('GPUTexture.createView', texture, undefined);
    const stage = (entryPoint: string) => ({
      module: model.use(module!),
      entryPoint: random.oneIn(8) ? undefined : entryPoint,
      constants: [],
    });
    const descriptor = {
      label: '',
      layout: 'auto',
      vertex: {
        ...stage('vs'),
        buffers: random.oneIn(6)
          ? [{ arrayStride: 16, attributes: [{ format: 'float32x4', offset: 0, shaderLocation: 0 }] }]
          : [],
      },
      fragment: { ...stage('fs'), targets: [{ format: random.oneIn(10) ? 'r8unorm' : 'rgba8unorm' }] },
    };
    const [pipeline] = model.call('GPUDevice.createRenderPipeline', this.#device, descriptor);
    yield;
    const [encoder] = model.call('GPUDevice.createCommandEncoder', this.#device, undefined);
    const attachment = {
      view: model.use(view!),
      loadOp: random.oneIn(2) ? 'clear' : 'load',
      storeOp: random.oneIn(4) ? 'discard' : 'store',
    };
    const [pass] = model.call('GPUCommandEncoder.beginRenderPass', encoder!, {
      label: '',
      colorAttachments: random.oneIn(10) ? [null, attachment] : [attachment],
      maxDrawCount: 50_000_000,
    });
    yield;
    model.call('GPURenderCommandsMixin.setPipeline', pass!, model.use(pipeline!));
    for (let left = random.below(4); left > 0; left--) {
      yield;
      this.#renderState(pass!);
    }
    yield;
    model.call('GPURenderCommandsMixin.draw', pass!, random.below(7), 1 + random.below(2), 0, 0);
    yield;
    if (random.oneIn(3)) this.#drawOtherwise(pass!);
    this.#end(pass!, 'GPURenderPassEncoder.end');
    yield* this.#submitting(encoder!);
  }

  #renderState(pass: GuestObject): void {
    const { model } = this;
    const random = this.#random;
    const buffer = (usage: number): number => model.use(this.#buffer(usage, 256));
    switch (random.below(5)) {
      case 0:
        return void model.call('GPURenderPassEncoder.setViewport', pass, 0, 0, random.below(20), 8, 0, 1);
      case 1:
        return void model.call('GPURenderPassEncoder.setScissorRect', pass, random.below(4), 0, random.below(9), 4);
      case 2:
        return void model.call('GPURenderPassEncoder.setBlendConstant', pass, { r: 1, g: 0, b: NaN, a: 1 });
      case 3:
        return void model.call(
          'GPURenderCommandsMixin.setVertexBuffer',
          pass,
          random.below(9),
          random.oneIn(6) ? null : buffer(BUFFER.VERTEX | BUFFER.COPY_DST),
          4 * random.below(4),
          undefined,
        );
      default:
        return void model.call(
          'GPURenderCommandsMixin.setIndexBuffer',
          pass,
          buffer(BUFFER.INDEX | BUFFER.COPY_DST),
          random.pick(['uint16', 'uint32']),
          0,
          random.oneIn(3) ? 8 : undefined,
        );
    }
  }

  #drawOtherwise(pass: GuestObject): void {
    const { model } = this;
    const random = this.#random;
    const indirect = (): number => model.use(this.#buffer(BUFFER.INDIRECT, 64));
    switch (random.below(3)) {
      case 0:
        return void model.call(
          'GPURenderCommandsMixin.drawIndexed',
          pass,
          random.below(7),
          1,
          random.below(3),
          random.below(3) - 1,
          0,
        );
      case 1:
        return void model.call('GPURenderCommandsMixin.drawIndirect', pass, indirect(), 4 * random.below(16));
      default:
        return void model.call('GPURenderCommandsMixin.drawIndexedIndirect', pass, indirect(), 4 * random.below(16));
    }
  }

  *#submitting(encoder: GuestObject): Flow {
    const { model } = this;
    const random = this.#random;
    yield;
    const [buffer] = model.call('GPUCommandEncoder.finish', encoder, undefined);
    encoder.isOpen = false;
    yield;
    const list = [model.use(buffer!)];
    if (random.oneIn(12)) list.push(model.use(buffer!));
    model.call('GPUQueue.submit', this.#queue, list);
    if (random.oneIn(5)) model.call('GPUQueue.onSubmittedWorkDone', this.#queue);
    // A second time it is invalid.
    if (random.oneIn(12)) model.call('GPUQueue.submit', this.#queue, list);
  }

  *#reading(buffer: GuestObject): Flow {
    const { model } = this;
    const random = this.#random;
    model.call('GPUBuffer.mapAsync', buffer, 1, random.oneIn(8) ? 8 : 0, random.oneIn(3) ? 16 : undefined);
    if (random.oneIn(2)) model.wait();
    yield;
    if (random.oneIn(6)) model.call('GPUBuffer.destroy', buffer);
    model.call('GPUBuffer.unmap', buffer, []);
  }

  *#mapping(): Flow {
    const { model } = this;
    const random = this.#random;
    if (random.oneIn(3)) {
      yield* this.#reading(this.#buffer(BUFFER.MAP_READ | BUFFER.COPY_DST, 4 * random.below(64)));
      return;
    }
    const isMapped = random.oneIn(2);
    const buffer = this.#buffer(BUFFER.MAP_WRITE | BUFFER.COPY_SRC, 256, isMapped);
    yield;
    if (!isMapped) {
      model.call('GPUBuffer.mapAsync', buffer, 2, 0, undefined);
      if (!random.oneIn(4)) model.wait();
      yield;
    }
    const writes = Array.from({ length: random.below(3) }, () => ({
      offset: 8 * random.below(36),
      data: small(random, 1 + random.below(6)),
    }));
    model.call('GPUBuffer.unmap', buffer, writes);
    yield;
    if (random.oneIn(3)) model.call('GPUBuffer.mapAsync', buffer, random.below(4), 8 * random.below(4), undefined);
    yield;
    model.call('GPUBuffer.destroy', buffer);
  }

  *#copying(): Flow {
    const { model } = this;
    const random = this.#random;
    const texture = this.#texture('rgba8unorm', 1 | 2);
    const buffer = this.#buffer(BUFFER.COPY_SRC | BUFFER.COPY_DST, 4096);
    yield;
    const extent = { width: random.below(9), height: random.below(9), depthOrArrayLayers: random.oneIn(10) ? 2 : 1 };
    const info = {
      texture: model.use(texture),
      mipLevel: random.oneIn(10) ? 1 : 0,
      origin: random.oneIn(10) ? { x: 1, y: 1, z: 0 } : undefined,
      aspect: 'all',
    };
    const layout = {
      offset: 4 * random.below(3),
      bytesPerRow: random.oneIn(8) ? undefined : 256,
      rowsPerImage: random.oneIn(3) ? 8 : undefined,
    };
    model.call(
      'GPUQueue.writeTexture',
      this.#queue,
      info,
      layout,
      extent,
      new Uint8Array(random.oneIn(6) ? 4 * random.below(90) : 2400).fill(random.below(4)),
    );
    yield;
    const [encoder] = model.call('GPUDevice.createCommandEncoder', this.#device, undefined);
    const place = { ...layout, buffer: model.use(buffer) };
    for (let left = 1 + random.below(3); left > 0; left--) {
      yield;
      model.use(texture);
      model.use(buffer);
      if (random.oneIn(2)) model.call('GPUCommandEncoder.copyTextureToBuffer', encoder!, info, place, extent);
      else if (random.oneIn(3))
        model.call('GPUCommandEncoder.clearBuffer', encoder!, model.use(buffer), 4 * random.below(4), undefined);
      else model.call('GPUCommandEncoder.copyBufferToTexture', encoder!, place, info, extent);
    }
    yield* this.#submitting(encoder!);
  }

  *#bundling(): Flow {
    const { model } = this;
    const bundle = {
      label: '',
      colorFormats: ['rgba8unorm'],
      sampleCount: 1,
      depthReadOnly: false,
      stencilReadOnly: false,
    };
    const [encoder] = model.call('GPUDevice.createRenderBundleEncoder', this.#device, bundle);
    yield;
    model.call('GPUDebugCommandsMixin.pushDebugGroup', encoder!, 'g');
    if (!this.#random.oneIn(6)) model.call('GPUDebugCommandsMixin.popDebugGroup', encoder!);
    yield;
    const [made] = model.call('GPURenderBundleEncoder.finish', encoder!, undefined);
    encoder!.isOpen = false;
    const [view] = model.call('GPUTexture.createView', this.#texture('rgba8unorm', 16), undefined);
    yield;
    const [commandEncoder] = model.call('GPUDevice.createCommandEncoder', this.#device, undefined);
    const colorAttachments = [
      { view: model.use(view!), loadOp: 'clear', storeOp: 'store', clearValue: { r: 0, g: 1, b: 0, a: 1 } },
    ];
    const [pass] = model.call('GPUCommandEncoder.beginRenderPass', commandEncoder!, {
      label: '',
      colorAttachments,
      maxDrawCount: 1,
    });
    yield;
    model.call('GPURenderPassEncoder.executeBundles', pass!, [model.use(made!)]);
    this.#end(pass!, 'GPURenderPassEncoder.end');
    yield* this.#submitting(commandEncoder!);
  }

  *#querying(): Flow {
    const { model } = this;
    const random = this.#random;
    const [set] = model.call('GPUDevice.createQuerySet', this.#device, {
      label: '',
      type: 'occlusion',
      count: 1 + random.below(8),
    });
    const [view] = model.call('GPUTexture.createView', this.#texture('rgba8unorm', 16), undefined);
    yield;
    const [encoder] = model.call('GPUDevice.createCommandEncoder', this.#device, undefined);
    const colorAttachments = [{ view: model.use(view!), loadOp: 'clear', storeOp: 'store' }];
    const [pass] = model.call('GPUCommandEncoder.beginRenderPass', encoder!, {
      label: '',
      colorAttachments,
      occlusionQuerySet: model.use(set!),
      maxDrawCount: 1,
    });
    yield;
    model.call('GPURenderPassEncoder.beginOcclusionQuery', pass!, random.below(4));
    yield;
    if (!random.oneIn(6)) model.call('GPURenderPassEncoder.endOcclusionQuery', pass!);
    this.#end(pass!, 'GPURenderPassEncoder.end');
    yield;
    const target = this.#buffer(BUFFER.QUERY_RESOLVE | BUFFER.COPY_SRC, 256);
    model.call(
      'GPUCommandEncoder.resolveQuerySet',
      encoder!,
      model.use(set!),
      0,
      1 + random.below(4),
      model.use(target),
      random.oneIn(6) ? 128 : 0,
    );
    yield* this.#submitting(encoder!);
    if (random.oneIn(3)) model.call('GPUQuerySet.destroy', set!);
  }

  /** A device of its own, some use of it, and its end. */
  *#secondDevice(): Flow {
    const { model } = this;
    const random = this.#random;
    const [adapter] = model.call('GPU.requestAdapter', undefined, ADAPTER_OPTIONS);
    model.wait(adapter!);
    const [device, queue] = model.call('GPUAdapter.requestDevice', adapter!, DEVICE_DESCRIPTOR);
    // Of a device that cannot be had nothing may be used.
    model.wait(device!, queue!);
    yield;
    const [buffer] = model.call('GPUDevice.createBuffer', device!, {
      label: '',
      size: 16,
      usage: 9,
      mappedAtCreation: false,
    });
    const [encoder] = model.call('GPUDevice.createCommandEncoder', device!, undefined);
    yield;
    // Of another device than its encoder.
    if (random.oneIn(2))
      model.call('GPUCommandEncoder.clearBuffer', encoder!, model.use(this.#need(['GPUBuffer'])), 0, undefined);
    const requests = random.oneIn(2);
    if (requests) model.call('GPUBuffer.mapAsync', buffer!, 1, 0, undefined);
    if (random.oneIn(2)) model.call('GPUDevice.pushErrorScope', device!, 'validation');
    yield;
    if (random.oneIn(2)) model.call('GPUDevice.destroy', device!);
    yield;
    model.call('GPUQueue.onSubmittedWorkDone', queue!);
    if (random.oneIn(2)) model.release([device!, queue!].filter((one) => one.isLive));
  }

  #end(pass: GuestObject, command: string): void {
    this.model.call(command, pass);
    pass.isOpen = false;
  }

  // Objects.

  #buffer(usage: number, size: number, mappedAtCreation = false): GuestObject {
    const random = this.#random;
    const isIndirect = (usage & BUFFER.INDIRECT) !== 0;
    const isMapped = mappedAtCreation || isIndirect;
    const descriptor = { label: '', size, usage: random.oneIn(30) ? 0 : usage, mappedAtCreation: isMapped };
    const [buffer] = this.model.call('GPUDevice.createBuffer', this.#device, descriptor);
    if (isIndirect) this.model.call('GPUBuffer.unmap', buffer!, [{ offset: 0, data: small(random, size / 4) }]);
    return buffer!;
  }

  #texture(format: string, usage: number): GuestObject {
    const random = this.#random;
    const size = { width: random.oneIn(12) ? 0 : 8, height: 8, depthOrArrayLayers: random.oneIn(8) ? 2 : 1 };
    const descriptor = {
      label: '',
      size,
      mipLevelCount: 1,
      sampleCount: 1,
      dimension: '2d',
      format,
      usage,
      viewFormats: [],
    };
    return this.model.call('GPUDevice.createTexture', this.#device, descriptor)[0]!;
  }

  /** An object of one of these interfaces: one that is there, or a new one. */
  #need(interfaces: readonly string[]): GuestObject {
    const crossing = interfaces.filter((name) => interfaceNumbers.has(name));
    const found = this.model.find(crossing);
    if (found !== undefined && (!this.#random.oneIn(4) || isRoot(found.type))) return found;
    return this.#make(this.#random.pick(crossing)) ?? found ?? this.#device;
  }

  #make(type: string): GuestObject | undefined {
    const { model } = this;
    const device = this.#device;
    switch (type) {
      case 'GPUBuffer':
        return this.#buffer(this.#random.pick(BUFFER_USAGES), 256);
      case 'GPUTexture':
        return this.#texture('rgba8unorm', 31);
      case 'GPUTextureView':
        return model.call('GPUTexture.createView', this.#need(['GPUTexture']), undefined)[0];
      case 'GPUSampler':
        return model.call('GPUDevice.createSampler', device, undefined)[0];
      case 'GPUBindGroupLayout':
        return model.call('GPUDevice.createBindGroupLayout', device, { label: '', entries: [] })[0];
      case 'GPUPipelineLayout':
        return model.call('GPUDevice.createPipelineLayout', device, {
          label: '',
          bindGroupLayouts: [],
          immediateSize: 0,
        })[0];
      case 'GPUBindGroup': {
        const layout = model.use(this.#need(['GPUBindGroupLayout']));
        return model.call('GPUDevice.createBindGroup', device, { label: '', layout, entries: [] })[0];
      }
      case 'GPUShaderModule':
        return model.call('GPUDevice.createShaderModule', device, shader(program(this.#random, COMPUTE)))[0];
      case 'GPUComputePipeline': {
        const module = model.use(this.#need(['GPUShaderModule']));
        return model.call('GPUDevice.createComputePipeline', device, {
          label: '',
          layout: 'auto',
          compute: { module, constants: [] },
        })[0];
      }
      case 'GPURenderPipeline': {
        const module = model.use(this.#need(['GPUShaderModule']));
        return model.call('GPUDevice.createRenderPipeline', device, {
          label: '',
          layout: 'auto',
          vertex: { module, constants: [], buffers: [] },
        })[0];
      }
      default:
        return this.#makeEncoder(type);
    }
  }

  #makeEncoder(type: string): GuestObject | undefined {
    const { model } = this;
    const device = this.#device;
    switch (type) {
      case 'GPUQuerySet':
        return model.call('GPUDevice.createQuerySet', device, { label: '', type: 'occlusion', count: 4 })[0];
      case 'GPUCommandEncoder':
        return model.call('GPUDevice.createCommandEncoder', device, undefined)[0];
      case 'GPUComputePassEncoder':
        return model.call('GPUCommandEncoder.beginComputePass', this.#need(['GPUCommandEncoder']), undefined)[0];
      case 'GPURenderPassEncoder': {
        const colorAttachments = [
          { view: model.use(this.#need(['GPUTextureView'])), loadOp: 'clear', storeOp: 'store' },
        ];
        return model.call('GPUCommandEncoder.beginRenderPass', this.#need(['GPUCommandEncoder']), {
          label: '',
          colorAttachments,
          maxDrawCount: 1,
        })[0];
      }
      case 'GPURenderBundleEncoder':
        return model.call('GPUDevice.createRenderBundleEncoder', device, {
          label: '',
          colorFormats: ['rgba8unorm'],
          sampleCount: 1,
        })[0];
      case 'GPURenderBundle':
        return model.call('GPURenderBundleEncoder.finish', this.#need(['GPURenderBundleEncoder']), undefined)[0];
      case 'GPUCommandBuffer':
        return model.call('GPUCommandEncoder.finish', this.#need(['GPUCommandEncoder']), undefined)[0];
      default:
        return undefined;
    }
  }

  // What has nothing to do with anything.

  #noise(): void {
    const { model } = this;
    const random = this.#random;
    switch (random.below(12)) {
      case 0: {
        const victim = model.find(RELEASABLE);
        return victim === undefined ? undefined : model.release([victim]);
      }
      case 1:
        return this.#destroy();
      case 2:
        return this.#scope();
      case 3:
        return model.wait();
      case 4:
        return this.#bulk();
      default:
        return this.#anyCommand(random.pick(commands));
    }
  }

  #destroy(): void {
    const { model } = this;
    const random = this.#random;
    if (random.oneIn(60)) {
      this.isOver = true;
      return void model.call('GPUDevice.destroy', this.#device);
    }
    const victim = model.find(['GPUBuffer', 'GPUTexture', 'GPUQuerySet']);
    if (victim !== undefined) model.call(`${victim.type}.destroy`, victim);
  }

  #scope(): void {
    const { model } = this;
    if (this.#random.oneIn(2)) {
      model.scopeDepth++;
      model.call(
        'GPUDevice.pushErrorScope',
        this.#device,
        this.#random.pick(['validation', 'out-of-memory', 'internal']),
      );
    } else {
      // One too many is WebGPU's error to report.
      model.scopeDepth = Math.max(0, model.scopeDepth - 1);
      model.call('GPUDevice.popErrorScope', this.#device);
    }
  }

  /** Bulk data in small pieces, as a library sends it only where there is much; in a wild sequence, other than announced. */
  #bulk(): void {
    const { model } = this;
    const random = this.#random;
    const buffer = model.use(this.#buffer(BUFFER.COPY_DST, 256));
    const byteLength = 4 * (1 + random.below(16));
    model.raw(1 | (2 << 16), byteLength);
    for (let left = byteLength; left > 0;) {
      const chunk = Math.min(left, 4 * (1 + random.below(8))) + (this.isWild && random.oneIn(6) ? 4 : 0);
      model.raw(2 | ((2 + chunk / 4) << 16), chunk, ...Array.from({ length: chunk / 4 }, () => 1));
      left -= chunk;
    }
    model.raw(
      commandOf('GPUQueue.writeBuffer').opcode | (7 << 16),
      model.use(this.#queue),
      buffer,
      0,
      0,
      1,
      byteLength,
    );
  }

  /** Any command, with random arguments of the right types. */
  #anyCommand(command: CommandSchema): void {
    const random = this.#random;
    // The schema calls their ids numbers; a device and its like are made by flows.
    if (command.name === 'VesperStream.selectEncoder' || command.name === 'VesperStream.release') return;
    if (command.name === 'GPUDevice.destroy' || command.name === 'GPUDevice.popErrorScope') return;
    const isCostly = command.name.startsWith('GPUAdapter.') || command.name.startsWith('GPU.');
    if (isCostly && !random.oneIn(this.#bearing.isReal ? 20 : 2)) return;
    const target = command.target.kind === 'none' ? undefined : this.#target(command);
    const args = command.fields.map((field) => this.#values.field(command.name, field));
    if (target !== undefined && !target.isOpen && ENCODER_TYPES.includes(target.type) && !random.oneIn(4)) return;
    this.model.call(command.name, target, ...args);
    if (command.name === 'GPUDevice.pushErrorScope') this.model.scopeDepth++;
    if (target !== undefined && /\.(end|finish)$/.test(command.name)) target.isOpen = false;
  }

  #target(command: CommandSchema): GuestObject {
    const { interfaces } = command.target;
    if (interfaces.includes('GPUDevice')) return this.#device;
    if (interfaces.includes('GPUQueue')) return this.#queue;
    if (interfaces.includes('GPUAdapter')) return this.#adapter;
    return this.#need(interfaces);
  }

  #override(owner: string, field: string): unknown {
    const random = this.#random;
    const { isReal } = this.#bearing;
    switch (`${owner}.${field}`) {
      case 'GPUBufferDescriptor.usage':
        return random.oneIn(8) && !isReal ? random.u32() : random.pick(BUFFER_USAGES);
      case 'GPUBufferDescriptor.size':
        return random.pick([0, 4, 16, 64, 256, 1024, 65_536, ...(isReal ? [2 ** 50] : [2 ** 32, 2 ** 53 - 1])]);
      case 'GPUTextureDescriptor.usage':
        return random.pick(TEXTURE_USAGES);
      case 'GPUTextureDescriptor.format':
      case 'GPUColorTargetState.format':
        return random.oneIn(4) ? undefined : random.pick(FORMATS);
      case 'GPUTextureDescriptor.size':
        return {
          width: random.pick([1, 4, 8, 16, 9000]),
          height: random.pick([1, 4, 8]),
          depthOrArrayLayers: random.pick([1, 1, 1, 2, 6]),
        };
      case 'GPUQuerySetDescriptor.count':
        return random.pick([0, 1, 4, 4096, 4097]);
      case 'GPUShaderModuleDescriptor.code':
        return program(random, random.oneIn(2) ? COMPUTE : RENDER);
      default:
        return isReal && SPENDING.has(owner) && FIELD_COUNTS.has(field) ? random.pick([0, 1, 2, 3, 8]) : undefined;
    }
  }
}

/** Whether a word more or less of a command may mean minutes or gigabytes; `unmap` fills the buffers of indirect calls. */
function spends(command: CommandSchema): boolean {
  return command.cost === 'gpu-time' || command.cost === 'memory' || command.name === 'GPUBuffer.unmap';
}

/** Commands whose counts are work. */
const SPENDING = new Set(commands.filter((command) => command.cost === 'gpu-time').map((command) => command.name));
const FIELD_COUNTS = new Set(
  commands.flatMap((command) => command.fields.map((field) => field.name)).filter((name) => /Count/.test(name)),
);
const RELEASABLE = [...interfaceNumbers.keys()].filter((name) => !isRoot(name));

function isRoot(type: string): boolean {
  return type === 'GPUAdapter' || type === 'GPUDevice' || type === 'GPUQueue';
}

const ADAPTER_OPTIONS = { featureLevel: 'core', forceFallbackAdapter: false, xrCompatible: false };
const DEVICE_DESCRIPTOR = { label: '', requiredFeatures: [], requiredLimits: undefined };

function shader(code: string): object {
  return { label: '', code, compilationHints: [] };
}

/** Small numbers only: buffers of indirect calls are filled with them. */
function small(random: Random, words: number): Uint8Array {
  const data = new Uint32Array(words);
  for (let i = 0; i < words; i++) data[i] = random.below(4);
  return new Uint8Array(data.buffer);
}
