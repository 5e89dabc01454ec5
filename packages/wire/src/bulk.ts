import { BufferPool } from './buffer-pool.ts';
import type { BulkSource } from './reader.ts';
import { ProtocolError, type ProtocolErrorReason } from './errors.ts';

type Fail = (reason: ProtocolErrorReason, detail: string) => never;

const refuse: Fail = (reason, detail) => {
  throw new ProtocolError(reason, detail);
};

/**
 * Most blocks that may wait at once: each costs memory beside its bytes. A guest sends only data of more than 1 MiB so, and
 * a program may have a range that long for every MiB of a mapped buffer: an honest one meets the limit of bytes first. Of a
 * host, one waits at most: each reply stands behind its own.
 */
const MAX_BLOCKS = 2048;

/** Less room than this is not worth a read of its own. */
const MIN_ROOM_BYTES = 16 << 10;

/** What a block takes before more of it has come. */
const FIRST_BYTES = 1 << 20;

/** What becomes of blocks: they stay whoever's they are handed to, who may give one back, or all come back by `recycle`. */
export type BulkUse = 'kept' | 'executed at once';

/**
 * Bulk data on its way to the command that uses it: blocks announced by their length, then filled in order.
 * The total is checked against the limit before anything is allocated, and memory is taken only as data arrives.
 */
export class BulkQueue implements BulkSource {
  readonly #complete: Uint8Array<ArrayBuffer>[] = [];
  readonly #pool = new BufferPool();
  readonly #use: BulkUse;
  /** Blocks that were handed out and are to come back. */
  #taken: Uint8Array<ArrayBuffer>[] = [];
  readonly #maxBytes: number;
  #heldBytes = 0;
  #current: Uint8Array<ArrayBuffer> | undefined;
  #expectedBytes = 0;
  #filledBytes = 0;

  constructor(maxBytes: number, use: BulkUse = 'kept') {
    this.#maxBytes = maxBytes;
    this.#use = use;
  }

  /** Memory that is there already costs nothing more; one that is kept is of the block's own length. */
  #pooled(byteLength: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#use === 'kept' ? this.#pool.takeExact(byteLength) : this.#pool.take(byteLength);
  }

  /** Announces a block of `byteLength` bytes; refuses with `fail`. */
  begin(byteLength: number, fail: Fail): void {
    if (this.#current !== undefined) fail('bad-bulk', 'bulk data begins within other bulk data');
    if (byteLength === 0) fail('bad-bulk', 'empty bulk data');
    if (this.#complete.length === MAX_BLOCKS) fail('limit', `more than ${MAX_BLOCKS} blocks of bulk data`);
    if (this.#heldBytes + byteLength > this.#maxBytes) {
      fail('limit', `${this.#heldBytes + byteLength} bytes of bulk data, limit ${this.#maxBytes}`);
    }
    this.#heldBytes += byteLength;
    this.#expectedBytes = byteLength;
    this.#filledBytes = 0;
    this.#current = this.#pooled(byteLength) ?? new Uint8Array(Math.min(byteLength, FIRST_BYTES));
  }

  /** Adds bytes to the announced block; refuses with `fail`. */
  chunk(data: Uint8Array, fail: Fail = refuse): void {
    const current = this.#current;
    if (current === undefined) return fail('bad-bulk', 'bulk data that was not announced');
    const filled = this.#filledBytes + data.byteLength;
    if (data.byteLength === 0 || filled > this.#expectedBytes) {
      fail('bad-bulk', `${filled} bytes of bulk data, ${this.#expectedBytes} announced`);
    }
    const target = filled > current.byteLength ? this.#grow(current, filled) : current;
    const isThere = data.buffer === target.buffer && data.byteOffset === target.byteOffset + this.#filledBytes;
    if (!isThere) target.set(data, this.#filledBytes);
    this.#filledBytes = filled;
    if (filled === this.#expectedBytes) {
      this.#complete.push(target.subarray(0, filled));
      this.#current = undefined;
    }
  }

  /** Where the next `byteLength` bytes of the block belong, as far as there is memory for them. */
  room(byteLength: number): Uint8Array<ArrayBuffer> | undefined {
    const current = this.#current;
    if (current === undefined) return undefined;
    const end = Math.min(this.#filledBytes + byteLength, this.#expectedBytes, current.byteLength);
    return end - this.#filledBytes < MIN_ROOM_BYTES ? undefined : current.subarray(this.#filledBytes, end);
  }

  /** Whether a block was announced of which not all has come. */
  get isUnfinished(): boolean {
    return this.#current !== undefined;
  }

  /** A peer that announces much and sends little costs at most 64 times what it sent. */
  #grow(current: Uint8Array<ArrayBuffer>, needed: number): Uint8Array<ArrayBuffer> {
    const size = Math.min(this.#expectedBytes, Math.max(needed, current.byteLength * 64));
    const grown = new Uint8Array(size);
    grown.set(current.subarray(0, this.#filledBytes));
    this.#current = grown;
    return grown;
  }

  /** Hands out the oldest block, if it is complete and of that length. */
  take(byteLength: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#complete[0]?.byteLength !== byteLength) return undefined;
    this.#heldBytes -= byteLength;
    const block = this.#complete.shift()!;
    if (this.#use === 'executed at once') this.#taken.push(block);
    return block;
  }

  /** What was handed out is done with, all of it: its memory serves for other blocks. */
  recycle(): void {
    if (this.#taken.length === 0) return;
    for (const { buffer } of this.#taken) this.#pool.give(buffer);
    this.#taken = [];
  }

  /** Memory that nobody uses, such as that of a block which was handed out. */
  give(buffer: ArrayBuffer): void {
    this.#pool.give(buffer);
  }
}
