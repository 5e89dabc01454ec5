import { describe, expect, it } from 'vitest';
import { expectNoError, expectValidationError, thrownName } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';
import { readBuffer, readTexels, texelAt } from './fixture/readback.ts';

// Texels on their way in, between textures and out again, views of every dimension, images.

const guest = useGuest();
const copies = (): number => GPUTextureUsage.COPY_SRC | GPUTextureUsage.COPY_DST;

/** Bytes that differ from texel to texel. */
const pattern = (length: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(length).map((_, i) => (i * 7 + (i >> 8)) & 0xff);

describe('copies', () => {
  it('write and read textures of one, two and three dimensions, with offsets and padding', async () => {
    const { device } = guest;
    const flat = device.createTexture({ size: [5, 3], format: 'rgba8unorm', usage: copies() });
    const data = pattern(5 * 3 * 4);
    const padded = new Uint8Array(8 + 3 * 32);
    for (let row = 0; row < 3; row++) padded.set(data.subarray(row * 20, row * 20 + 20), 8 + row * 32);
    device.queue.writeTexture({ texture: flat }, padded, { offset: 8, bytesPerRow: 32 }, [5, 3]);
    expect(await readTexels(device, { texture: flat, width: 5, height: 3 })).toEqual(data);

    const volume = device.createTexture({ size: [4, 2, 3], dimension: '3d', format: 'rgba8unorm', usage: copies() });
    const slices = pattern(4 * 2 * 3 * 4);
    device.queue.writeTexture({ texture: volume }, slices, { bytesPerRow: 16, rowsPerImage: 2 }, [4, 2, 3]);
    expect(await readTexels(device, { texture: volume, width: 4, height: 2, depth: 3 })).toEqual(slices);
    device.queue.writeTexture({ texture: volume, origin: [1, 1, 2] }, new Uint8Array([1, 2, 3, 4]), {}, [1]);
    expect([...(await readTexels(device, { texture: volume, width: 1, height: 1, origin: [1, 1, 2] }))]).toEqual([
      1, 2, 3, 4,
    ]);

    const line = device.createTexture({ size: [8], dimension: '1d', format: 'r8unorm', usage: copies() });
    device.queue.writeTexture({ texture: line }, pattern(8), {}, { width: 8 });
    expect(await readTexels(device, { texture: line, width: 8, height: 1, bytesPerTexel: 1 })).toEqual(pattern(8));

    const layers = device.createTexture({ size: [2, 2, 4], format: 'rgba8unorm', mipLevelCount: 2, usage: copies() });
    device.queue.writeTexture(
      { texture: layers, mipLevel: 1, origin: { z: 2 } },
      new Uint8Array([9, 8, 7, 6, 5, 4, 3, 2]),
      { bytesPerRow: 4, rowsPerImage: 1 },
      [1, 1, 2],
    );
    expect([...(await readTexels(device, { texture: layers, width: 1, height: 1, depth: 4, mipLevel: 1 }))]).toEqual([
      0, 0, 0, 0, 0, 0, 0, 0, 9, 8, 7, 6, 5, 4, 3, 2,
    ]);
  });

  it('write what is larger than a frame', async () => {
    const { device } = guest;
    const texture = device.createTexture({ size: [1024, 1024], format: 'rgba8unorm', usage: copies() });
    const data = pattern(4 << 20);
    device.queue.writeTexture({ texture }, data, { bytesPerRow: 4096 }, [1024, 1024]);
    data.fill(0);
    expect(Buffer.compare(await readTexels(device, { texture, width: 1024, height: 1024 }), pattern(4 << 20))).toBe(0);
  });

  it('go from buffers to textures, between textures, and of aspects', async () => {
    const { device } = guest;
    const buffer = device.createBuffer({ size: 1024, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    new Uint8Array(buffer.getMappedRange()).set(pattern(1024));
    buffer.unmap();
    const one = device.createTexture({ size: [4, 4], format: 'rgba8unorm', usage: copies() });
    const two = device.createTexture({ size: [4, 4], format: 'rgba8unorm-srgb', usage: copies() });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToTexture({ buffer, bytesPerRow: 256 }, { texture: one }, [4, 4]);
    encoder.copyTextureToTexture(
      { texture: one, origin: [1, 1] },
      { texture: two, origin: [2, 0] },
      { width: 2, height: 3 },
    );
    device.queue.submit([encoder.finish()]);
    const texels = await readTexels(device, { texture: two, width: 4, height: 4 });
    expect(texelAt(texels, 4, 2, 0)).toEqual([...pattern(1024).subarray(256 + 4, 256 + 8)]);
    expect(texelAt(texels, 4, 3, 2)).toEqual([...pattern(1024).subarray(768 + 8, 768 + 12)]);
    expect(texelAt(texels, 4, 0, 0)).toEqual([0, 0, 0, 0]);

    const stencil = device.createTexture({ size: [4, 1], format: 'depth24plus-stencil8', usage: copies() });
    device.queue.writeTexture({ texture: stencil, aspect: 'stencil-only' }, new Uint8Array([1, 2, 3, 4]), {}, [4, 1]);
    expect([
      ...(await readTexels(device, {
        texture: stencil,
        width: 4,
        height: 1,
        aspect: 'stencil-only',
        bytesPerTexel: 1,
      })),
    ]).toEqual([1, 2, 3, 4]);
  });

  it('of compressed blocks count rows of blocks', async () => {
    const { device } = guest;
    const texture = device.createTexture({ size: [8, 8], format: 'bc1-rgba-unorm', usage: copies() });
    const blocks = pattern(32);
    await expectNoError(device, () =>
      device.queue.writeTexture({ texture }, blocks, { bytesPerRow: 16, rowsPerImage: 2 }, [8, 8]),
    );
    const buffer = device.createBuffer({ size: 512, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
    const encoder = device.createCommandEncoder();
    encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow: 256 }, [8, 8]);
    device.queue.submit([encoder.finish()]);
    const read = new Uint8Array(await readBuffer(device, buffer));
    expect([...read.subarray(0, 16), ...read.subarray(256, 272)]).toEqual([...blocks]);
    await expectValidationError(device, () =>
      device.queue.writeTexture({ texture }, blocks.subarray(0, 31), { bytesPerRow: 16 }, [8, 8]),
    );
  });
});

/** What a compute shader reads through a view at each of the places, as sums of 255ths. */
async function sample(view: GPUTextureView, type: string, reads: string[]): Promise<number[]> {
  const { device } = guest;
  const body = reads.map((read, i) => `result[${i}] = ${read};`).join('\n');
  const code = `@group(0) @binding(0) var t: ${type}; @group(0) @binding(1) var<storage, read_write> result: array<vec4f, ${reads.length}>; @group(0) @binding(2) var s: sampler;
    @compute @workgroup_size(1) fn main() { _ = s; ${body} }`;
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const result = device.createBuffer({
    size: 16 * reads.length,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
  });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [
      { binding: 0, resource: view },
      { binding: 1, resource: { buffer: result } },
      { binding: 2, resource: device.createSampler() },
    ],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(1);
  pass.end();
  device.queue.submit([encoder.finish()]);
  return [...new Float32Array(await readBuffer(device, result))].map((value) => Math.round(value * 255));
}

describe('views', () => {
  it('of layers, cubes, slices, levels and other formats show their part', async () => {
    const { device } = guest;
    const usage = copies() | GPUTextureUsage.TEXTURE_BINDING;
    const layered = device.createTexture({
      size: [2, 2, 12],
      format: 'rgba8unorm',
      mipLevelCount: 2,
      usage,
      viewFormats: ['rgba8unorm-srgb'],
    });
    for (let layer = 0; layer < 12; layer++) {
      for (const mipLevel of [0, 1]) {
        const side = 2 >> mipLevel;
        const texels = new Uint8Array(side * side * 4).map((_, i) => [layer * 10, mipLevel, 0, 255][i % 4]!);
        device.queue.writeTexture(
          { texture: layered, mipLevel, origin: [0, 0, layer] },
          texels,
          { bytesPerRow: side * 4 },
          [side, side],
        );
      }
    }
    const load2d = ['textureLoad(t, vec2i(0), 0)'];
    expect(await sample(layered.createView({ dimension: '2d', baseArrayLayer: 3 }), 'texture_2d<f32>', load2d)).toEqual(
      [30, 0, 0, 255],
    );
    expect(
      await sample(
        layered.createView({ dimension: '2d', baseArrayLayer: 4, baseMipLevel: 1 }),
        'texture_2d<f32>',
        load2d,
      ),
    ).toEqual([40, 1, 0, 255]);
    expect(
      await sample(layered.createView({ baseArrayLayer: 5, arrayLayerCount: 2 }), 'texture_2d_array<f32>', [
        'textureLoad(t, vec2i(0), 1, 0)',
        'vec4f(f32(textureNumLayers(t))) / 255.0',
      ]),
    ).toEqual([60, 0, 0, 255, 2, 2, 2, 2]);
    expect(
      await sample(
        layered.createView({ dimension: 'cube', baseArrayLayer: 2, arrayLayerCount: 6 }),
        'texture_cube<f32>',
        ['textureSampleLevel(t, s, vec3f(1, 0, 0), 0)', 'textureSampleLevel(t, s, vec3f(0, 0, -1), 1)'],
      ),
    ).toEqual([20, 0, 0, 255, 70, 1, 0, 255]);
    expect(
      await sample(layered.createView({ dimension: 'cube-array' }), 'texture_cube_array<f32>', [
        'textureSampleLevel(t, s, vec3f(-1, 0, 0), 1, 0)',
      ]),
    ).toEqual([70, 0, 0, 255]);
    const [red] = await sample(
      layered.createView({ dimension: '2d', baseArrayLayer: 11, format: 'rgba8unorm-srgb' }),
      'texture_2d<f32>',
      load2d,
    );
    expect(red).toBe(Math.round(((110 / 255 + 0.055) / 1.055) ** 2.4 * 255));
    expect(
      await sample(
        layered.createView({ dimension: '2d', baseArrayLayer: 3, swizzle: 'a01r' } as GPUTextureViewDescriptor),
        'texture_2d<f32>',
        load2d,
      ),
    ).toEqual([255, 0, 255, 30]);
    const volume = device.createTexture({ size: [1, 1, 4], dimension: '3d', format: 'rgba8unorm', usage });
    device.queue.writeTexture({ texture: volume }, pattern(16), { bytesPerRow: 4, rowsPerImage: 1 }, [1, 1, 4]);
    expect(await sample(volume.createView(), 'texture_3d<f32>', ['textureLoad(t, vec3i(0, 0, 2), 0)'])).toEqual([
      ...pattern(16).subarray(8, 12),
    ]);
  });

  it('that cannot be are errors of validation', async () => {
    const { device } = guest;
    const texture = device.createTexture({
      size: [4, 4, 2],
      format: 'rgba8unorm',
      usage: GPUTextureUsage.TEXTURE_BINDING,
    });
    for (const bad of [
      { dimension: 'cube' },
      { dimension: '3d' },
      { baseArrayLayer: 2 },
      { mipLevelCount: 2 },
      { arrayLayerCount: 0 },
      { format: 'r32float' },
      { aspect: 'depth-only' },
      { baseArrayLayer: 2 ** 32 - 1, arrayLayerCount: 2 ** 32 - 1 },
      { usage: GPUTextureUsage.STORAGE_BINDING },
    ]) {
      await expectValidationError(device, () => texture.createView(bad as GPUTextureViewDescriptor));
    }
  });
});

describe('copyExternalImageToTexture', () => {
  /** ImageData as far as it matters: node has none. */
  const image = (width: number, height: number): { data: Uint8ClampedArray; width: number; height: number } => ({
    width,
    height,
    data: new Uint8ClampedArray(width * height * 4).map((_, i) => [(i >> 2) * 20, 100, 200, i < 8 ? 255 : 102][i % 4]!),
  });
  const asSource = (value: object): GPUCopyExternalImageSource => value as GPUCopyExternalImageSource;
  const target = (format: GPUTextureFormat = 'rgba8unorm'): GPUTexture =>
    guest.device.createTexture({ size: [4, 4], format, usage: copies() | GPUTextureUsage.RENDER_ATTACHMENT });

  it('copies pixels, the part that is asked for, to the place that is asked for', async () => {
    const { device } = guest;
    const source = image(3, 2);
    const texture = target();
    device.queue.copyExternalImageToTexture({ source: asSource(source) }, { texture }, [3, 2]);
    expect(await readTexels(device, { texture, width: 3, height: 2 })).toEqual(new Uint8Array(source.data));
    device.queue.copyExternalImageToTexture(
      { source: asSource(source), origin: [2, 1] },
      { texture, origin: { x: 3, y: 3 } },
      { width: 1 },
    );
    expect([...(await readTexels(device, { texture, width: 1, height: 1, origin: [3, 3, 0] }))]).toEqual([
      100, 100, 200, 102,
    ]);
  });

  it('turns the image over and premultiplies when asked', async () => {
    const { device } = guest;
    const source = asSource(image(2, 2));
    const texture = target();
    device.queue.copyExternalImageToTexture({ source, flipY: true }, { texture }, [2, 2]);
    expect(texelAt(await readTexels(device, { texture, width: 2, height: 2 }), 2, 0, 0)).toEqual([40, 100, 200, 102]);
    device.queue.copyExternalImageToTexture({ source }, { texture, premultipliedAlpha: true }, [2, 2]);
    expect(texelAt(await readTexels(device, { texture, width: 2, height: 2 }), 2, 1, 1)).toEqual([24, 40, 80, 102]);
  });

  it('converts to every format that WebGPU names', async () => {
    const { device } = guest;
    const source = asSource({ width: 1, height: 1, data: new Uint8ClampedArray([255, 51, 0, 102]) });
    const float32 = (...values: number[]): number[] => [...new Uint8Array(new Float32Array(values).buffer)];
    const words16 = (...values: number[]): number[] => [...new Uint8Array(new Uint16Array(values).buffer)];
    const expected: [GPUTextureFormat, number[]][] = [
      ['rgba8unorm', [255, 51, 0, 102]],
      ['rgba8unorm-srgb', [255, 51, 0, 102]],
      ['bgra8unorm', [0, 51, 255, 102]],
      ['bgra8unorm-srgb', [0, 51, 255, 102]],
      ['r8unorm', [255]],
      ['rg8unorm', [255, 51]],
      ['r32float', float32(1)],
      ['rg32float', float32(1, 0.2)],
      ['rgba32float', float32(1, 0.2, 0, 0.4)],
      // 0.2 and 0.4 as 16-bit floats.
      ['r16float', words16(0x3c00)],
      ['rg16float', words16(0x3c00, 0x3266)],
      ['rgba16float', words16(0x3c00, 0x3266, 0, 0x3666)],
      ['rgb10a2unorm', [...new Uint8Array(new Uint32Array([(1023 | (205 << 10) | (1 << 30)) >>> 0]).buffer)]],
    ];
    for (const [format, bytes] of expected) {
      const texture = target(format);
      await expectNoError(device, () => device.queue.copyExternalImageToTexture({ source }, { texture }, [1]));
      expect(
        [...(await readTexels(device, { texture, width: 1, height: 1, bytesPerTexel: bytes.length }))],
        format,
      ).toEqual(bytes);
    }
  });

  it('throws OperationError beyond the source; a bad destination is an error of validation', async () => {
    const { device } = guest;
    const source = asSource(image(2, 2));
    const texture = target();
    for (const [origin, size] of [
      [
        [1, 0],
        [2, 1],
      ],
      [
        [0, 0],
        [2, 3],
      ],
      [
        [0, 2],
        [1, 1],
      ],
      [
        [0, 0],
        [1, 1, 2],
      ],
      [
        [2 ** 32 - 1, 0],
        [1, 1],
      ],
    ] as const) {
      expect(thrownName(() => device.queue.copyExternalImageToTexture({ source, origin }, { texture }, size))).toBe(
        'OperationError',
      );
    }
    const copyTo =
      (to: GPUTexture, size: number[] = [1]) =>
      () =>
        device.queue.copyExternalImageToTexture({ source }, { texture: to }, size);
    const withUsage = (usage: number): GPUTexture =>
      device.createTexture({ size: [4, 4], format: 'rgba8unorm', usage });
    await expectValidationError(device, copyTo(withUsage(GPUTextureUsage.COPY_DST)));
    await expectValidationError(device, copyTo(withUsage(GPUTextureUsage.RENDER_ATTACHMENT)));
    await expectValidationError(device, copyTo(target('rgba8uint')));
    await expectValidationError(device, copyTo(target('rgba8sint'), [0, 0]));
    await expectValidationError(device, () =>
      device.queue.copyExternalImageToTexture({ source }, { texture, origin: [3, 0] }, [2]),
    );
    await expectNoError(device, copyTo(texture, [0, 0]));
  });
});
