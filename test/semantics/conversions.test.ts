import { describe, expect, it } from 'vitest';
import { call, errorOf, expectNoError, expectValidationError, thrownName } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';

// client-semantics.md, sections 2 and 9: Web IDL's conversions. Dawn for Node converts no strings or null to numbers,
// no truthy values to booleans, takes only Arrays for sequences, NaN for restricted floats, and colours of 3 numbers.

const guest = useGuest();
const anything = <T>(value: unknown): T => value as T;

describe('[EnforceRange] integers', () => {
  it('throw TypeError out of range', () => {
    const { device } = guest;
    for (const bad of [-1, NaN, Infinity, -Infinity, 2 ** 53, 2 ** 60, 'x', {}, undefined]) {
      expect(
        thrownName(() => device.createBuffer({ size: anything(bad), usage: 8 })),
        `size ${String(bad)}`,
      ).toBe('TypeError');
    }
    for (const bad of [-1, NaN, Infinity, 2 ** 32, 2 ** 53]) {
      expect(
        thrownName(() => device.createBuffer({ size: 4, usage: bad })),
        `usage ${bad}`,
      ).toBe('TypeError');
    }
    for (const bad of [1n, Symbol('x')]) {
      expect(
        thrownName(() => device.createBuffer({ size: anything(bad), usage: 8 })),
        String(bad),
      ).toBe('TypeError');
    }
  });

  it('take what JavaScript converts to a number, and drop the fraction', () => {
    const { device } = guest;
    const values: [unknown, number][] = [
      ['16', 16],
      ['0x10', 16],
      [null, 0],
      [true, 1],
      [[16], 16],
      [16.9, 16],
      [-0.9, 0],
      [{ valueOf: () => 16 }, 16],
      ['', 0],
    ];
    for (const [given, expected] of values) {
      expect(
        Object.is(device.createBuffer({ size: anything(given), usage: 8 }).size, expected),
        JSON.stringify(given),
      ).toBe(true);
    }
  });

  it('leave to the backend what is in range and wrong', async () => {
    const { device } = guest;
    await expectValidationError(device, () =>
      expect(device.createBuffer({ size: 4, usage: 0xffff_ffff }).usage).toBe(0xffff_ffff),
    );
    expect(
      await errorOf(device, () => device.createBuffer({ size: 2 ** 53 - 8, usage: 8 }), 'validation'),
    ).toBeInstanceOf(GPUValidationError);
    await expectValidationError(device, () => {
      const encoder = device.createCommandEncoder();
      const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
      encoder.clearBuffer(buffer, 2 ** 53 - 8, 8);
      encoder.finish();
    });
  });

  it('that may be absent are not absent at 2³² − 1', async () => {
    const { device } = guest;
    const texture = device.createTexture({
      size: [4, 4],
      format: 'rgba8unorm',
      usage: GPUTextureUsage.RENDER_ATTACHMENT,
    });
    const most = 0xffff_ffff;
    await expectValidationError(device, () => texture.createView({ mipLevelCount: most }));
    await expectValidationError(device, () => texture.createView({ arrayLayerCount: most }));
    await expectValidationError(device, () => {
      const encoder = device.createCommandEncoder();
      const attachment = { view: texture.createView(), loadOp: 'clear', storeOp: 'store', depthSlice: most } as const;
      encoder.beginRenderPass({ colorAttachments: [attachment] }).end();
      encoder.finish();
    });
  });

  it('of commands are checked in the call, and the encoder stays valid', async () => {
    const { device } = guest;
    const texture = device.createTexture({
      size: [4, 4],
      format: 'rgba8unorm',
      usage: GPUTextureUsage.RENDER_ATTACHMENT,
    });
    await expectNoError(device, () => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginRenderPass({
        colorAttachments: [{ view: texture, loadOp: 'clear', storeOp: 'store' }],
      });
      for (const bad of [-1, NaN, 2 ** 32]) {
        expect(thrownName(() => pass.setScissorRect(bad, 0, 1, 1))).toBe('TypeError');
        expect(thrownName(() => pass.draw(bad))).toBe('TypeError');
        expect(thrownName(() => pass.setStencilReference(bad))).toBe('TypeError');
      }
      for (const bad of [2 ** 31, -(2 ** 31) - 1, NaN])
        expect(thrownName(() => pass.drawIndexed(3, 1, 0, bad))).toBe('TypeError');
      pass.end();
      encoder.finish();
    });
  });
});

describe('other numbers', () => {
  it('[Clamp] integers are clamped and rounded to even', async () => {
    const { device } = guest;
    const filters = { magFilter: 'linear', minFilter: 'linear', mipmapFilter: 'linear' } as const;
    for (const maxAnisotropy of [1, 16, 1e9, Infinity, 1.5, 0.6])
      await expectNoError(device, () => device.createSampler({ ...filters, maxAnisotropy }));
    // They become 0, which is a validation error and no exception.
    for (const maxAnisotropy of [0, -5, NaN, 0.5, -Infinity])
      await expectValidationError(device, () => device.createSampler({ ...filters, maxAnisotropy }));
  });

  it('restricted floats are finite, and within 32 bits where they are floats', async () => {
    const { device } = guest;
    for (const bad of [NaN, Infinity, -Infinity, 1e39, 'x']) {
      expect(
        thrownName(() => device.createSampler({ lodMinClamp: anything(bad) })),
        String(bad),
      ).toBe('TypeError');
    }
    await expectNoError(device, () => device.createSampler({ lodMaxClamp: anything('4.5') }));
    const texture = device.createTexture({
      size: [4, 4],
      format: 'rgba8unorm',
      usage: GPUTextureUsage.RENDER_ATTACHMENT,
    });
    await expectNoError(device, () => {
      const encoder = device.createCommandEncoder();
      const attachment = { view: texture, loadOp: 'clear', storeOp: 'store' } as const;
      expect(
        thrownName(() =>
          encoder.beginRenderPass({ colorAttachments: [{ ...attachment, clearValue: [NaN, 0, 0, 0] }] }),
        ),
      ).toBe('TypeError');
      // A double: what does not fit 32 bits is no error here.
      const pass = encoder.beginRenderPass({ colorAttachments: [{ ...attachment, clearValue: [1e300, 0, 0, 0] }] });
      expect(thrownName(() => pass.setViewport(NaN, 0, 1, 1, 0, 1))).toBe('TypeError');
      expect(thrownName(() => pass.setViewport(0, 0, Infinity, 1, 0, 1))).toBe('TypeError');
      pass.end();
      encoder.finish();
    });
  });

  it('pipeline constants are doubles, under any string as key', async () => {
    const { device } = guest;
    const module = device.createShaderModule({
      code: '@id(7) override one: f32; override straße = 2.0; @compute @workgroup_size(1) fn main() { _ = one * straße; }',
    });
    const pipeline = (constants: unknown) =>
      device.createComputePipeline({ layout: 'auto', compute: { module, constants: anything(constants) } });
    await expectNoError(device, () => pipeline({ 7: '1.5', straße: true }));
    expect(thrownName(() => pipeline({ 7: NaN }))).toBe('TypeError');
    expect(thrownName(() => pipeline(5))).toBe('TypeError');
    await expectValidationError(device, () => pipeline({ 7: 1, 'no such': 1 }));
    await expectValidationError(device, () => pipeline({}));
  });

  it('unrestricted integers are taken modulo 2³²: getBindGroupLayout', async () => {
    const { device } = guest;
    const module = device.createShaderModule({ code: '@compute @workgroup_size(1) fn main() {}' });
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
    await expectNoError(device, () => pipeline.getBindGroupLayout(2 ** 32));
    await expectNoError(device, () => pipeline.getBindGroupLayout(NaN));
    await expectValidationError(device, () => pipeline.getBindGroupLayout(-1));
  });
});

describe('booleans, strings and enumerations', () => {
  it('follow truthiness', () => {
    const { device } = guest;
    for (const value of [1, 'no', {}, []])
      expect(device.createBuffer({ size: 4, usage: 8, mappedAtCreation: anything(value) }).mapState).toBe('mapped');
    for (const value of [0, '', null, NaN])
      expect(device.createBuffer({ size: 4, usage: 8, mappedAtCreation: anything(value) }).mapState).toBe('unmapped');
  });

  it('become strings: objects by toString, symbols not at all', async () => {
    const { device } = guest;
    await expectNoError(device, () => {
      expect(device.createBuffer({ size: 4, usage: 8, label: anything({ toString: () => 'named' }) }).label).toBe(
        'named',
      );
      expect(device.createBuffer({ size: 4, usage: 8, label: anything(null) }).label).toBe('null');
      expect(device.createTexture({ size: [1], format: anything(['rgba8unorm']), usage: 1 }).format).toBe('rgba8unorm');
    });
    expect(thrownName(() => device.createBuffer({ size: 4, usage: 8, label: anything(Symbol('x')) }))).toBe(
      'TypeError',
    );
  });

  it('throw TypeError for a name that is none, those of Object.prototype among them', () => {
    const { device } = guest;
    for (const bad of ['', 'RGBA8UNORM', 'rgba8unorm ', 'toString', '__proto__', 'constructor', null, 0]) {
      expect(
        thrownName(() => device.createTexture({ size: [1], format: anything(bad), usage: 1 })),
        String(bad),
      ).toBe('TypeError');
    }
    expect(thrownName(() => device.pushErrorScope(anything('all')))).toBe('TypeError');
    expect(thrownName(() => device.createSampler({ addressModeU: anything('wrap') }))).toBe('TypeError');
  });
});

describe('GPUExtent3D, GPUOrigin3D and GPUColor', () => {
  it('are sequences of any iterable, or dictionaries', async () => {
    const { device } = guest;
    const sizes: unknown[] = [
      [4, 2, 1],
      [4, 2],
      new Set([4, 2]),
      new Uint8Array([4, 2]),
      { width: 4, height: 2 },
      { width: 4, height: 2, depthOrArrayLayers: undefined },
      ['4', 2.5],
    ];
    sizes.push(
      (function* () {
        yield 4;
        yield 2;
      })(),
    );
    await expectNoError(device, () => {
      for (const size of sizes) {
        const texture = device.createTexture({ size: anything(size), format: 'rgba8unorm', usage: 1 });
        expect([texture.width, texture.height, texture.depthOrArrayLayers]).toEqual([4, 2, 1]);
      }
      expect(device.createTexture({ size: [5], format: 'rgba8unorm', usage: 1 }).height).toBe(1);
    });
  });

  it('throw TypeError for a wrong number of items', () => {
    const { device } = guest;
    for (const bad of [[], [1, 1, 1, 1], {}, { height: 1 }, 4, '44', null, [1, -1], new Map([[1, 2]])]) {
      expect(
        thrownName(() => device.createTexture({ size: anything(bad), format: 'rgba8unorm', usage: 1 })),
        JSON.stringify(bad),
      ).toBe('TypeError');
    }
    const texture = device.createTexture({
      size: [4, 4],
      format: 'rgba8unorm',
      usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_DST,
    });
    for (const origin of [[0, 0, 0, 0], 7, [-1]]) {
      expect(
        thrownName(() => device.queue.writeTexture({ texture, origin: anything(origin) }, new Uint8Array(4), {}, [1])),
        String(origin),
      ).toBe('TypeError');
    }
    const encoder = device.createCommandEncoder();
    const begin = (clearValue: unknown) =>
      encoder.beginRenderPass({
        colorAttachments: [{ view: texture, loadOp: 'clear', storeOp: 'store', clearValue: anything(clearValue) }],
      });
    for (const bad of [[0, 0, 0], [0, 0, 0, 0, 0], [], { r: 0, g: 0, b: 0 }, 'rgba'])
      expect(
        thrownName(() => begin(bad)),
        JSON.stringify(bad),
      ).toBe('TypeError');
    const pass = begin({ r: 0, g: 0, b: 0, a: 1 });
    for (const bad of [[], [1, 2, 3], {}, null, 1])
      expect(
        thrownName(() => pass.setBlendConstant(anything(bad))),
        JSON.stringify(bad),
      ).toBe('TypeError');
    pass.setBlendConstant(new Float32Array(4));
    pass.end();
    encoder.finish();
  });

  it('throw what an iterator throws', () => {
    const { device } = guest;
    const failure = new Error('mine');
    function* broken(): Generator<number> {
      yield 1;
      throw failure;
    }
    expect(() => device.createTexture({ size: broken(), format: 'rgba8unorm', usage: 1 })).toThrow(failure);
    expect(
      thrownName(() =>
        device.createTexture({ size: anything({ [Symbol.iterator]: 5 }), format: 'rgba8unorm', usage: 1 }),
      ),
    ).toBe('TypeError');
  });
});

describe('objects, unions and sequences of them', () => {
  it('GPUBindingResource takes every kind', async () => {
    const { device } = guest;
    const visibility = GPUShaderStage.COMPUTE;
    const layout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility, sampler: {} },
        { binding: 1, visibility, texture: {} },
        { binding: 2, visibility, texture: {} },
        { binding: 3, visibility, buffer: {} },
        { binding: 4, visibility, buffer: {} },
        { binding: 5, visibility, buffer: {} },
      ],
    });
    const texture = device.createTexture({ size: [1], format: 'rgba8unorm', usage: GPUTextureUsage.TEXTURE_BINDING });
    const buffer = device.createBuffer({ size: 512, usage: GPUBufferUsage.UNIFORM });
    const resources: unknown[] = [
      device.createSampler(),
      texture.createView(),
      texture,
      buffer,
      { buffer },
      { buffer, offset: 256, size: 16 },
    ];
    const entries = resources.map((resource, binding) => ({
      binding,
      resource: anything<GPUBindingResource>(resource),
    }));
    await expectNoError(device, () => device.createBindGroup({ layout, entries }));
    await expectNoError(device, () => device.createBindGroup({ layout, entries: new Set(entries) }));
    for (const bad of [null, {}, 5, { buffer: {} }, { buffer: texture }, layout]) {
      expect(
        thrownName(() => device.createBindGroup({ layout, entries: [{ binding: 0, resource: anything(bad) }] })),
        String(bad),
      ).toBe('TypeError');
    }
    // Right for the type, wrong for the layout: an error of validation.
    await expectValidationError(device, () =>
      device.createBindGroup({ layout, entries: entries.map((entry) => ({ ...entry, resource: buffer })) }),
    );
  });

  it('a layout entry for an external texture takes a view of a texture', async () => {
    const { device } = guest;
    await expectNoError(device, () => {
      const layout = device.createBindGroupLayout({
        entries: [{ binding: 0, visibility: GPUShaderStage.COMPUTE, externalTexture: {} }],
      });
      const texture = device.createTexture({ size: [1], format: 'rgba8unorm', usage: GPUTextureUsage.TEXTURE_BINDING });
      device.createBindGroup({ layout, entries: [{ binding: 0, resource: texture.createView() }] });
    });
  });

  it('a sequence is no string, no array-like, and its items are converted in turn', () => {
    const { device } = guest;
    for (const bad of ['ab', { length: 0 }, 5, null]) {
      expect(
        thrownName(() => device.createBindGroupLayout({ entries: anything(bad) })),
        String(bad),
      ).toBe('TypeError');
      expect(
        thrownName(() => device.queue.submit(anything(bad))),
        String(bad),
      ).toBe('TypeError');
    }
    expect(thrownName(() => device.queue.submit([anything({})]))).toBe('TypeError');
    expect(thrownName(() => device.queue.submit(anything([null])))).toBe('TypeError');
  });

  it('objects of another interface are TypeErrors', () => {
    const { device } = guest;
    const buffer = device.createBuffer({ size: 4, usage: 8 });
    const encoder = device.createCommandEncoder();
    for (const bad of [{}, null, undefined, device, 'buffer', Object.create(GPUBuffer.prototype)]) {
      expect(
        thrownName(() => encoder.copyBufferToBuffer(buffer, 0, anything(bad), 0, 4)),
        String(bad),
      ).toBe('TypeError');
    }
    expect(thrownName(() => call(encoder, 'copyBufferToBuffer', buffer))).toBe('TypeError');
    encoder.finish();
  });

  it('nullable elements may be null, undefined or holes', async () => {
    const { device } = guest;
    const layout = device.createBindGroupLayout({ entries: [] });
    const bindGroupLayouts: (GPUBindGroupLayout | null | undefined)[] = [null, undefined];
    // Behind a hole.
    bindGroupLayouts[3] = layout;
    await expectNoError(device, () =>
      device.createPipelineLayout({ bindGroupLayouts: bindGroupLayouts as GPUBindGroupLayout[] }),
    );
    await expectNoError(device, () =>
      device
        .createRenderBundleEncoder({ colorFormats: [null, 'rgba8unorm', undefined] as GPUTextureFormat[] })
        .finish(),
    );
    const texture = device.createTexture({ size: [1], format: 'rgba8unorm', usage: GPUTextureUsage.RENDER_ATTACHMENT });
    await expectNoError(device, () => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginRenderPass({
        colorAttachments: [null, { view: texture.createView(), loadOp: 'load', storeOp: 'store' }, undefined],
      });
      pass.setBindGroup(0, null);
      pass.setBindGroup(1, undefined);
      pass.setVertexBuffer(0, null);
      pass.setVertexBuffer(1, undefined);
      pass.end();
      encoder.finish();
    });
    const module = device.createShaderModule({
      code: '@vertex fn v() -> @builtin(position) vec4f { return vec4f(); } @fragment fn f() -> @location(1) vec4f { return vec4f(); }',
    });
    await expectNoError(device, () =>
      device.createRenderPipeline({
        layout: 'auto',
        vertex: { module, buffers: [null, undefined] },
        fragment: { module, targets: [null, { format: 'rgba8unorm' }] },
      }),
    );
    expect(thrownName(() => device.createPipelineLayout({ bindGroupLayouts: [anything(5)] }))).toBe('TypeError');
  });

  it('copyBufferToBuffer and setBindGroup choose their overload by the number of arguments', async () => {
    const { device } = guest;
    const source = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_SRC });
    const target = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
    await expectNoError(device, () => {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, target);
      encoder.copyBufferToBuffer(source, target, 8);
      encoder.copyBufferToBuffer(source, target, undefined);
      encoder.copyBufferToBuffer(source, 8, target, 0);
      encoder.copyBufferToBuffer(source, 8, target, 0, undefined);
      const pass = encoder.beginComputePass();
      pass.setBindGroup(0, null, []);
      pass.setBindGroup(0, null, new Set<number>());
      pass.setBindGroup(0, null, undefined);
      pass.setBindGroup(0, null, new Uint32Array(4), 4, 0);
      expect(thrownName(() => call(pass, 'setBindGroup', 0, null, new Uint32Array(4), 0))).toBe('TypeError');
      expect(thrownName(() => call(pass, 'setBindGroup', 0))).toBe('TypeError');
      expect(thrownName(() => call(pass, 'setBindGroup', 0, null, [0], 0, 1))).toBe('TypeError');
      expect(thrownName(() => call(pass, 'setBindGroup', 0, null, [-1]))).toBe('TypeError');
      pass.end();
      encoder.finish();
    });
    // Without a size, copies go to the end of the source.
    await expectValidationError(device, () => {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, target, 8);
      encoder.finish();
    });
  });
});
