/**
 * The bytes of a connection through shared memory that go over its socket: those that a guest sends before it has the
 * memory (its hello, which a broker reads), and those that a host's broker sends when the process with the memory is gone.
 */
import { CARRIER } from '../ring/layout.ts';
import { RingError } from '../ring/ring-error.ts';
import type { SideStream } from '../ring/ring-transport.ts';
import { MAX_BYTES_BEFORE, STREAM } from './tags.ts';

/** Not 0 once the guest has joined: from there on its socket carries wake-ups. */
const JOINED = CARRIER;
/** How many bytes of the stream it had sent over the socket by then. */
const SENT_BYTES = CARRIER + 1;

/** Most bytes of last words that are kept. */
const MAX_BYTES_BEHIND = 64 << 10;

/**
 * Says that this guest's bytes come through the ring from now on.
 * @param words of the ring that it writes
 * @param sentBytes how many it has sent over the socket
 */
export function join(words: Int32Array, sentBytes: number): void {
  Atomics.store(words, SENT_BYTES, sentBytes);
  Atomics.store(words, JOINED, 1);
}

/** What a host hears from a guest: bytes of the stream first, then wake-ups. */
export class GuestBytes implements SideStream {
  readonly #words: Int32Array;
  #receivedBytes: number;
  #chunks: Uint8Array[] = [];
  #isOpen = false;

  /**
   * @param words of the ring that the guest writes
   * @param receivedBytes how many bytes somebody else has received from it
   */
  constructor(words: Int32Array, receivedBytes: number) {
    this.#words = words;
    this.#receivedBytes = receivedBytes;
  }

  /** Asked behind what was heard: a guest has joined before it sends the first wake-up. */
  get isOpen(): boolean {
    this.#isOpen ||=
      Atomics.load(this.#words, JOINED) !== 0 && Atomics.load(this.#words, SENT_BYTES) === this.#receivedBytes;
    return this.#isOpen;
  }

  hear(bytes: Uint8Array): RingError | void {
    if (this.isOpen) return;
    let wanted = bytes.byteLength;
    if (Atomics.load(this.#words, JOINED) !== 0) {
      wanted = Math.min(wanted, Atomics.load(this.#words, SENT_BYTES) - this.#receivedBytes);
    }
    this.#receivedBytes += wanted;
    if (wanted < 0 || this.#receivedBytes > MAX_BYTES_BEFORE) {
      return new RingError('the guest sends its stream over the socket, and the memory that it was given lies idle');
    }
    if (wanted > 0) this.#chunks.push(bytes.subarray(0, wanted));
  }

  before(): Uint8Array | undefined {
    return this.#chunks.shift();
  }

  behind(): undefined {}
}

/** What a guest hears from its host: wake-ups, and at the end perhaps last words. */
export class LastWords implements SideStream {
  readonly isOpen = true;
  #chunks: Uint8Array[] | undefined;
  #byteLength = 0;

  hear(bytes: Uint8Array): void {
    let rest = bytes;
    if (this.#chunks === undefined) {
      const mark = bytes.indexOf(STREAM);
      if (mark === -1) return;
      this.#chunks = [];
      rest = bytes.subarray(mark + 1);
    }
    this.#byteLength += rest.byteLength;
    if (this.#byteLength <= MAX_BYTES_BEHIND) this.#chunks.push(rest);
  }

  before(): undefined {}

  behind(): Uint8Array | undefined {
    return this.#chunks?.shift();
  }
}
