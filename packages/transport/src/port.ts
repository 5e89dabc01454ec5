import type { Transport, TransportHandlers } from '@vesper-gpu/wire';
import { MARK } from '../pump/port-marks.mjs';
import { PortReader } from './port-reader.ts';

/**
 * The host's end of a port that outlives sessions: the stream of one of them. It ends when the guest ends it or begins
 * another, besides when `inner` ends. `inner` is closed then, with whatever it still holds, so that who leads to the
 * guest connects anew. A guest that marks nothing is served as on any other stream.
 * @param inner the port's bytes
 * @param isBegun whether the guest has begun its session and said something in it; else that is still to come
 */
export function portTransport(inner: Transport, isBegun: boolean): Transport {
  return new PortTransport(inner, isBegun);
}

/** Whether bytes at the start of a stream are, as far as they go, those of a guest that marks its sessions. */
export function isMarked(first: Uint8Array): boolean {
  return first[0] === MARK[0];
}

class PortTransport implements Transport {
  readonly #inner: Transport;
  readonly #reader = new PortReader();
  /** Undefined before the first byte. */
  #isMarked: boolean | undefined;
  #isBegun: boolean;
  #isOver = false;
  #handlers: TransportHandlers | undefined;

  constructor(inner: Transport, isBegun: boolean) {
    this.#inner = inner;
    this.#isBegun = isBegun;
    if (isBegun) this.#isMarked = true;
  }

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#inner.start({
      bytes: (chunk) => this.#receive(chunk),
      sent: (bytes) => handlers.sent?.(bytes),
      drained: () => {
        if (!this.#isOver) handlers.drained?.();
      },
      closed: (error) => {
        if (this.#isOver) return;
        this.#isOver = true;
        handlers.closed(error);
      },
    });
  }

  #receive(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#isMarked ??= isMarked(chunk);
    if (!this.#isMarked) {
      this.#handlers?.bytes(chunk);
      return;
    }
    const data: Uint8Array[] = [];
    let end: { readonly error?: Error } | undefined;
    try {
      for (const part of this.#reader.read(chunk)) {
        if (part.type === 'data') data.push(part.bytes);
        else if (part.type === 'end' || this.#isBegun || data.length > 0) end = {};
        // Who does not read the answers gets no more of them.
        else if (!this.#inner.send(part.nonce)) end = {};
        if (end !== undefined) break;
      }
    } catch (error) {
      end = { error: error as Error };
    }
    if (data.length > 0) {
      this.#isBegun = true;
      this.#handlers?.bytes(data.length === 1 ? data[0]! : Buffer.concat(data));
    }
    if (end !== undefined) this.#end(end.error);
  }

  #end(error: Error | undefined): void {
    this.#isOver = true;
    this.#inner.close();
    // A task of its own, behind that of the bytes.
    setImmediate(() => this.#handlers?.closed(error));
  }

  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    return this.#isOver || this.#inner.send(bytes);
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  ref(): void {
    this.#inner.ref?.();
  }

  unref(): void {
    this.#inner.unref?.();
  }

  close(): void {
    this.#inner.close();
  }
}
