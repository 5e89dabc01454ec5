/** Whether memory is shared as JavaScript knows it: that of a file which is mapped into two processes is not. */
export function isShared(bytes: Uint8Array): boolean {
  return bytes.buffer instanceof SharedArrayBuffer;
}

/**
 * Copies on the way from or to shared memory. V8 copies between that and other memory by words of 8 bytes where both lie the
 * same within such a word, and byte by byte where they do not: eight times as slow, which half of all streams would have.
 */
export class AlignedCopy {
  #memory = new Uint8Array(0);

  /** A copy of `bytes` that is good until the next one, and lies within a word as place `at`, or as `bytes` itself. */
  of(bytes: Uint8Array, at = bytes.byteOffset): Uint8Array {
    const start = at & 7;
    const end = start + bytes.byteLength;
    if (this.#memory.byteLength < end) this.#memory = new Uint8Array(2 ** Math.ceil(Math.log2(end + 1)));
    this.#memory.set(bytes, start);
    return this.#memory.subarray(start, end);
  }
}
