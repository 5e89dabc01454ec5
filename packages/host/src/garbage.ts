/** How much may be waiting to be collected: objects, bytes of buffers and textures, devices. */
const MAX_OBJECTS = 4096;
const MAX_BYTES = 64 << 20;
const MAX_DEVICES = 8;

/**
 * What the guest has let go of. A backend frees an object's memory when its JavaScript wrapper is collected; the engine
 * sees a few bytes of wrapper and no reason to hurry, while megabytes of the GPU hang on it. So the host says when.
 */
export class Garbage {
  readonly #collect: (() => void) | undefined;
  #objects = 0;
  #bytes = 0;
  #devices = 0;

  /** @param collect runs the engine's collector; without it, the engine decides. */
  constructor(collect: (() => void) | undefined) {
    this.#collect = collect;
  }

  /** An object of the backend that nothing refers to any more. */
  addObject(object: object | undefined): void {
    if (this.#collect === undefined || object === undefined) return;
    this.#objects++;
    this.#bytes += byteLengthOf(object);
  }

  /** A device that is lost or destroyed, with all that belongs to it. */
  addDevice(): void {
    this.#devices++;
  }

  /** To be called between frames: collecting takes milliseconds. */
  collectIfDue(): void {
    if (this.#collect === undefined) return;
    if (this.#objects < MAX_OBJECTS && this.#bytes < MAX_BYTES && this.#devices < MAX_DEVICES) return;
    this.#objects = 0;
    this.#bytes = 0;
    this.#devices = 0;
    this.#collect();
  }
}

/** About what a buffer or a texture occupies; a texel is taken for 4 bytes. */
function byteLengthOf(object: object): number {
  if ('size' in object) return Number(object.size);
  if (!('depthOrArrayLayers' in object && 'width' in object && 'height' in object)) return 0;
  return Number(object.width) * Number(object.height) * Number(object.depthOrArrayLayers) * 4;
}
