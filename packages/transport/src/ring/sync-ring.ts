import { BELL, ringsIn } from './layout.ts';
import { takeEnd, type RingPort } from './ring-channel.ts';
import { RingReader } from './ring-reader.ts';
import { RingWriter } from './ring-writer.ts';
import { hearByWaiting, wake, type MessagingPort } from './shared-doorbell.ts';

/**
 * One end of a `ringChannel` for a thread that may block: a worker that runs a program without an event loop, such as a
 * WebAssembly module. It sleeps in `Atomics.wait`. Nobody tells a thread that sleeps so that the other one has crashed:
 * whoever starts both ends both.
 */
export class SyncRing {
  readonly #reader: RingReader;
  readonly #writer: RingWriter;
  /** Control words of the ring that this side reads, and of the other. */
  readonly #own: Int32Array;
  readonly #peer: Int32Array;
  readonly #port: MessagingPort;

  /** @throws RingError when the memory is not that of a channel, or the end is in use */
  constructor(end: RingPort) {
    const { memory, writes, port } = end;
    const rings = ringsIn(memory);
    takeEnd(end);
    const [out, into] = writes === 0 ? rings : [rings[1], rings[0]];
    this.#writer = new RingWriter(out);
    this.#reader = new RingReader(into);
    this.#own = into.words;
    this.#peer = out.words;
    this.#port = port;
    hearByWaiting(this.#own);
  }

  /**
   * Waits for bytes, and copies as many as there are into `target`.
   * @returns how many bytes that were; 0 at the end of the stream
   * @throws RingError
   */
  read(target: Uint8Array): number {
    for (;;) {
      const bell = Atomics.load(this.#own, BELL);
      const isLast = this.#reader.hasEnded;
      const chunk = this.#reader.peek(target.byteLength);
      if (chunk !== undefined) {
        target.set(chunk);
        this.#reader.consume(chunk.byteLength);
        if (this.#reader.takeWriterWaits()) wake(this.#peer, this.#port);
        return chunk.byteLength;
      }
      if (isLast) return 0;
      if (this.#reader.sleep()) Atomics.wait(this.#own, BELL, bell);
    }
  }

  /**
   * Writes all of `bytes`, and waits for room where there is none.
   * @throws RingError
   */
  write(bytes: Uint8Array): void {
    for (let rest = bytes; rest.byteLength > 0;) {
      const bell = Atomics.load(this.#own, BELL);
      const written = this.#writer.write(rest);
      rest = rest.subarray(written);
      if (written > 0 && this.#writer.takeReaderWaits()) wake(this.#peer, this.#port);
      if (written === 0 && this.#writer.sleep()) Atomics.wait(this.#own, BELL, bell);
    }
  }

  /** Nothing more is written: the other side sees the end of the stream. */
  end(): void {
    this.#writer.end();
    wake(this.#peer, this.#port);
  }
}
