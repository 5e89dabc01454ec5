import { GPUTextureFormatNumbers } from '@vesper-gpu/protocol';
import { type api } from '@vesper-gpu/protocol/host';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { texelBlocks } from './texel-blocks.ts';
import { bufferBytes, querySetBytes, textureBytes, stagingBytes } from './texture-size.ts';

const formats = Object.keys(GPUTextureFormatNumbers) as api.GPUTextureFormat[];

/** The formats whose names match, each with what the groups of the pattern found. */
function named<T>(pattern: RegExp, read: (match: RegExpExecArray) => T): [api.GPUTextureFormat, T][] {
  return formats.flatMap((format): [api.GPUTextureFormat, T][] => {
    const match = pattern.exec(format);
    return match === null ? [] : [[format, read(match)]];
  });
}

const astc = named(/^astc-(\d+)x(\d+)-/, ([, width, height]) => ({
  width: Number(width),
  height: Number(height),
  bytes: 16,
}));
const compressed = named(/^(bc|etc2|eac)/, () => ({ width: 4, height: 4 }));
/** Formats whose names spell out their channels. */
const plain = named(/^([rgba]+)(8|16|32)(unorm|snorm|uint|sint|float)/, ([, channels, bits]) => ({
  width: 1,
  height: 1,
  bytes: (channels!.length * Number(bits)) / 8,
}));

/** Walks every block of every level, layer and sample. */
function countBlocks(texture: Texture): number {
  const [width, height, depthOrArrayLayers] = texture.size;
  const { width: blockWidth, height: blockHeight, bytes } = texelBlocks[texture.format];
  let sum = 0;
  for (let level = 0, [w, h, d] = [width, height, depthOrArrayLayers]; level < texture.mipLevelCount; level++) {
    for (let z = 0; z < d; z++) {
      for (let y = 0; y < h; y += blockHeight)
        for (let x = 0; x < w; x += blockWidth) sum += bytes * texture.sampleCount;
    }
    w = Math.max(1, w >> 1);
    h = Math.max(1, h >> 1);
    if (texture.dimension === '3d') d = Math.max(1, d >> 1);
  }
  return sum;
}

interface Texture {
  size: [width: number, height: number, depthOrArrayLayers: number];
  mipLevelCount: number;
  sampleCount: number;
  dimension: api.GPUTextureDimension;
  format: api.GPUTextureFormat;
}

function textures(
  sides: fc.Arbitrary<number>,
  levels: fc.Arbitrary<number>,
  samples: fc.Arbitrary<number>,
): fc.Arbitrary<Texture> {
  return fc.record({
    size: fc.tuple(sides, sides, sides),
    mipLevelCount: levels,
    sampleCount: samples,
    dimension: fc.constantFrom('1d', '2d', '3d'),
    format: fc.constantFrom(...formats),
  });
}

describe('texelBlocks', () => {
  it('has every format of the schema, and no other', () => {
    expect(Object.keys(texelBlocks).toSorted()).toEqual(formats.toSorted());
  });

  it.each([...astc, ...compressed, ...plain])('agrees with the name of %s', (format, block) => {
    expect(texelBlocks[format]).toMatchObject(block);
  });
});

describe('textureBytes', () => {
  it('is what counting block by block gives', () => {
    const small = textures(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 7 }), fc.constantFrom(1, 4));
    fc.assert(
      fc.property(small, (texture) => {
        expect(textureBytes(texture)).toBe(countBlocks(texture));
      }),
    );
  });

  it('is a size for whatever can be decoded, and grows with every member', () => {
    const u32 = fc.oneof(
      fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
      fc.integer({ min: 0, max: 0xffff_ffff }),
    );
    fc.assert(
      fc.property(textures(u32, u32, u32), (texture) => {
        const bytes = textureBytes(texture);
        expect(bytes >= 0 && bytes <= 2 ** 53).toBe(true);
        const [width, height, depth] = texture.size;
        for (const larger of [
          { ...texture, size: [width + 1, height, depth] },
          { ...texture, size: [width, height + 1, depth] },
          { ...texture, size: [width, height, depth + 1] },
          { ...texture, mipLevelCount: texture.mipLevelCount + 1 },
          { ...texture, sampleCount: texture.sampleCount + 1 },
        ]) {
          expect(textureBytes(larger)).toBeGreaterThanOrEqual(bytes);
        }
      }),
    );
  });

  it('fills in defaults, and takes a size in either form', () => {
    expect(textureBytes({ size: [3], format: 'rgba8unorm' })).toBe(12);
    expect(textureBytes({ size: { width: 3 }, format: 'rgba8unorm' })).toBe(12);
    expect(textureBytes({ size: { width: 3, height: 2 }, format: 'rgba8unorm' })).toBe(24);
    expect(textureBytes({ size: new Set([2, 3, 5]), format: 'r8unorm' })).toBe(30);
    expect(textureBytes({ size: { width: 2, height: 3, depthOrArrayLayers: 5 }, format: 'r8unorm' })).toBe(30);
    expect(textureBytes({ size: [], format: 'r8unorm' })).toBe(0);
    expect(textureBytes({ size: [5, 5], format: 'bc1-rgba-unorm' })).toBe(32);
  });
});

describe('bufferBytes and querySetBytes', () => {
  it('round up to words, and stay sizes', () => {
    expect([0, 1, 4, 5].map((size) => bufferBytes({ size }))).toEqual([0, 4, 4, 8]);
    expect(bufferBytes({ size: Number.MAX_SAFE_INTEGER })).toBe(2 ** 53);
    expect(bufferBytes({ size: Infinity })).toBe(2 ** 53);
    expect(querySetBytes({ count: 3 })).toBe(24);
    expect(querySetBytes({ count: 0xffff_ffff })).toBe(0xffff_ffff * 8);
  });
});

it.each([
  ['r8unorm', { width: 1, height: 8192 }, 8192 * 256],
  ['rgba8unorm', { width: 65, height: 3, depthOrArrayLayers: 2 }, 6 * 512],
  ['bc1-rgba-unorm', { width: 8, height: 8 }, 2 * 256],
  ['rgba8unorm', { width: 0, height: 4 }, 0],
] as const)('a write to %s of %j takes whole rows', (format, size, bytes) => {
  expect(stagingBytes(format, size)).toBe(bytes);
});
