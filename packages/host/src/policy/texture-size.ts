import type { api } from '@vesper-gpu/protocol/host';
import { texelBlocks } from './texel-blocks.ts';

/** Sizes beyond it are not told apart. */
const MOST_BYTES = 2 ** 53;

/** More levels than any texture has: each halves a side of less than 2³². */
const MOST_LEVELS = 33;

/** Bytes of a query's result. Statistics of pipelines, the one type with larger results, are not in WebGPU. */
const QUERY_BYTES = 8;

type Extent = api.GPUTextureDescriptor['size'];

/** The three sides as WebGPU fills them in; what lacks a width, which no decoder yields, is empty. */
function sidesOf(size: Extent): readonly [width: number, height: number, depthOrArrayLayers: number] {
  if (Symbol.iterator in size) {
    const [width = 0, height = 1, depthOrArrayLayers = 1] = size;
    return [width, height, depthOrArrayLayers];
  }
  return [size.width, size.height ?? 1, size.depthOrArrayLayers ?? 1];
}

/**
 * Memory of a buffer in bytes: its size, rounded up to whole words as implementations do; at most 2⁵³.
 * https://www.w3.org/TR/webgpu/#dom-gpudevice-createbuffer
 */
export function bufferBytes(descriptor: Pick<api.GPUBufferDescriptor, 'size'>): number {
  return Math.min(MOST_BYTES, Math.ceil(descriptor.size / 4) * 4);
}

/**
 * Memory of a texture in bytes, with all its mip levels, layers and samples, as its format packs them: a lower bound of
 * what a driver takes, which may pad rows and levels. At most 2⁵³, whatever the descriptor asks for. Levels beyond those that the
 * size has, which make the texture invalid, count as one texel each.
 * https://www.w3.org/TR/webgpu/#abstract-opdef-logical-miplevel-specific-texture-extent
 */
export function textureBytes(
  descriptor: Pick<api.GPUTextureDescriptor, 'size' | 'mipLevelCount' | 'sampleCount' | 'dimension' | 'format'>,
): number {
  const { width: blockWidth, height: blockHeight, bytes } = texelBlocks[descriptor.format];
  const [width, height, depthOrArrayLayers] = sidesOf(descriptor.size);
  const is3D = descriptor.dimension === '3d';
  const levels = Math.min(descriptor.mipLevelCount ?? 1, MOST_LEVELS);
  let blocks = 0;
  for (let level = 0; level < levels; level++) {
    const scale = 2 ** level;
    const across = Math.ceil(sideAt(width, scale) / blockWidth);
    const down = Math.ceil(sideAt(height, scale) / blockHeight);
    blocks += across * down * (is3D ? sideAt(depthOrArrayLayers, scale) : depthOrArrayLayers);
  }
  return Math.min(MOST_BYTES, blocks * bytes * (descriptor.sampleCount ?? 1));
}

/** A side of a mip level: halved and rounded down, but at least 1, unless there is nothing. */
function sideAt(side: number, scale: number): number {
  return side === 0 ? 0 : Math.max(1, Math.floor(side / scale));
}

/** Memory of a query set in bytes; at most 2⁵³. https://www.w3.org/TR/webgpu/#dom-gpudevice-createqueryset */
export function querySetBytes(descriptor: Pick<api.GPUQuerySetDescriptor, 'count'>): number {
  return Math.min(MOST_BYTES, descriptor.count * QUERY_BYTES);
}

/** To what a backend aligns rows that it copies to a texture, in bytes. https://www.w3.org/TR/webgpu/#dom-gputexelcopybufferlayout-bytesperrow */
const ROW_ALIGNMENT = 256;

/** Memory that a write to a texture takes until it is done, in bytes: each row of blocks aligned; at most 2⁵³. */
export function stagingBytes(format: api.GPUTextureFormat, size: api.GPUExtent3DDict): number {
  const { width: blockWidth, height: blockHeight, bytes } = texelBlocks[format];
  const row = Math.ceil((Math.ceil(size.width / blockWidth) * bytes) / ROW_ALIGNMENT) * ROW_ALIGNMENT;
  const rows = Math.ceil((size.height ?? 1) / blockHeight) * (size.depthOrArrayLayers ?? 1);
  return Math.min(MOST_BYTES, row * rows);
}
