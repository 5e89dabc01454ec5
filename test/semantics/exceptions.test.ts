import { describe, expect, it } from 'vitest';
import { errorOf, expectNoError, expectValidationError, rejectionName, thrownName } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';
import { readWords } from './fixture/readback.ts';

// client-semantics.md, section 2: what is thrown in the call, and what is left to the host's validation.
// That enumerations, missing members and integers out of range are TypeErrors is in conversions.test.ts.

const guest = useGuest();
const anything = <T>(value: unknown): T => value as T;

const wgsl =
  '@vertex fn v() -> @builtin(position) vec4f { return vec4f(); } @fragment fn f() -> @location(0) vec4f { return vec4f(); } @compute @workgroup_size(1) fn c() {}';

describe('formats of a feature that the device lacks', () => {
  it('are TypeErrors wherever a format is named', async () => {
    const device = await guest.newDevice();
    const rgba = device.createTexture({ size: [4, 4], format: 'rgba8unorm', usage: GPUTextureUsage.TEXTURE_BINDING });
    const usage = GPUTextureUsage.TEXTURE_BINDING;
    const module = device.createShaderModule({ code: wgsl });
    for (const format of [
      'bc1-rgba-unorm',
      'etc2-rgb8unorm',
      'eac-r11unorm',
      'astc-4x4-unorm',
      'depth32float-stencil8',
      'r16unorm',
    ] as GPUTextureFormat[]) {
      const pipeline: GPURenderPipelineDescriptor = {
        layout: 'auto',
        vertex: { module },
        fragment: { module, targets: [{ format }] },
      };
      const depthPipeline: GPURenderPipelineDescriptor = {
        layout: 'auto',
        vertex: { module },
        depthStencil: { format, depthWriteEnabled: false, depthCompare: 'always' },
      };
      const acts: Record<string, () => unknown> = {
        createTexture: () => device.createTexture({ size: [4, 4], format, usage }),
        viewFormats: () => device.createTexture({ size: [4, 4], format: 'rgba8unorm', usage, viewFormats: [format] }),
        createView: () => rgba.createView({ format }),
        storageTexture: () =>
          device.createBindGroupLayout({ entries: [{ binding: 0, visibility: 4, storageTexture: { format } }] }),
        target: () => device.createRenderPipeline(pipeline),
        depthStencil: () => device.createRenderPipeline(depthPipeline),
        bundleColor: () => device.createRenderBundleEncoder({ colorFormats: [format] }),
        bundleDepth: () => device.createRenderBundleEncoder({ colorFormats: [], depthStencilFormat: format }),
      };
      await expectNoError(device, () => {
        for (const [name, act] of Object.entries(acts)) expect(thrownName(act), `${name} ${format}`).toBe('TypeError');
      });
      expect(await rejectionName(() => device.createRenderPipelineAsync(pipeline)), format).toBe('TypeError');
      expect(await rejectionName(() => device.createRenderPipelineAsync(depthPipeline)), format).toBe('TypeError');
    }
    device.destroy();
  });

  it('are fine where the device has the feature', async () => {
    const { device } = guest;
    await expectNoError(device, () =>
      device.createTexture({ size: [4, 4], format: 'bc1-rgba-unorm', usage: GPUTextureUsage.TEXTURE_BINDING }),
    );
    await expectNoError(device, () =>
      device.createTexture({ size: [4, 4], format: 'depth32float-stencil8', usage: GPUTextureUsage.RENDER_ATTACHMENT }),
    );
  });

  it('are validation errors where only a capability of a known format is missing', async () => {
    const device = await guest.newDevice();
    await expectValidationError(device, () =>
      device.createTexture({ size: [4], format: 'bgra8unorm', usage: GPUTextureUsage.STORAGE_BINDING }),
    );
    await expectValidationError(device, () =>
      device.createTexture({ size: [4], format: 'rg11b10ufloat', usage: GPUTextureUsage.RENDER_ATTACHMENT }),
    );
    device.destroy();
  });
});

describe('queries and views', () => {
  it('a timestamp query set without the feature is a TypeError, timestampWrites a validation error', async () => {
    const device = await guest.newDevice();
    expect(thrownName(() => device.createQuerySet({ type: 'timestamp', count: 1 }))).toBe('TypeError');
    const querySet = device.createQuerySet({ type: 'occlusion', count: 2 });
    await expectValidationError(device, () => {
      const encoder = device.createCommandEncoder();
      encoder.beginComputePass({ timestampWrites: { querySet, beginningOfPassWriteIndex: 0 } }).end();
      encoder.finish();
    });
    device.destroy();
  });

  it('a swizzle of other than four of r, g, b, a, 0, 1 is a TypeError; another than rgba needs the feature', async () => {
    const { device } = guest;
    const texture = device.createTexture({ size: [1], format: 'rgba8unorm', usage: GPUTextureUsage.TEXTURE_BINDING });
    const view = (swizzle: unknown, of = texture) => of.createView(anything({ swizzle }));
    for (const bad of ['', 'rgb', 'rgbaa', 'RGBA', 'rgbx', 'rgba\n', '\u{1d42b}gba', 11])
      expect(
        thrownName(() => view(bad)),
        String(bad),
      ).toBe('TypeError');
    await expectNoError(device, () => {
      view('rgba');
      view('bgr1');
      view(1111);
      view(undefined);
    });
    const core = await guest.newDevice();
    const plain = core.createTexture({ size: [1], format: 'rgba8unorm', usage: GPUTextureUsage.TEXTURE_BINDING });
    await expectNoError(core, () => view('rgba', plain));
    await expectValidationError(core, () => view('bgra', plain));
    core.destroy();
  });
});

describe('createBuffer with mappedAtCreation', () => {
  it('throws RangeError for a size that is no multiple of 4, whatever else is wrong', async () => {
    const { device } = guest;
    await expectNoError(device, () => {
      for (const size of [1, 2, 3, 5, 2 ** 53 - 1]) {
        expect(
          thrownName(() => device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST, mappedAtCreation: true })),
          String(size),
        ).toBe('RangeError');
        expect(
          thrownName(() => device.createBuffer({ size, usage: 0xffff_ffff, mappedAtCreation: true })),
          String(size),
        ).toBe('RangeError');
      }
    });
  });

  it('throws RangeError when there is no memory for it, and leaves nothing behind', async () => {
    const { device } = guest;
    for (const filter of ['validation', 'out-of-memory'] as const) {
      const error = await errorOf(
        device,
        () =>
          expect(
            thrownName(() =>
              device.createBuffer({ size: 2 ** 53 - 8, usage: GPUBufferUsage.COPY_DST, mappedAtCreation: true }),
            ),
          ).toBe('RangeError'),
        filter,
      );
      expect(error).toBeNull();
    }
  });

  it('without it, a size that is no multiple of 4 is fine', () =>
    expectNoError(guest.device, () => guest.device.createBuffer({ size: 7, usage: GPUBufferUsage.COPY_DST })));
});

describe('writeBuffer', () => {
  it('throws OperationError for a range outside of the data, or of no multiple of 4 bytes', async () => {
    const { device } = guest;
    const buffer = device.createBuffer({ size: 64, usage: GPUBufferUsage.COPY_DST });
    const write =
      (...more: [GPUAllowSharedBufferSource, number?, number?]) =>
      () =>
        device.queue.writeBuffer(buffer, 0, ...more);
    await expectNoError(device, () => {
      const bad: [GPUAllowSharedBufferSource, number?, number?][] = [
        [new Uint8Array(16), 17],
        [new Uint8Array(16), 0, 17],
        [new Uint8Array(16), 8, 12],
        [new Uint8Array(16), 16, 4],
        [new Uint8Array(15)],
        [new Uint8Array(16), 1],
        [new Uint8Array(16), 0, 2],
        // Elements of a typed array, bytes of anything else.
        [new Uint32Array(4), 5],
        [new Uint32Array(4), 0, 16],
        [new Uint16Array(4), 0, 1],
        [new Float64Array(2), 0, 3],
        [new ArrayBuffer(16), 0, 20],
        [new DataView(new ArrayBuffer(16)), 14],
        [new Uint8Array(16), 2 ** 53 - 1],
        [new Uint8Array(16), 0, 2 ** 53 - 1],
      ];
      for (const args of bad) expect(thrownName(write(...args)), JSON.stringify(args.slice(1))).toBe('OperationError');
      for (const good of [
        [new Uint8Array(16), 16],
        [new Uint8Array(16), 4, 12],
        [new Uint32Array(4), 3, 1],
        [new Uint16Array(4), 2],
        [new ArrayBuffer(0)],
        [new Float64Array(2), 1, 1],
      ] as typeof bad)
        write(...good)();
    });
    for (const data of [null, {}, [1, 2, 3, 4], 'abcd', undefined, 4])
      expect(
        thrownName(() => device.queue.writeBuffer(buffer, 0, anything(data))),
        String(data),
      ).toBe('TypeError');
  });

  it('leaves everything about the buffer to validation', async () => {
    const { device } = guest;
    const data = new Uint8Array(8);
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
    await expectValidationError(device, () => device.queue.writeBuffer(buffer, 2, data));
    await expectValidationError(device, () => device.queue.writeBuffer(buffer, 12, data));
    await expectValidationError(device, () => device.queue.writeBuffer(buffer, 2 ** 53 - 8, data));
    await expectValidationError(device, () =>
      device.queue.writeBuffer(device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_SRC }), 0, data),
    );
    const mapped = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST, mappedAtCreation: true });
    await expectValidationError(device, () => device.queue.writeBuffer(mapped, 0, data));
    mapped.unmap();
    await expectNoError(device, () => device.queue.writeBuffer(mapped, 0, data));
    buffer.destroy();
    await expectValidationError(device, () => device.queue.writeBuffer(buffer, 0, data));
  });
});

describe('ranges of encoders', () => {
  it('setBindGroup throws RangeError outside of its array, and the encoder stays valid', async () => {
    const { device } = guest;
    const layout = device.createBindGroupLayout({
      entries: [{ binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { hasDynamicOffset: true } }],
    });
    const buffer = device.createBuffer({ size: 1024, usage: GPUBufferUsage.UNIFORM });
    const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer, size: 16 } }] });
    const use = (act: (pass: GPUComputePassEncoder) => void) => () => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      act(pass);
      pass.end();
      encoder.finish();
    };
    const offsets = new Uint32Array([0, 256]);
    await expectNoError(
      device,
      use((pass) => {
        for (const [start, length] of [
          [0, 3],
          [3, 0],
          [2, 1],
          [2 ** 53 - 1, 1],
        ] as const) {
          expect(
            thrownName(() => pass.setBindGroup(0, group, offsets, start, length)),
            `${start} ${length}`,
          ).toBe('RangeError');
        }
        expect(thrownName(() => pass.setBindGroup(0, group, offsets, -1, 1))).toBe('TypeError');
        expect(thrownName(() => pass.setBindGroup(0, group, offsets, 0, 2 ** 32))).toBe('TypeError');
        pass.setBindGroup(0, group, offsets, 1, 1);
      }),
    );
    // Their number, alignment and bounds are validated by the host, at finish.
    await expectValidationError(
      device,
      use((pass) => pass.setBindGroup(0, group)),
    );
    await expectValidationError(
      device,
      use((pass) => pass.setBindGroup(0, group, [0, 0])),
    );
    await expectValidationError(
      device,
      use((pass) => pass.setBindGroup(0, group, [128])),
    );
    await expectValidationError(
      device,
      use((pass) => pass.setBindGroup(0, group, [1024])),
    );
    await expectValidationError(
      device,
      use((pass) => pass.setBindGroup(4, null)),
    );
  });

  it('setImmediates throws RangeError for bytes that are no multiple of 4 or not in the data', async () => {
    const { device } = guest;
    const use = (act: (pass: GPUComputePassEncoder) => void) => () => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      act(pass);
      pass.end();
      encoder.finish();
    };
    await expectNoError(
      device,
      use((pass) => {
        const bad: [GPUAllowSharedBufferSource, number?, number?][] = [
          [new Uint8Array(3)],
          [new Uint8Array(8), 1],
          [new Uint8Array(8), 0, 6],
          [new Uint8Array(8), 9],
          [new Uint32Array(2), 0, 3],
          [new Uint32Array(2), 2, 1],
          [new ArrayBuffer(8), 4, 8],
        ];
        for (const args of bad)
          expect(
            thrownName(() => pass.setImmediates(0, ...args)),
            JSON.stringify(args.slice(1)),
          ).toBe('RangeError');
        pass.setImmediates(0, new Uint32Array(2), 1, 1);
        pass.setImmediates(0, new Uint32Array(0));
      }),
    );
    // Dawn for Node fails 114 cases of the CTS here; what matters is that such offsets arrive as they are.
    const { maxImmediateSize } = device.limits as GPUSupportedLimits & { maxImmediateSize: number };
    await expectValidationError(
      device,
      use((pass) => pass.setImmediates(maxImmediateSize, new Uint32Array(1))),
    );
    await expectValidationError(
      device,
      use((pass) => pass.setImmediates(2 ** 32 - 4, new Uint32Array(1))),
    );
    await expectValidationError(
      device,
      use((pass) => pass.setImmediates(2, new Uint32Array(1))),
    );
  });
});

describe('writeTexture', () => {
  it('has only errors of validation', async () => {
    const { device } = guest;
    const texture = device.createTexture({ size: [4, 4, 2], format: 'rgba8unorm', usage: GPUTextureUsage.COPY_DST });
    const write =
      (
        data: GPUAllowSharedBufferSource,
        layout: GPUTexelCopyBufferLayout,
        size: GPUExtent3DStrict,
        more: Partial<GPUTexelCopyTextureInfo> = {},
      ) =>
      () =>
        device.queue.writeTexture({ texture, ...more }, data, layout, size);
    const bad = [
      write(new Uint8Array(63), { bytesPerRow: 16 }, [4, 4]),
      write(new Uint8Array(64), { bytesPerRow: 12 }, [4, 4]),
      write(new Uint8Array(64), { bytesPerRow: 16, offset: 4 }, [4, 4]),
      write(new Uint8Array(64), { bytesPerRow: 16, offset: 65 }, [0, 0]),
      write(new Uint8Array(64), {}, [4, 4]),
      write(new Uint8Array(128), { bytesPerRow: 16 }, [4, 4, 2]),
      write(new Uint8Array(128), { bytesPerRow: 16, rowsPerImage: 3 }, [4, 4, 2]),
      write(new Uint8Array(64), { bytesPerRow: 16 }, [4, 4], { origin: [1, 0] }),
      write(new Uint8Array(64), { bytesPerRow: 16 }, [4, 4], { mipLevel: 1 }),
      write(new Uint8Array(64), { bytesPerRow: 2 ** 32 - 1, rowsPerImage: 2 ** 32 - 1 }, [4, 4, 2]),
      write(new Uint8Array(64), { bytesPerRow: 16, offset: 2 ** 53 - 1 }, [4, 4]),
    ];
    for (const [index, act] of bad.entries())
      expect(await errorOf(device, act), String(index)).toBeInstanceOf(GPUValidationError);
    const good = [
      write(new Uint8Array(64), { bytesPerRow: 16 }, [4, 4]),
      // The last row needs no padding.
      write(new Uint8Array(3 * 256 + 16), { bytesPerRow: 256 }, [4, 4]),
      write(new Uint8Array(1000), { bytesPerRow: 16, offset: 900 }, [4, 4]),
      write(new Uint8Array(16), {}, [4, 1]),
      write(new Uint8Array(64), { bytesPerRow: 16, offset: 64 }, [0, 0]),
      write(new Uint8Array(0), {}, [0, 1]),
      write(new Uint8Array(128), { bytesPerRow: 16, rowsPerImage: 4 }, [4, 4, 2]),
      write(new DataView(new ArrayBuffer(80), 16), { bytesPerRow: 16 }, { width: 4, height: 4 }),
    ];
    for (const [index, act] of good.entries())
      expect((await errorOf(device, act))?.message, String(index)).toBeUndefined();
  });
});

describe('what needs a browser', () => {
  it('throws TypeError: importExternalTexture, canvas contexts, image sources without pixels', () => {
    const { device } = guest;
    expect(thrownName(() => device.importExternalTexture({ source: anything({}) }))).toBe('TypeError');
    const texture = device.createTexture({
      size: [1],
      format: 'rgba8unorm',
      usage: GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT,
    });
    for (const source of [
      {},
      null,
      undefined,
      new Uint8Array(4),
      { data: new Uint8ClampedArray(3), width: 1, height: 1 },
    ]) {
      expect(
        thrownName(() => device.queue.copyExternalImageToTexture({ source: anything(source) }, { texture }, [1])),
      ).toBe('TypeError');
    }
    const context = Object.create(GPUCanvasContext.prototype) as GPUCanvasContext;
    for (const act of [
      () => context.configure({ device, format: 'rgba8unorm' }),
      () => context.getCurrentTexture(),
      () => context.unconfigure(),
      () => context.canvas,
    ]) {
      expect(thrownName(act)).toBe('TypeError');
    }
    expect(guest.gpu.getPreferredCanvasFormat()).toMatch(/^(bgra|rgba)8unorm$/);
  });
});

describe('data', () => {
  it('is what it was in the call', async () => {
    const { device } = guest;
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
    const data = new Uint32Array([1, 2, 3, 4]);
    device.queue.writeBuffer(buffer, 0, data);
    data.fill(9);
    expect(await readWords(device, buffer)).toEqual([1, 2, 3, 4]);
    const large = device.createBuffer({ size: 4 << 20, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
    const words = new Uint32Array(1 << 20).map((_, index) => index);
    device.queue.writeBuffer(large, 0, words);
    words.fill(0);
    const found = await readWords(device, large);
    expect(found.every((word, index) => word === index)).toBe(true);
  });

  it('of a buffer that was detached is none', async () => {
    const { device } = guest;
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
    const data = new ArrayBuffer(8);
    const views = [new Uint32Array(data), new DataView(data)];
    structuredClone(data, { transfer: [data] });
    await expectNoError(device, () => {
      for (const source of [data, ...views]) {
        device.queue.writeBuffer(buffer, 0, source);
        expect(thrownName(() => device.queue.writeBuffer(buffer, 0, source, 0, 4))).toBe('OperationError');
      }
    });
  });

  it('of every kind of source is read: shared or not, with offsets, resizable', async () => {
    const { device } = guest;
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
    const words = [1, 2, 3, 4];
    const shared = new SharedArrayBuffer(32);
    new Uint32Array(shared, 16).set(words);
    const plain = new Uint32Array(words).buffer;
    const Resizable = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => ArrayBuffer;
    const resizable = new Resizable(16, { maxByteLength: 64 });
    new Uint32Array(resizable).set(words);
    // Dawn for Node refuses a SharedArrayBuffer and a DataView.
    const sources: [GPUAllowSharedBufferSource, number?, number?][] = [
      [plain],
      [new DataView(plain)],
      [shared, 16],
      [new Uint32Array(shared, 16)],
      [new DataView(shared, 8), 8],
      [new Float64Array(plain)],
      [new BigUint64Array(plain)],
      [new Uint16Array(shared), 8, 8],
      [resizable],
      [Buffer.from(plain)],
    ];
    for (const [index, source] of sources.entries()) {
      device.queue.writeBuffer(buffer, 0, new Uint32Array(4));
      device.queue.writeBuffer(buffer, 0, ...source);
      expect(await readWords(device, buffer), String(index)).toEqual(words);
    }
  });
});
