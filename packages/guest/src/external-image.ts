import {
  GPUTextureUsage,
  type GPUCopyExternalImageDestInfoValue,
  type GPUCopyExternalImageSourceInfoValue,
  type GPUExtent3DDictValue,
} from '@vesper-gpu/protocol/guest';
import type { CommandStream } from '@vesper-gpu/wire';
import { operationError } from './errors.ts';
import { findTexture } from './texture.ts';

/** What is needed of a source: ImageData has it, and whatever else carries its pixels. RGBA, 8 bits each, not premultiplied. */
interface PixelSource {
  data: Uint8ClampedArray | Uint8Array;
  width: number;
  height: number;
}

function isPixelSource(value: unknown): value is PixelSource {
  if (typeof value !== 'object' || value === null) return false;
  const { data, width, height } = value as Partial<PixelSource>;
  return (
    (data instanceof Uint8ClampedArray || data instanceof Uint8Array) &&
    typeof width === 'number' &&
    typeof height === 'number' &&
    data.byteLength === width * height * 4
  );
}

/** How to store one texel, and how many bytes it takes, by the destination's format. */
const STORES: Record<string, { bytes: number; store(view: DataView, at: number, rgba: readonly number[]): void }> = {
  rgba8unorm: {
    bytes: 4,
    store: (view, at, rgba) => rgba.forEach((value, i) => view.setUint8(at + i, Math.round(value * 255))),
  },
  bgra8unorm: {
    bytes: 4,
    store: (view, at, [r, g, b, a]) =>
      [b!, g!, r!, a!].forEach((value, i) => view.setUint8(at + i, Math.round(value * 255))),
  },
  r8unorm: { bytes: 1, store: (view, at, rgba) => view.setUint8(at, Math.round(rgba[0]! * 255)) },
  rg8unorm: {
    bytes: 2,
    store: (view, at, rgba) => rgba.slice(0, 2).forEach((value, i) => view.setUint8(at + i, Math.round(value * 255))),
  },
  rgba32float: {
    bytes: 16,
    store: (view, at, rgba) => rgba.forEach((value, i) => view.setFloat32(at + 4 * i, value, true)),
  },
  rg32float: {
    bytes: 8,
    store: (view, at, rgba) => rgba.slice(0, 2).forEach((value, i) => view.setFloat32(at + 4 * i, value, true)),
  },
  r32float: { bytes: 4, store: (view, at, rgba) => view.setFloat32(at, rgba[0]!, true) },
  rgba16float: {
    bytes: 8,
    store: (view, at, rgba) => rgba.forEach((value, i) => view.setUint16(at + 2 * i, halfBits(value), true)),
  },
  rg16float: {
    bytes: 4,
    store: (view, at, rgba) =>
      rgba.slice(0, 2).forEach((value, i) => view.setUint16(at + 2 * i, halfBits(value), true)),
  },
  r16float: { bytes: 2, store: (view, at, rgba) => view.setUint16(at, halfBits(rgba[0]!), true) },
  rgb10a2unorm: { bytes: 4, store: (view, at, rgba) => view.setUint32(at, rgb10a2Bits(rgba), true) },
};

/** A number from 0 to 1 as a 16-bit float: the nearest one. */
function halfBits(value: number): number {
  // Below the smallest normal number there are 1024 equal steps.
  if (value < 2 ** -14) return Math.round(value * 2 ** 24);
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) + Math.round((value / 2 ** exponent - 1) * 1024);
}

function rgb10a2Bits([r, g, b, a]: readonly number[]): number {
  return (
    ((Math.round(a! * 3) << 30) |
      (Math.round(b! * 1023) << 20) |
      (Math.round(g! * 1023) << 10) |
      Math.round(r! * 1023)) >>>
    0
  );
}

/**
 * The texels that copyExternalImageToTexture writes: the part of the source that is asked for, turned and premultiplied
 * as asked. https://www.w3.org/TR/webgpu/#dom-gpuqueue-copyexternalimagetotexture
 * @throws TypeError for a source that does not carry its pixels (an image, video or canvas of a browser).
 * @throws OperationError when the copy reaches beyond the source.
 * @returns the texels, or as a string why the destination is no valid one: an error of validation.
 */
export function externalImageTexels(
  stream: CommandStream,
  { source, origin = { x: 0, y: 0 }, flipY }: GPUCopyExternalImageSourceInfoValue,
  destination: GPUCopyExternalImageDestInfoValue,
  size: GPUExtent3DDictValue,
): { texels: Uint8Array; bytesPerRow: number } | string {
  const place = 'GPUQueue.copyExternalImageToTexture';
  if (!isPixelSource(source))
    throw new TypeError(`${place}: source.source carries no pixels that can leave this process; ImageData does`);
  if (origin.x + size.width > source.width || origin.y + size.height > source.height || size.depthOrArrayLayers > 1) {
    throw operationError(`${place}: the copy reaches beyond the source of ${source.width}×${source.height}`);
  }
  const texture = findTexture(stream, destination.texture)!;
  const store = STORES[texture.format.replace(/-srgb$/, '')];
  // What a write of texels does not need, and a copy of an image does.
  if (store === undefined) return `${place}: a texture of format "${texture.format}" cannot be the destination`;
  if (!(texture.usage & GPUTextureUsage.RENDER_ATTACHMENT))
    return `${place}: the destination does not have the usage RENDER_ATTACHMENT`;
  if (texture.dimension !== '2d') return `${place}: the destination is not of dimension 2d`;
  const bytesPerRow = size.width * store.bytes;
  const texels = new Uint8Array(bytesPerRow * size.height);
  const view = new DataView(texels.buffer);
  for (let y = 0; y < size.height; y++) {
    const row = origin.y + (flipY ? size.height - 1 - y : y);
    for (let x = 0; x < size.width; x++) {
      const from = (row * source.width + origin.x + x) * 4;
      const alpha = source.data[from + 3]! / 255;
      const factor = destination.premultipliedAlpha ? alpha : 1;
      const rgba = [0, 1, 2].map((channel) => (source.data[from + channel]! / 255) * factor);
      store.store(view, y * bytesPerRow + x * store.bytes, [...rgba, alpha]);
    }
  }
  return { texels, bytesPerRow };
}
