/** How much may be waiting for a quick collection, which reaches what is young, and for a full one. */
const MAX_YOUNG_OBJECTS = 1024;
const MAX_OBJECTS = 4096;
const MAX_BYTES = 64 << 20;
/** As how many objects a device counts, beside those that were made of it: it has memory and threads of its own. */
const DEVICE_OBJECTS = MAX_OBJECTS / 8;

/** Runs the collector of the JavaScript engine. `minor`: quickly, for young objects alone; `major`: for all. */
export type CollectGarbage = (type: 'minor' | 'major') => void;

/**
 * What the guest has let go of. A backend frees an object's memory when its JavaScript wrapper is collected; the engine
 * sees a few bytes of wrapper and no reason to hurry, while megabytes of the GPU hang on it. So the host says when.
 */
export class Garbage {
  readonly #collect: CollectGarbage | undefined;
  #youngObjects = 0;
  #objects = 0;
  /** Of buffers and textures. */
  #bytes = 0;

  /** @param collect without it, the engine decides. */
  constructor(collect: CollectGarbage | undefined) {
    this.#collect = collect;
  }

  /** An object of the backend that nothing refers to any more. */
  addObject(object: object | undefined): void {
    if (this.#collect === undefined || object === undefined) return;
    this.#youngObjects++;
    this.#objects++;
    this.#bytes += byteLengthOf(object);
  }

  /** A device that is lost or destroyed. @param objectCount how many objects were made of it: all of them go with it. */
  addDevice(objectCount: number): void {
    this.#objects += DEVICE_OBJECTS + objectCount;
  }

  /** To be called between frames: collecting takes milliseconds. */
  collectIfDue(): void {
    if (this.#objects >= MAX_OBJECTS || this.#bytes >= MAX_BYTES) {
      this.#objects = 0;
      this.#bytes = 0;
      this.#youngObjects = 0;
      this.#collect?.('major');
    } else if (this.#youngObjects >= MAX_YOUNG_OBJECTS) {
      this.#youngObjects = 0;
      this.#collect?.('minor');
    }
  }
}

/** About what a buffer or a texture occupies; a texel is taken for 4 bytes. */
function byteLengthOf(object: object): number {
  if ('size' in object) return Number(object.size);
  if (!('depthOrArrayLayers' in object && 'width' in object && 'height' in object)) return 0;
  return Number(object.width) * Number(object.height) * Number(object.depthOrArrayLayers) * 4;
}
