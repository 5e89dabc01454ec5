import {
  GPUTextureBase,
  type api,
  type GPUTextureDescriptorValue,
  type GPUTextureViewDescriptorValue,
  type GPUTextureViewImplementation,
} from '@vesper-gpu/protocol/guest';
import { slotOf, type CommandStream } from '@vesper-gpu/wire';
import type { Device } from './device.ts';
import { requireFormat } from './formats.ts';

/** Textures by the slot of their id, for copies that the guest makes itself. */
const textures = new WeakMap<CommandStream, Map<number, WeakRef<Texture>>>();

/** The texture with an id of a stream. */
export function findTexture(stream: CommandStream, id: number): Texture | undefined {
  const texture = textures.get(stream)?.get(slotOf(id))?.deref();
  return texture?.id === id ? texture : undefined;
}

export class Texture extends GPUTextureBase {
  readonly #device: Device;
  readonly #descriptor: GPUTextureDescriptorValue;

  constructor(device: Device, id: number, descriptor: GPUTextureDescriptorValue) {
    super(device, id, descriptor.label);
    this.#device = device;
    this.#descriptor = descriptor;
    let known = textures.get(this.stream);
    if (known === undefined) textures.set(this.stream, (known = new Map()));
    known.set(slotOf(id), new WeakRef(this));
  }

  override createView(descriptor: GPUTextureViewDescriptorValue): GPUTextureViewImplementation {
    requireFormat(this.#device.featureSet, descriptor.format, 'GPUTexture.createView: descriptor.format');
    if (!/^[rgba01]{4}$/.test(descriptor.swizzle)) {
      throw new TypeError(
        `GPUTexture.createView: descriptor.swizzle: "${descriptor.swizzle}" is not four of r, g, b, a, 0, 1`,
      );
    }
    return super.createView(descriptor);
  }

  override get width(): number {
    return this.#descriptor.size.width;
  }

  override get height(): number {
    return this.#descriptor.size.height;
  }

  override get depthOrArrayLayers(): number {
    return this.#descriptor.size.depthOrArrayLayers;
  }

  override get mipLevelCount(): number {
    return this.#descriptor.mipLevelCount;
  }

  override get sampleCount(): number {
    return this.#descriptor.sampleCount;
  }

  override get dimension(): api.GPUTextureDimension {
    return this.#descriptor.dimension;
  }

  override get format(): api.GPUTextureFormat {
    return this.#descriptor.format;
  }

  override get usage(): number {
    return this.#descriptor.usage;
  }

  /** Only a compatibility device has it. https://www.w3.org/TR/webgpu/#dom-gputexture-texturebindingviewdimension */
  override get textureBindingViewDimension(): api.GPUTextureViewDimension | undefined {
    if (this.#device.featureSet.has('core-features-and-limits')) return undefined;
    const { textureBindingViewDimension: given, dimension, size } = this.#descriptor;
    if (given !== undefined) return given;
    if (dimension !== '2d') return dimension;
    return size.depthOrArrayLayers > 1 ? '2d-array' : '2d';
  }
}
