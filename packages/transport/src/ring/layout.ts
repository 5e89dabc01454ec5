/**
 * The memory of a connection: two rings of bytes, one each way, each with one producer and one consumer.
 *
 * A page of control words, then the bytes of both rings. What one side writes has cache lines of its own. All words are
 * Int32, read and written by `Atomics` alone, which is sequentially consistent: bytes are stored before the counter that
 * publishes them, and a side that goes to sleep says so before it looks once more. On memory that is mapped into two
 * processes (an ArrayBuffer to JavaScript, as no SharedArrayBuffer can be made of it) that holds too: V8 compiles the
 * same calls for both kinds of buffer, locked instructions on x86 and acquire and release on ARM, and as calls into the
 * engine they keep copies of bytes on their side.
 */
import { RingError } from './ring-error.ts';

/** Of both rings; a page, so that bytes start at one. */
const CONTROL_BYTES = 4096;
const CONTROL_BYTES_OF_RING = CONTROL_BYTES / 2;
const LINE_WORDS = 16;

/** Where the bytes end that were written; the producer's. */
export const TAIL = 0;
/** Not 0 once nothing more will be written; the producer's. */
export const ENDED = 1;
/** Where the bytes end that were read; the consumer's. */
export const HEAD = LINE_WORDS;
/** Not 0 while the consumer sleeps: it sets it, the producer takes it back and wakes it. */
export const READER_WAITS = 2 * LINE_WORDS;
/** Not 0 while the producer waits for room: it sets it, the consumer takes it back and wakes it. */
export const WRITER_WAITS = 3 * LINE_WORDS;
/** Changes with every wake-up of the side that reads this ring: what it waits on. */
export const BELL = 4 * LINE_WORDS;
/** How the side that reads this ring is woken; its own. */
export const BELL_KIND = 5 * LINE_WORDS;
/** Words for whatever carries the rings: the producer's. */
export const CARRIER = 6 * LINE_WORDS;

/**
 * Where counters start. They run on and wrap at 2³²; so does every connection, within its first bytes, and with them the
 * position in the ring: no code is left that only runs after gigabytes.
 */
export const START = -1024;

/** Smallest ring, in bytes. A capacity is a power of two. */
export const MIN_CAPACITY_BYTES = 4096;
/** Largest ring, in bytes. */
export const MAX_CAPACITY_BYTES = 1 << 28;
/** In bytes, each way: several frames of bulk data, so that both sides are at work at a time. What is not used is not there. */
export const DEFAULT_CAPACITY_BYTES = 4 << 20;

/** One ring in memory. */
export interface RingMemory {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
}

/** How much memory a connection takes, in bytes. @throws RangeError for a capacity that no ring can have */
export function memoryBytes(capacity: number): number {
  if (!isCapacity(capacity)) {
    throw new RangeError(
      `a ring cannot have ${capacity} bytes: give a power of two from ${MIN_CAPACITY_BYTES} to ${MAX_CAPACITY_BYTES}`,
    );
  }
  return CONTROL_BYTES + 2 * capacity;
}

function isCapacity(bytes: number): boolean {
  return bytes >= MIN_CAPACITY_BYTES && bytes <= MAX_CAPACITY_BYTES && (bytes & (bytes - 1)) === 0;
}

/** Prepares zeroed memory; to be done once, before the other side has it. */
export function formatMemory(memory: ArrayBufferLike): void {
  for (const { words } of ringsIn(memory)) {
    Atomics.store(words, TAIL, START);
    Atomics.store(words, HEAD, START);
  }
}

/**
 * The rings of a connection: the first carries bytes of the side that made the memory.
 * @throws RingError when the memory has not the size of one
 */
export function ringsIn(memory: ArrayBufferLike): [RingMemory, RingMemory] {
  const capacity = (memory.byteLength - CONTROL_BYTES) / 2;
  const { growable = false } = memory as { growable?: boolean };
  if (growable || !isCapacity(capacity)) {
    throw new RingError(`${memory.byteLength} bytes of ${growable ? 'growable ' : ''}memory hold no pair of rings`);
  }
  const ring = (index: number): RingMemory => ({
    words: new Int32Array(memory, index * CONTROL_BYTES_OF_RING, CONTROL_BYTES_OF_RING / 4),
    bytes: new Uint8Array(memory, CONTROL_BYTES + index * capacity, capacity),
  });
  return [ring(0), ring(1)];
}
