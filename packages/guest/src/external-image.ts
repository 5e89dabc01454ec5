import type {
  GPUCopyExternalImageDestInfoValue,
  GPUCopyExternalImageSourceInfoValue,
  GPUExtent3DDictValue,
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
};

/**
 * The texels that copyExternalImageToTexture writes: the part of the source that is asked for, turned and premultiplied
 * as asked. https://www.w3.org/TR/webgpu/#dom-gpuqueue-copyexternalimagetotexture
 * @throws TypeError for a source that does not carry its pixels (an image, video or canvas of a browser).
 * @throws OperationError when the copy reaches beyond the source.
 */
export function externalImageTexels(
  stream: CommandStream,
  { source, origin = { x: 0, y: 0 }, flipY }: GPUCopyExternalImageSourceInfoValue,
  destination: GPUCopyExternalImageDestInfoValue,
  size: GPUExtent3DDictValue,
): { texels: Uint8Array; bytesPerRow: number } {
  const place = 'GPUQueue.copyExternalImageToTexture';
  if (!isPixelSource(source))
    throw new TypeError(`${place}: source.source carries no pixels that can leave this process; ImageData does`);
  if (origin.x + size.width > source.width || origin.y + size.height > source.height || size.depthOrArrayLayers > 1) {
    throw operationError(`${place}: the copy reaches beyond the source of ${source.width}×${source.height}`);
  }
  const format = findTexture(stream, destination.texture)?.format ?? '';
  const store = STORES[format.replace(/-srgb$/, '')];
  // A format that cannot be a destination is the host's to refuse: it is sent with nothing in it.
  if (store === undefined) return { texels: new Uint8Array(0), bytesPerRow: 0 };
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
