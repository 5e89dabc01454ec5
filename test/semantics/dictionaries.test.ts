import { describe, expect, it } from 'vitest';
import { expectNoError, thrownName } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';

// client-semantics.md, section 1: dictionaries are read by [[Get]], through the prototype chain and getters.

const guest = useGuest();

describe('a descriptor', () => {
  it('may be an object of the API itself', async () => {
    const { device } = guest;
    await expectNoError(device, () => {
      const buffer = device.createBuffer({ size: 64, usage: GPUBufferUsage.STORAGE, label: 'one' });
      const copy = device.createBuffer(buffer);
      expect([copy.size, copy.usage, copy.label]).toEqual([64, GPUBufferUsage.STORAGE, 'one']);
      const texture = device.createTexture({
        size: [4, 8],
        format: 'rgba8unorm',
        usage: GPUTextureUsage.COPY_DST,
        mipLevelCount: 2,
      });
      const twin = device.createTexture({ ...membersOf(texture), size: texture });
      expect([twin.width, twin.height, twin.mipLevelCount, twin.format]).toEqual([4, 8, 2, 'rgba8unorm']);
      const queries = device.createQuerySet(device.createQuerySet({ type: 'occlusion', count: 3 }));
      expect([queries.type, queries.count]).toEqual(['occlusion', 3]);
    });
  });

  it('may inherit its members, compute them, or be an instance of a class', async () => {
    const { device } = guest;
    class Description {
      get size() {
        return 32;
      }
      get usage() {
        return GPUBufferUsage.COPY_SRC;
      }
    }
    const inherited = Object.create(
      { size: 32 },
      { usage: { get: () => GPUBufferUsage.COPY_SRC } },
    ) as GPUBufferDescriptor;
    const callable = Object.assign(() => {}, { size: 32, usage: GPUBufferUsage.COPY_SRC });
    await expectNoError(device, () => {
      for (const descriptor of [new Description(), inherited, callable])
        expect(device.createBuffer(descriptor).size).toBe(32);
    });
  });

  it('takes undefined for absent, and does not mind members that it does not know', async () => {
    const { device } = guest;
    await expectNoError(device, () => {
      const descriptor = {
        size: [2, 3],
        format: 'rgba8unorm',
        usage: 1,
        mipLevelCount: undefined,
        dimension: undefined,
        sampleCount: undefined,
        viewFormats: undefined,
        label: undefined,
        extra: 1n,
      };
      const texture = device.createTexture(descriptor as unknown as GPUTextureDescriptor);
      expect([
        texture.depthOrArrayLayers,
        texture.mipLevelCount,
        texture.sampleCount,
        texture.dimension,
        texture.label,
      ]).toEqual([1, 1, 1, '2d', '']);
    });
    await expectNoError(device, () => device.createSampler(undefined));
    await expectNoError(device, () => device.createSampler(null as unknown as GPUSamplerDescriptor));
    await expectNoError(device, () => device.createCommandEncoder(null as unknown as undefined).finish(undefined));
  });

  it('throws TypeError when it is no object, or a required member is absent', () => {
    const { device } = guest;
    for (const bad of [
      null,
      undefined,
      {},
      { size: 4 },
      { usage: 1 },
      1,
      'x',
      true,
      Symbol('x'),
      { size: undefined, usage: 1 },
    ]) {
      expect(
        thrownName(() => device.createBuffer(bad as unknown as GPUBufferDescriptor)),
        String(bad),
      ).toBe('TypeError');
    }
    for (const bad of [0, 'x', true, 1n])
      expect(thrownName(() => device.createSampler(bad as GPUSamplerDescriptor))).toBe('TypeError');
    // Required dictionaries that are null abort Dawn for Node's process; here they are TypeErrors.
    const encoder = device.createCommandEncoder();
    const none = null as unknown;
    expect(thrownName(() => encoder.beginRenderPass(none as GPURenderPassDescriptor))).toBe('TypeError');
    expect(
      thrownName(() =>
        encoder.copyTextureToTexture(none as GPUTexelCopyTextureInfo, none as GPUTexelCopyTextureInfo, [1]),
      ),
    ).toBe('TypeError');
    expect(
      thrownName(() => device.queue.writeTexture(none as GPUTexelCopyTextureInfo, new Uint8Array(4), {}, [1])),
    ).toBe('TypeError');
    expect(thrownName(() => device.createBindGroup(none as GPUBindGroupDescriptor))).toBe('TypeError');
    encoder.finish();
  });

  it('lets what a getter throws through, and creates nothing', async () => {
    const { device } = guest;
    const failure = new RangeError('mine');
    const descriptor = {
      size: 4,
      get usage(): number {
        throw failure;
      },
    };
    expect(() => device.createBuffer(descriptor)).toThrow(failure);
    // In a nested dictionary, and behind members that were encoded already.
    expect(() =>
      device.createBindGroupLayout({
        entries: [
          { binding: 0, visibility: 1, buffer: {} },
          {
            binding: 1,
            visibility: 1,
            get sampler(): GPUSamplerBindingLayout {
              throw failure;
            },
          },
        ],
      }),
    ).toThrow(failure);
    await expectNoError(device, () => device.createBuffer({ size: 4, usage: 1 }));
  });

  it('is read member by member: inherited dictionaries first, each in the order of the alphabet, each once', () => {
    const { device } = guest;
    expect(
      readOrder({ size: 4, usage: 8, mappedAtCreation: false, label: '' }, (value) => device.createBuffer(value)),
    ).toEqual(['label', 'mappedAtCreation', 'size', 'usage']);
    expect(
      readOrder({ size: [1], format: 'rgba8unorm' as const, usage: 1 }, (value) => device.createTexture(value)),
    ).toEqual([
      'label',
      'dimension',
      'format',
      'mipLevelCount',
      'sampleCount',
      'size',
      'textureBindingViewDimension',
      'usage',
      'viewFormats',
    ]);
    expect(
      readOrder({ width: 1, height: 1 }, (size) => device.createTexture({ size, format: 'rgba8unorm', usage: 1 })),
    ).toEqual(['depthOrArrayLayers', 'height', 'width']);
    const module = device.createShaderModule({ code: '@compute @workgroup_size(1) fn main() {}' });
    expect(
      readOrder({ layout: 'auto' as const, compute: { module } }, (value) => device.createComputePipeline(value)),
    ).toEqual(['label', 'layout', 'compute']);
    expect(readOrder({ module }, (compute) => device.createComputePipeline({ layout: 'auto', compute }))).toEqual([
      'constants',
      'entryPoint',
      'module',
    ]);
  });
});

/** The members of a texture, which are accessors of its prototype, as an object's own. */
function membersOf(texture: GPUTexture): GPUTextureDescriptor {
  const { format, usage, mipLevelCount } = texture;
  return { size: [1], format, usage, mipLevelCount };
}

/** The names that `use` reads of a descriptor, in order. Symbol.iterator tells a sequence from a dictionary. */
function readOrder<T extends object>(value: T, use: (value: T) => unknown): string[] {
  const names: string[] = [];
  use(
    new Proxy(value, {
      get(target, name, receiver) {
        if (typeof name === 'string') names.push(name);
        return Reflect.get(target, name, receiver) as unknown;
      },
    }),
  );
  return names;
}
