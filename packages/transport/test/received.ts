import type { Transport, TransportHandlers } from '@vesper-gpu/wire';

/** Handlers that keep what they are given, and promises to wait for it. */
export class Received implements TransportHandlers {
  readonly closings: (Error | undefined)[] = [];
  readonly closedOnce: Promise<Error | undefined>;
  byteLength = 0;
  calls = 0;
  drainedCalls = 0;
  /** Called in the handler, after the bytes were kept. */
  onBytes: (() => void) | undefined;
  readonly #chunks: Buffer[] = [];
  #resolveClosed: (error: Error | undefined) => void = () => {};
  #waiting: { done: () => boolean; resolve: () => void }[] = [];

  constructor(transport?: Transport) {
    this.closedOnce = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    transport?.start(this);
  }

  bytes(chunk: Uint8Array): void {
    this.calls++;
    this.byteLength += chunk.byteLength;
    // A copy: the chunk is the handler's for the duration of the call only.
    this.#chunks.push(Buffer.from(chunk));
    this.onBytes?.();
    this.#check();
  }

  drained(): void {
    this.drainedCalls++;
    this.#check();
  }

  closed(error?: Error): void {
    this.closings.push(error);
    this.#resolveClosed(error);
    this.#check();
  }

  get content(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Resolves once so many bytes have arrived; rejects when the stream ends before. */
  atLeast(byteLength: number): Promise<void> {
    return this.#when(() => {
      if (this.byteLength < byteLength && this.closings.length > 0)
        throw new Error(`closed after ${this.byteLength} bytes`);
      return this.byteLength >= byteLength;
    });
  }

  drainedOnce(): Promise<void> {
    return this.#when(() => this.drainedCalls > 0);
  }

  #when(done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const guarded = (): boolean => {
        try {
          return done();
        } catch (error) {
          reject(error as Error);
          return true;
        }
      };
      this.#waiting.push({ done: guarded, resolve });
      this.#check();
    });
  }

  #check(): void {
    this.#waiting = this.#waiting.filter((waiter) => {
      if (!waiter.done()) return true;
      waiter.resolve();
      return false;
    });
  }
}

/** Starts a transport and keeps what it receives. */
export function receive(transport: Transport): Received {
  return new Received(transport);
}

/** Lets the event loop turn, so that whatever is ready happens. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Bytes that differ from place to place, so that a loss, a repetition or a swap is seen. */
export function pattern(byteLength: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(byteLength / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + seed, 0x9e3779b1);
  return new Uint8Array(words.buffer, 0, byteLength);
}
