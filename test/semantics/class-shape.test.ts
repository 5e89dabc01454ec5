import { describe, expect, it } from 'vitest';
import { call, rejectionName, thrownName } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';

// client-semantics.md, section 1. Dawn for Node fails some of these directly (own data properties on gpu, adapter and
// device; features that are no iterables of its own); a client written by hand need not.

const guest = useGuest();

const namesOf = (object: object): string[] => {
  const names: string[] = [];
  for (const name in object) names.push(name);
  return names;
};

/** One object of each interface that a program can get. */
async function oneOfEach(): Promise<Record<string, object>> {
  const { gpu, adapter, device } = guest;
  const module = device.createShaderModule({ code: '@compute @workgroup_size(1) fn main() {}' });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const texture = device.createTexture({ size: [1], format: 'rgba8unorm', usage: GPUTextureUsage.RENDER_ATTACHMENT });
  const layout = device.createBindGroupLayout({ entries: [] });
  const encoder = device.createCommandEncoder();
  const computePass = encoder.beginComputePass();
  computePass.end();
  const renderPass = encoder.beginRenderPass({
    colorAttachments: [{ view: texture.createView(), loadOp: 'clear', storeOp: 'store' }],
  });
  renderPass.end();
  const bundleEncoder = device.createRenderBundleEncoder({ colorFormats: ['rgba8unorm'] });
  return {
    GPU: gpu,
    WGSLLanguageFeatures: gpu.wgslLanguageFeatures,
    GPUAdapter: adapter,
    GPUAdapterInfo: adapter.info,
    GPUSupportedFeatures: adapter.features,
    GPUSupportedLimits: adapter.limits,
    GPUDevice: device,
    GPUQueue: device.queue,
    GPUBuffer: device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST }),
    GPUTexture: texture,
    GPUTextureView: texture.createView(),
    GPUSampler: device.createSampler(),
    GPUBindGroupLayout: layout,
    GPUBindGroup: device.createBindGroup({ layout, entries: [] }),
    GPUPipelineLayout: device.createPipelineLayout({ bindGroupLayouts: [] }),
    GPUShaderModule: module,
    GPUCompilationInfo: await module.getCompilationInfo(),
    GPUComputePipeline: pipeline,
    GPUQuerySet: device.createQuerySet({ type: 'occlusion', count: 1 }),
    GPUCommandEncoder: encoder,
    GPUComputePassEncoder: computePass,
    GPURenderPassEncoder: renderPass,
    GPUCommandBuffer: encoder.finish(),
    GPURenderBundleEncoder: bundleEncoder,
    GPURenderBundle: bundleEncoder.finish(),
  };
}

describe('every object', () => {
  it('is an instance of the class of its name, without properties of its own', async () => {
    for (const [name, object] of Object.entries(await oneOfEach())) {
      const constructor = guest.connection.globals[name] as { new (): object; prototype: object };
      expect(object, name).toBeInstanceOf(constructor);
      expect(Object.keys(object), name).toEqual([]);
      expect(Object.getOwnPropertyNames(object), name).toEqual([]);
      // Node's EventTarget keeps its state under symbols of the object.
      expect(name === 'GPUDevice' ? [] : Reflect.ownKeys({ ...object }), name).toEqual([]);
      expect(Object.prototype.toString.call(object), name).toBe(`[object ${name}]`);
      expect(Object.isExtensible(object), name).toBe(true);
    }
  });

  it('lists its members by for…in, from the prototype', async () => {
    for (const [name, object] of Object.entries(await oneOfEach())) {
      const { prototype } = guest.connection.globals[name] as { prototype: object };
      for (const member of Object.keys(prototype)) {
        const property = Object.getOwnPropertyDescriptor(prototype, member)!;
        expect(property.configurable, `${name}.${member}`).toBe(true);
        expect(property.get !== undefined || property.writable, `${name}.${member}`).toBe(true);
      }
      expect(namesOf(object), name).toEqual(expect.arrayContaining(Object.keys(prototype)));
    }
  });

  it('throws TypeError when a read-only attribute is assigned', async () => {
    for (const [name, object] of Object.entries(await oneOfEach())) {
      const { prototype } = guest.connection.globals[name] as { prototype: object };
      for (const [member, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
        if (property.get === undefined || property.set !== undefined || !property.enumerable) continue;
        expect(
          thrownName(() => Reflect.get(Object.assign(object, { [member]: 1 }), member)),
          `${name}.${member}`,
        ).toBe('TypeError');
      }
    }
  });

  it('takes members only on its own kind', async () => {
    for (const name of Object.keys(await oneOfEach())) {
      const { prototype } = guest.connection.globals[name] as { prototype: object };
      for (const [member, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
        if (!property.enumerable) continue;
        for (const stranger of [{}, prototype, Object.create(prototype) as object]) {
          const act = (property.get ?? property.value) as (this: object) => unknown;
          expect(await failureOf(() => act.call(stranger)), `${name}.${member}`).toBe('TypeError');
        }
      }
    }
  });

  it('is not iterable, unless it is a set', async () => {
    for (const [name, object] of Object.entries(await oneOfEach())) {
      const isSet = name === 'GPUSupportedFeatures' || name === 'WGSLLanguageFeatures';
      expect(
        thrownName(() => [...(object as Iterable<unknown>)]),
        name,
      ).toBe(isSet ? undefined : 'TypeError');
    }
  });
});

/** Whether it throws or rejects, its name. */
async function failureOf(act: () => unknown): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    return (error as Error).name;
  }
}

describe('methods and constructors', () => {
  it('have the length that Web IDL gives them: the number of required arguments', () => {
    const lengths: [object, Record<string, number>][] = [
      [GPU.prototype, { requestAdapter: 0, getPreferredCanvasFormat: 0 }],
      [GPUAdapter.prototype, { requestDevice: 0 }],
      [
        GPUDevice.prototype,
        {
          destroy: 0,
          createBuffer: 1,
          createTexture: 1,
          createSampler: 0,
          importExternalTexture: 1,
          createBindGroupLayout: 1,
          createPipelineLayout: 1,
          createBindGroup: 1,
          createShaderModule: 1,
          createComputePipeline: 1,
          createRenderPipeline: 1,
          createComputePipelineAsync: 1,
          createRenderPipelineAsync: 1,
          createCommandEncoder: 0,
          createRenderBundleEncoder: 1,
          createQuerySet: 1,
          pushErrorScope: 1,
          popErrorScope: 0,
        },
      ],
      [GPUBuffer.prototype, { mapAsync: 1, getMappedRange: 0, unmap: 0, destroy: 0 }],
      [GPUTexture.prototype, { createView: 0, destroy: 0 }],
      [
        GPUQueue.prototype,
        { submit: 1, onSubmittedWorkDone: 0, writeBuffer: 3, writeTexture: 4, copyExternalImageToTexture: 3 },
      ],
      [
        GPUCommandEncoder.prototype,
        {
          beginRenderPass: 1,
          beginComputePass: 0,
          copyBufferToBuffer: 2,
          copyBufferToTexture: 3,
          copyTextureToBuffer: 3,
          copyTextureToTexture: 3,
          clearBuffer: 1,
          resolveQuerySet: 5,
          finish: 0,
          pushDebugGroup: 1,
          popDebugGroup: 0,
        },
      ],
      [
        GPURenderPassEncoder.prototype,
        {
          setViewport: 6,
          setScissorRect: 4,
          setBlendConstant: 1,
          setStencilReference: 1,
          beginOcclusionQuery: 1,
          endOcclusionQuery: 0,
          executeBundles: 1,
          end: 0,
          setBindGroup: 2,
          setPipeline: 1,
          setIndexBuffer: 2,
          setVertexBuffer: 2,
          draw: 1,
          drawIndexed: 1,
          drawIndirect: 2,
          drawIndexedIndirect: 2,
          setImmediates: 2,
        },
      ],
      [
        GPUComputePassEncoder.prototype,
        { setPipeline: 1, dispatchWorkgroups: 1, dispatchWorkgroupsIndirect: 2, end: 0 },
      ],
      [GPUComputePipeline.prototype, { getBindGroupLayout: 1 }],
      [GPUShaderModule.prototype, { getCompilationInfo: 0 }],
      [
        guest.connection.globals as object,
        { GPUValidationError: 1, GPUPipelineError: 2, GPUUncapturedErrorEvent: 2, GPUBuffer: 0 },
      ],
      [Object.getPrototypeOf(guest.adapter.features) as object, { has: 1, keys: 0, values: 0, entries: 0, forEach: 1 }],
    ];
    for (const [owner, expected] of lengths) {
      const found = Object.fromEntries(
        Object.keys(expected).map((name) => [name, (owner as Record<string, { length: number }>)[name]?.length]),
      );
      expect(found).toEqual(expected);
    }
  });

  it('throw TypeError for missing arguments; those that return promises reject', async () => {
    const { device } = guest;
    expect(thrownName(() => call(device, 'createBuffer'))).toBe('TypeError');
    expect(thrownName(() => call(device, 'pushErrorScope'))).toBe('TypeError');
    expect(thrownName(() => call(device, 'importExternalTexture'))).toBe('TypeError');
    expect(thrownName(() => call(device.features, 'has'))).toBe('TypeError');
    expect(thrownName(() => call(device.features, 'forEach', 1))).toBe('TypeError');
    expect(await rejectionName(() => call(device, 'createComputePipelineAsync') as Promise<unknown>)).toBe('TypeError');
    const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ });
    expect(await rejectionName(() => call(buffer, 'mapAsync') as Promise<unknown>)).toBe('TypeError');
  });

  it('that give promises reject on a foreign object, and so does the attribute lost', async () => {
    const { prototype } = GPUDevice;
    const promising: [object, string[]][] = [
      [GPU.prototype, ['requestAdapter']],
      [GPUAdapter.prototype, ['requestDevice']],
      [prototype, ['popErrorScope', 'createComputePipelineAsync', 'createRenderPipelineAsync']],
      [GPUQueue.prototype, ['onSubmittedWorkDone']],
      [GPUBuffer.prototype, ['mapAsync']],
      [GPUShaderModule.prototype, ['getCompilationInfo']],
    ];
    for (const [owner, methods] of promising) {
      for (const method of methods)
        expect(
          await rejectionName(() => Reflect.apply(Reflect.get(owner, method) as () => Promise<unknown>, {}, [{}])),
          method,
        ).toBe('TypeError');
    }
    const lost = Object.getOwnPropertyDescriptor(prototype, 'lost')!.get as () => Promise<unknown>;
    expect(await rejectionName(() => lost.call({}))).toBe('TypeError');
  });

  it('do not let a program construct what only the library makes', () => {
    const constructible = [
      'GPUValidationError',
      'GPUOutOfMemoryError',
      'GPUInternalError',
      'GPUPipelineError',
      'GPUUncapturedErrorEvent',
    ];
    for (const [name, value] of Object.entries(guest.connection.globals)) {
      if (typeof value !== 'function' || constructible.includes(name)) continue;
      expect(() => new (value as new () => object)(), name).toThrow(new TypeError('Illegal constructor'));
    }
  });

  it('can be patched on the prototype', () => {
    const { device } = guest;
    const original = Object.getOwnPropertyDescriptor(GPUBuffer.prototype, 'size')!;
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
    try {
      Object.defineProperty(GPUBuffer.prototype, 'size', { get: () => 5, configurable: true, enumerable: true });
      expect(buffer.size).toBe(5);
      // The library does not look at its own public members: the copy of 16 bytes is fine.
      device.queue.writeBuffer(buffer, 0, new Uint8Array(16));
    } finally {
      Object.defineProperty(GPUBuffer.prototype, 'size', original);
    }
    expect(buffer.size).toBe(16);
    expect(buffer.unmap).toBe(GPUBuffer.prototype.unmap);
  });
});

describe('identities ([SameObject])', () => {
  it('holds for attributes that are objects', () => {
    const { gpu, adapter, device } = guest;
    for (const [object, names] of [
      [gpu, ['wgslLanguageFeatures']],
      [adapter, ['features', 'limits', 'info']],
      [device, ['features', 'limits', 'adapterInfo', 'queue', 'lost']],
    ] as const) {
      for (const name of names) expect(Reflect.get(object, name), name).toBe(Reflect.get(object, name));
    }
  });

  it('keeps properties that a program adds', () => {
    Object.assign(guest.device.queue, { note: 'mine' });
    expect((guest.device.queue as GPUQueue & { note?: string }).note).toBe('mine');
    delete (guest.device.queue as GPUQueue & { note?: string }).note;
  });

  it('gives a device its own adapterInfo, with the same contents', () => {
    const { adapter, device } = guest;
    expect(device.adapterInfo).not.toBe(adapter.info);
    for (const name of namesOf(adapter.info))
      expect(Reflect.get(device.adapterInfo, name), name).toBe(Reflect.get(adapter.info, name));
    for (const name of ['vendor', 'architecture', 'device'] as const)
      expect(adapter.info[name]).toMatch(/^([a-z0-9]+(-[a-z0-9]+)*)?$/);
  });

  it('gives the object that was given, from events', () => {
    const error = new GPUValidationError('x');
    expect(new GPUUncapturedErrorEvent('uncapturederror', { error }).error).toBe(error);
  });
});

describe('inheritance and namespaces', () => {
  it('is that of the specification', () => {
    const parents: [string, object][] = [
      ['GPUDevice', EventTarget],
      ['GPUPipelineError', DOMException],
      ['GPUValidationError', GPUError],
      ['GPUOutOfMemoryError', GPUError],
      ['GPUInternalError', GPUError],
      ['GPUUncapturedErrorEvent', Event],
    ];
    for (const [name, parent] of parents)
      expect(Object.getPrototypeOf(guest.connection.globals[name]!), name).toBe(parent);
  });

  it('makes the errors that programs may construct', () => {
    for (const constructor of [GPUValidationError, GPUOutOfMemoryError, GPUInternalError]) {
      const error = new constructor('why');
      expect(error.message).toBe('why');
      expect(Object.prototype.toString.call(error)).toBe(`[object ${constructor.name}]`);
      expect(thrownName(() => new (constructor as unknown as new () => object)())).toBe('TypeError');
    }
    const pipelineError = new GPUPipelineError('bad', { reason: 'internal' });
    expect([pipelineError.name, pipelineError.message, pipelineError.reason]).toEqual([
      'GPUPipelineError',
      'bad',
      'internal',
    ]);
    expect(new GPUPipelineError(undefined, { reason: 'validation' }).message).toBe('');
    // Dawn for Node accepts any reason.
    for (const options of [{ reason: 'zz' }, {}, undefined, null]) {
      expect(
        thrownName(() => new GPUPipelineError('x', options as GPUPipelineErrorInit)),
        JSON.stringify(options),
      ).toBe('TypeError');
    }
    for (const init of [{ error: {} }, {}, null]) {
      expect(
        thrownName(() => new GPUUncapturedErrorEvent('e', init as GPUUncapturedErrorEventInit)),
        JSON.stringify(init),
      ).toBe('TypeError');
    }
  });

  it('lists the flags', () => {
    expect(Object.keys(GPUBufferUsage)).toHaveLength(10);
    expect(Object.keys(GPUTextureUsage).length).toBeGreaterThanOrEqual(5);
    expect(Object.keys(GPUColorWrite)).toHaveLength(5);
    expect(Object.keys(GPUShaderStage)).toHaveLength(3);
    expect(Object.keys(GPUMapMode)).toEqual(['READ', 'WRITE']);
    expect(GPUBufferUsage.STORAGE).toBe(0x80);
    expect(String(GPUBufferUsage)).toBe('[object GPUBufferUsage]');
    expect(thrownName(() => Object.assign(GPUBufferUsage, { STORAGE: 1 }))).toBe('TypeError');
  });
});
