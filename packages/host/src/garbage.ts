/** How much may be waiting for a quick collection, which reaches what is young, and for a full one. */
const MAX_YOUNG_OBJECTS = 1024;
const MAX_OBJECTS = 4096;
const MAX_BYTES = 64 << 20;
/** As how many objects a device counts, beside those that were made of it: it has memory and threads of its own. */
const DEVICE_OBJECTS = MAX_OBJECTS / 8;

/** So many times as long as the last full collection took, there is no other: it is a twentieth of the time at most. */
const COLLECTION_PAUSE = 20;

/** How much more memory than at its best the process may have before the guest is asked to collect; or an eighth, if that is more. */
const MIN_GROWTH_BYTES = 64 << 20;
/** Asking the operating system takes as long as making three objects: once in so many. */
const LOOK_EVERY_OBJECTS = 128;

/** What the process can say of its memory, and do about it. */
export interface HostMemory {
  /** Runs the collector of the JavaScript engine. `minor`: quickly, for young objects alone; `major`: for all. */
  collect(type: 'minor' | 'major'): void;
  /** What the process occupies. */
  residentBytes(): number;
}

/**
 * What the guest has let go of. A backend frees an object's memory when its JavaScript wrapper is collected; the engine
 * sees a few bytes of wrapper and no reason to hurry, while megabytes of the GPU hang on it. So the host says when. What
 * the guest's engine has not collected yet the host cannot free at all: it asks for that when its own memory has grown.
 */
export class Garbage {
  readonly #memory: HostMemory | undefined;
  readonly #askGuest: () => void;
  #youngObjects = 0;
  #objects = 0;
  /** Of buffers and textures. */
  #bytes = 0;
  /** New objects since memory was last looked at. */
  #unseenObjects = 0;
  #leastBytes = Infinity;
  /** The guest was asked: what it releases next is worth a collection, however little it is. */
  #isAsked = false;
  #nextMajorMs = 0;

  /**
   * @param memory without it, the engine decides.
   * @param askGuest tells the guest to collect.
   */
  constructor(memory: HostMemory | undefined, askGuest: () => void) {
    this.#memory = memory;
    this.#askGuest = askGuest;
  }

  /** A new object of the backend. */
  objectMade(): void {
    if (++this.#unseenObjects < LOOK_EVERY_OBJECTS || this.#memory === undefined) return;
    this.#unseenObjects = 0;
    const bytes = this.#memory.residentBytes();
    this.#leastBytes = Math.min(this.#leastBytes, bytes);
    if (bytes - this.#leastBytes < Math.max(MIN_GROWTH_BYTES, this.#leastBytes / 8)) return;
    // Whether it helps or not, the next time is so much later.
    this.#leastBytes = bytes;
    this.#isAsked = true;
    this.#askGuest();
  }

  /** An object of the backend that nothing refers to any more. */
  addObject(object: object | undefined): void {
    if (this.#memory === undefined || object === undefined) return;
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
    if (this.#memory === undefined) return;
    const isAnswer = this.#isAsked && this.#objects >= LOOK_EVERY_OBJECTS;
    const isMajorDue = isAnswer || this.#objects >= MAX_OBJECTS || this.#bytes >= MAX_BYTES;
    if (isMajorDue && performance.now() >= this.#nextMajorMs) {
      this.#isAsked = false;
      this.#objects = 0;
      this.#bytes = 0;
      this.#youngObjects = 0;
      const startedMs = performance.now();
      this.#memory.collect('major');
      const endedMs = performance.now();
      this.#nextMajorMs = endedMs + COLLECTION_PAUSE * (endedMs - startedMs);
    } else if (this.#youngObjects >= MAX_YOUNG_OBJECTS) {
      this.#youngObjects = 0;
      this.#memory.collect('minor');
    }
  }
}

/** About what a buffer or a texture occupies; a texel is taken for 4 bytes. */
function byteLengthOf(object: object): number {
  if ('size' in object) return Number(object.size);
  if (!('depthOrArrayLayers' in object && 'width' in object && 'height' in object)) return 0;
  return Number(object.width) * Number(object.height) * Number(object.depthOrArrayLayers) * 4;
}
