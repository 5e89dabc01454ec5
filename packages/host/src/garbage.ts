/** How much may be waiting to be collected: objects, and bytes of buffers and textures. */
const MAX_OBJECTS = 4096;
const MAX_BYTES = 64 << 20;
/** As how many objects a device counts, beside those that were made of it: its memory and threads are worth an eighth of a run. */
const DEVICE_OBJECTS = MAX_OBJECTS / 8;

/**
 * What the guest has let go of. A backend frees an object's memory when its JavaScript wrapper is collected; the engine
 * sees a few bytes of wrapper and no reason to hurry, while megabytes of the GPU hang on it. So the host says when.
 */
export class Garbage {
  readonly #collect: (() => void) | undefined;
  #objects = 0;
  #bytes = 0;

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

  /** A device that is lost or destroyed. @param objectCount how many objects were made of it: all of them go with it. */
  addDevice(objectCount: number): void {
    this.#objects += DEVICE_OBJECTS + objectCount;
  }

  /** To be called between frames: collecting takes milliseconds. */
  collectIfDue(): void {
    if (this.#collect === undefined) return;
    if (this.#objects < MAX_OBJECTS && this.#bytes < MAX_BYTES) return;
    this.#objects = 0;
    this.#bytes = 0;
    this.#collect();
  }
}

/** About what a buffer or a texture occupies; a texel is taken for 4 bytes. */
function byteLengthOf(object: object): number {
  if ('size' in object) return Number(object.size);
  if (!('depthOrArrayLayers' in object && 'width' in object && 'height' in object)) return 0;
  return Number(object.width) * Number(object.height) * Number(object.depthOrArrayLayers) * 4;
}
