import { describe, expect, it } from 'vitest';
import { expectNoError, expectValidationError } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';
import { readBuffer, readTexels, readWords, texelAt } from './fixture/readback.ts';

// Passes, bundles, queries, indirect calls: what they do, by the texels and numbers that come back.

const guest = useGuest();

const size = 8;
const green = [0, 255, 0, 255];
const black = [0, 0, 0, 255];

/** Draws with one triangle that covers all: colour from immediates or constants, position from none. */
const code = `
  override red: f32 = 0.0;
  @vertex fn full(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f { return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.5, 1.0); }
  @vertex fn placed(@location(0) at: vec2f, @builtin(instance_index) instance: u32) -> @builtin(position) vec4f { return vec4f(at.x + f32(instance), at.y, 0.5, 1.0); }
  @fragment fn paint() -> @location(0) vec4f { return vec4f(red, 1.0, 0.0, 1.0); }
`;

function colorTarget(sampleCount = 1): GPUTexture {
  return guest.device.createTexture({
    size: [size, size],
    format: 'rgba8unorm',
    sampleCount,
    usage: GPUTextureUsage.RENDER_ATTACHMENT | (sampleCount === 1 ? GPUTextureUsage.COPY_SRC : 0),
  });
}

function pipeline(
  changes: Partial<GPURenderPipelineDescriptor> = {},
  entryPoint = 'full',
  constants: Record<string, number> = {},
): GPURenderPipeline {
  const module = guest.device.createShaderModule({ code });
  return guest.device.createRenderPipeline({
    layout: 'auto',
    vertex: {
      module,
      entryPoint,
      ...(entryPoint === 'placed'
        ? { buffers: [{ arrayStride: 8, attributes: [{ shaderLocation: 0, offset: 0, format: 'float32x2' }] }] }
        : {}),
    },
    fragment: { module, constants, targets: [{ format: 'rgba8unorm' }] },
    ...changes,
  });
}

/** Records a pass over a target that is cleared to black, submits it, and reads the target. */
async function draw(
  record: (pass: GPURenderPassEncoder) => void,
  more: Partial<GPURenderPassDescriptor> = {},
): Promise<Uint8Array> {
  const { device } = guest;
  const texture = colorTarget();
  await expectNoError(device, () => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginRenderPass({
      colorAttachments: [
        { view: texture.createView(), loadOp: 'clear', storeOp: 'store', clearValue: { r: 0, g: 0, b: 0, a: 1 } },
      ],
      ...more,
    });
    record(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
  });
  return readTexels(device, { texture, width: size, height: size });
}

const filled = (texels: Uint8Array): number =>
  Array.from({ length: size * size }, (_, i) => texels[i * 4 + 1]!).filter((value) => value === 255).length;

function bufferOf(data: Uint32Array | Float32Array | Uint16Array, usage: number): GPUBuffer {
  const buffer = guest.device.createBuffer({ size: Math.ceil(data.byteLength / 4) * 4, usage, mappedAtCreation: true });
  new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(data.buffer));
  buffer.unmap();
  return buffer;
}

describe('a render pass', () => {
  it('clears, draws, scissors, and sets a viewport', async () => {
    const all = pipeline();
    expect(filled(await draw(() => {}))).toBe(0);
    expect(filled(await draw((pass) => (pass.setPipeline(all), pass.draw(3))))).toBe(64);
    const cut = await draw((pass) => {
      pass.setPipeline(all);
      pass.setScissorRect(1, 2, 3, 4);
      pass.draw(3);
    });
    expect(filled(cut)).toBe(12);
    expect(texelAt(cut, size, 1, 2)).toEqual(green);
    expect(texelAt(cut, size, 0, 2)).toEqual(black);
    const ported = await draw((pass) => {
      pass.setPipeline(all);
      pass.setViewport(4, 4, 2, 2, 0, 1);
      pass.draw(3);
    });
    expect(filled(ported)).toBe(4);
  });

  it('blends with a constant, and takes overridable constants', async () => {
    const blend = { operation: 'add', srcFactor: 'constant', dstFactor: 'zero' } as const;
    const module = guest.device.createShaderModule({ code });
    const blended = pipeline({
      fragment: { module, targets: [{ format: 'rgba8unorm', blend: { color: blend, alpha: blend } }] },
    });
    const texels = await draw((pass) => {
      pass.setPipeline(blended);
      pass.setBlendConstant([0, 0.4, 0, 1]);
      pass.draw(3);
    });
    expect(texelAt(texels, size, 0, 0)).toEqual([0, 102, 0, 255]);
    const red = pipeline({}, 'full', { red: 0.2 });
    expect(texelAt(await draw((pass) => (pass.setPipeline(red), pass.draw(3))), size, 5, 5)).toEqual([51, 255, 0, 255]);
  });

  it('draws indexed, with offsets, instances and a negative base vertex', async () => {
    const placed = pipeline({}, 'placed');
    // A triangle over the left half, behind one vertex of padding.
    const vertices = bufferOf(new Float32Array([9, 9, -1, -1, 0, -1, -1, 1, 0, 1]), GPUBufferUsage.VERTEX);
    const indices = bufferOf(new Uint16Array([99, 99, 3, 4, 5, 5, 4, 6, 0, 0]), GPUBufferUsage.INDEX);
    const texels = await draw((pass) => {
      pass.setPipeline(placed);
      pass.setVertexBuffer(0, vertices);
      pass.setIndexBuffer(indices, 'uint16', 4);
      pass.drawIndexed(6, 1, 0, -2, 0);
    });
    expect(filled(texels)).toBe(32);
    expect([texelAt(texels, size, 0, 0), texelAt(texels, size, 7, 0)]).toEqual([green, black]);
    const both = await draw((pass) => {
      pass.setPipeline(placed);
      pass.setVertexBuffer(0, vertices, 8);
      pass.draw(3, 2, 0, 0);
      pass.setVertexBuffer(0, vertices, 8, 32);
      pass.draw(3, 2, 1, 0);
    });
    expect(filled(both)).toBe(64);
  });

  it('draws indirectly', async () => {
    const all = pipeline();
    const indirect = bufferOf(new Uint32Array([0, 3, 1, 0, 0]), GPUBufferUsage.INDIRECT);
    expect(filled(await draw((pass) => (pass.setPipeline(all), pass.drawIndirect(indirect, 4))))).toBe(64);
    const indexed = bufferOf(new Uint32Array([3, 1, 1, 0, 0]), GPUBufferUsage.INDIRECT);
    const indices = bufferOf(new Uint32Array([7, 0, 1, 2]), GPUBufferUsage.INDEX);
    const texels = await draw((pass) => {
      pass.setPipeline(all);
      pass.setIndexBuffer(indices, 'uint32');
      pass.drawIndexedIndirect(indexed, 0);
    });
    expect(filled(texels)).toBe(64);
  });

  it('tests depth and stencil', async () => {
    const { device } = guest;
    const depth = device.createTexture({
      size: [size, size],
      format: 'depth24plus-stencil8',
      usage: GPUTextureUsage.RENDER_ATTACHMENT,
    });
    const face = { compare: 'equal', passOp: 'increment-clamp' } as const;
    const tested = pipeline({
      depthStencil: {
        format: 'depth24plus-stencil8',
        depthWriteEnabled: true,
        depthCompare: 'less',
        stencilFront: face,
        stencilBack: face,
      },
    });
    const attachment = {
      view: depth,
      depthLoadOp: 'clear',
      depthStoreOp: 'store',
      stencilLoadOp: 'clear',
      stencilStoreOp: 'store',
      stencilClearValue: 3,
    } as const;
    const drawn = async (depthClearValue: number, reference: number) =>
      filled(
        await draw(
          (pass) => {
            pass.setPipeline(tested);
            pass.setStencilReference(reference);
            pass.draw(3);
          },
          { depthStencilAttachment: { ...attachment, depthClearValue } },
        ),
      );
    expect([await drawn(1, 3), await drawn(0.25, 3), await drawn(1, 4)]).toEqual([64, 0, 0]);
    // A depth to clear to is required where it is cleared: a rule of validation, as of IDL it is optional.
    await expectValidationError(device, () => {
      const encoder = device.createCommandEncoder();
      encoder.beginRenderPass({ colorAttachments: [], depthStencilAttachment: attachment }).end();
      encoder.finish();
    });
  });

  it('resolves many samples into one', async () => {
    const { device } = guest;
    const [many, one] = [colorTarget(4), colorTarget()];
    const placed = pipeline({ multisample: { count: 4 } }, 'placed');
    const vertices = bufferOf(new Float32Array([-1, -1, 1, -1, -1, 1]), GPUBufferUsage.VERTEX);
    await expectNoError(device, () => {
      const encoder = device.createCommandEncoder();
      // Textures stand for their default views.
      const pass = encoder.beginRenderPass({
        colorAttachments: [
          { view: many, resolveTarget: one, loadOp: 'clear', storeOp: 'discard', clearValue: [0, 0, 0, 1] },
        ],
      });
      pass.setPipeline(placed);
      pass.setVertexBuffer(0, vertices);
      pass.draw(3);
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
    const texels = await readTexels(device, { texture: one, width: size, height: size });
    expect(texelAt(texels, size, 0, 7)).toEqual(green);
    expect(texelAt(texels, size, 7, 0)).toEqual(black);
    // On the edge some samples are covered.
    const [, edge] = texelAt(texels, size, 4, 4);
    expect(edge).toBeGreaterThan(0);
    expect(edge).toBeLessThan(255);
  });

  it('draws into a slice of a texture of three dimensions, and leaves a null attachment be', async () => {
    const { device } = guest;
    const volume = device.createTexture({
      size: [2, 2, 3],
      dimension: '3d',
      format: 'rgba8unorm',
      usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
    });
    await expectNoError(device, () => {
      const encoder = device.createCommandEncoder();
      encoder
        .beginRenderPass({
          colorAttachments: [
            null,
            { view: volume.createView(), depthSlice: 1, loadOp: 'clear', storeOp: 'store', clearValue: [1, 0, 0, 1] },
          ],
        })
        .end();
      device.queue.submit([encoder.finish()]);
    });
    const texels = await readTexels(device, { texture: volume, width: 2, height: 2, depth: 3 });
    expect([texels[0], texels[16], texels[32]]).toEqual([0, 255, 0]);
  });
});

describe('render bundles', () => {
  it('are executed, more than once, in several passes', async () => {
    const { device } = guest;
    const encoder = device.createRenderBundleEncoder({ colorFormats: ['rgba8unorm'] });
    const vertices = bufferOf(new Float32Array([-1, -1, 0, -1, -1, 1]), GPUBufferUsage.VERTEX);
    encoder.pushDebugGroup('left');
    encoder.setPipeline(pipeline({}, 'placed'));
    encoder.setVertexBuffer(0, vertices);
    encoder.draw(3, 2);
    encoder.popDebugGroup();
    const bundle = encoder.finish({ label: 'two triangles' });
    expect(bundle.label).toBe('two triangles');
    const first = await draw((pass) => pass.executeBundles([bundle, bundle]));
    const second = await draw((pass) => pass.executeBundles(new Set([bundle])));
    expect(filled(first)).toBeGreaterThan(20);
    expect(second).toEqual(first);
    // Bundles leave nothing set behind.
    await expectValidationError(device, () => {
      const commands = device.createCommandEncoder();
      const pass = commands.beginRenderPass({
        colorAttachments: [{ view: colorTarget(), loadOp: 'clear', storeOp: 'store' }],
      });
      pass.executeBundles([bundle]);
      pass.draw(3);
      pass.end();
      commands.finish();
    });
  });

  it('with a bad command fail to finish, and spoil what executes them', async () => {
    const { device } = guest;
    let bundle!: GPURenderBundle;
    const encoder = device.createRenderBundleEncoder({ colorFormats: ['rgba8unorm'] });
    await expectNoError(device, () => encoder.draw(3));
    await expectValidationError(device, () => (bundle = encoder.finish()));
    await expectValidationError(device, () => {
      const commands = device.createCommandEncoder();
      const pass = commands.beginRenderPass({
        colorAttachments: [{ view: colorTarget(), loadOp: 'clear', storeOp: 'store' }],
      });
      pass.executeBundles([bundle]);
      pass.end();
      commands.finish();
    });
  });
});

describe('queries', () => {
  it('count what is not occluded', async () => {
    const { device } = guest;
    const occlusionQuerySet = device.createQuerySet({ type: 'occlusion', count: 3 });
    const all = pipeline();
    await draw(
      (pass) => {
        pass.setPipeline(all);
        pass.beginOcclusionQuery(0);
        pass.draw(3);
        pass.endOcclusionQuery();
        pass.setScissorRect(0, 0, 0, 0);
        pass.beginOcclusionQuery(2);
        pass.draw(3);
        pass.endOcclusionQuery();
      },
      { occlusionQuerySet },
    );
    const results = device.createBuffer({ size: 512, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(occlusionQuerySet, 0, 3, results, 256);
    device.queue.submit([encoder.finish()]);
    const [shown, unused, hidden] = new BigUint64Array((await readBuffer(device, results)).slice(256, 280));
    expect(shown).toBeGreaterThan(0n);
    expect([unused, hidden]).toEqual([0n, 0n]);
  });

  it('tell the time, forwards', async () => {
    const { device } = guest;
    const querySet = device.createQuerySet({ type: 'timestamp', count: 2 });
    const results = device.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    await expectNoError(device, () => {
      const encoder = device.createCommandEncoder();
      encoder
        .beginComputePass({ timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } })
        .end();
      encoder.resolveQuerySet(querySet, 0, 2, results, 0);
      device.queue.submit([encoder.finish()]);
    });
    const [start, end] = new BigUint64Array(await readBuffer(device, results));
    expect(end! >= start!).toBe(true);
  });
});

describe('compute passes', () => {
  it('dispatch with dynamic offsets, immediates and indirectly', async () => {
    const { device } = guest;
    const module = device.createShaderModule({
      code: `requires immediate_address_space;
        var<immediate> factor: vec2u;
        @group(0) @binding(0) var<uniform> amount: u32;
        @group(0) @binding(1) var<storage, read_write> sum: atomic<u32>;
        @compute @workgroup_size(1) fn main() { atomicAdd(&sum, amount * factor.y); }`,
    });
    const layout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { hasDynamicOffset: true, minBindingSize: 4 } },
        { binding: 1, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'storage' } },
      ],
    });
    const pipelineLayout = device.createPipelineLayout({
      bindGroupLayouts: [layout],
      immediateSize: 8,
    } as GPUPipelineLayoutDescriptor);
    const compute = device.createComputePipeline({ layout: pipelineLayout, compute: { module } });
    const uniforms = bufferOf(
      new Uint32Array(256).map((_, i) => i),
      GPUBufferUsage.UNIFORM,
    );
    const sum = device.createBuffer({ size: 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
    const group = device.createBindGroup({
      layout,
      entries: [
        { binding: 0, resource: { buffer: uniforms, size: 4 } },
        { binding: 1, resource: sum },
      ],
    });
    const indirect = bufferOf(new Uint32Array([9, 2, 3, 1]), GPUBufferUsage.INDIRECT);
    await expectNoError(device, () => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(compute);
      pass.setImmediates(0, new Uint32Array([0, 7, 10]), 0, 2);
      pass.setImmediates(4, new Uint32Array([5, 10]), 1);
      pass.setBindGroup(0, group, [256]);
      // 64 · 10
      pass.dispatchWorkgroups(1);
      pass.setBindGroup(0, group, new Uint32Array([0, 512]), 1, 1);
      // 128 · 10 · 6
      pass.dispatchWorkgroupsIndirect(indirect, 4);
      // None.
      pass.dispatchWorkgroups(0, 5);
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
    expect(await readWords(device, sum)).toEqual([640 + 7680]);
  });

  it('copy, clear and submit in order, several command buffers at once', async () => {
    const { device } = guest;
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
    const source = bufferOf(new Uint32Array([1, 2, 3, 4]), GPUBufferUsage.COPY_SRC);
    const record = (act: (encoder: GPUCommandEncoder) => void): GPUCommandBuffer => {
      const encoder = device.createCommandEncoder();
      act(encoder);
      return encoder.finish();
    };
    const fill = record((encoder) => encoder.copyBufferToBuffer(source, buffer));
    const clear = record((encoder) => encoder.clearBuffer(buffer, 4, 4));
    const move = record((encoder) => encoder.copyBufferToBuffer(source, 0, buffer, 12, 4));
    device.queue.submit(new Set([fill, clear, move]));
    expect(await readWords(device, buffer)).toEqual([1, 0, 3, 1]);
    device.queue.writeBuffer(buffer, 0, new Uint32Array([7]));
    device.queue.submit([record((encoder) => encoder.clearBuffer(buffer, 8))]);
    device.queue.writeBuffer(buffer, 12, new Uint32Array([9]));
    expect(await readWords(device, buffer)).toEqual([7, 0, 0, 9]);
  });
});
