/** Smaller buffers are quickly had; from about here on, the allocator takes fresh pages, and the garbage collector counts them. */
export const MIN_POOLED_BYTES = 64 << 10;
/** Most memory that one pool keeps: a transfer of 64 MiB with all that is around its chunks. */
const MAX_KEPT_BYTES = 72 << 20;

/**
 * Large buffers that are free again. A fresh one costs a page fault for each of its pages, several times what it costs to
 * fill it: data that goes through again and again goes through the same memory.
 */
export class BufferPool {
  readonly #free: ArrayBuffer[] = [];
  #keptBytes = 0;

  /** An array of at least `byteLength` bytes, all of its buffer, with what is left over in it; undefined if none is free. */
  take(byteLength: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#takeAt(this.#free.findIndex((free) => free.byteLength >= byteLength));
  }

  /** The same, of exactly that length. */
  takeExact(byteLength: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#takeAt(this.#free.findIndex((free) => free.byteLength === byteLength));
  }

  #takeAt(index: number): Uint8Array<ArrayBuffer> | undefined {
    const [found] = index < 0 ? [] : this.#free.splice(index, 1);
    if (found === undefined) return undefined;
    this.#keptBytes -= found.byteLength;
    return new Uint8Array(found);
  }

  /** Nothing reads or writes `buffer` any more. What is too much is left to the garbage collector, the oldest first. */
  give(buffer: ArrayBuffer): void {
    const { byteLength } = buffer;
    if (byteLength < MIN_POOLED_BYTES || byteLength > MAX_KEPT_BYTES) return;
    this.#free.push(buffer);
    this.#keptBytes += byteLength;
    while (this.#keptBytes > MAX_KEPT_BYTES) this.#keptBytes -= this.#free.shift()!.byteLength;
  }
}
