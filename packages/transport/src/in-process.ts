import { TaskQueue, type Transport, type TransportHandlers } from '@vesper-gpu/wire';
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from './water-marks.ts';

/**
 * Two ends of one byte stream within a thread: what one sends, the other receives, each array in a task of its own.
 * Arrays are handed over, not copied. Closing one end closes the other behind the bytes that are on their way; bytes
 * that were on their way to the end that closes are dropped.
 */
export function inProcessPair(): [Transport, Transport] {
  const first = new InProcessEnd();
  const second = new InProcessEnd();
  first.connect(second);
  second.connect(first);
  return [first, second];
}

class InProcessEnd implements Transport {
  #peer: InProcessEnd | undefined;
  #handlers: TransportHandlers | undefined;
  readonly #tasks = new TaskQueue();
  /** Received and not yet delivered; those before `#head` have been. */
  #received: (Uint8Array | undefined)[] = [];
  #head = 0;
  #receivedBytes = 0;
  /** The peer was told to stop, and has not been told to go on. */
  #peerWaits = false;
  #paused = false;
  #deliveryScheduled = false;
  /** Nothing more is sent or received: this end closed, or the peer did and its last bytes were delivered. */
  #closed = false;
  #peerClosed = false;

  connect(peer: InProcessEnd): void {
    this.#peer = peer;
  }

  start(handlers: TransportHandlers): void {
    if (this.#handlers !== undefined) throw new Error('a transport can be started only once');
    this.#handlers = handlers;
    if (this.#closed) this.#tasks.push(() => handlers.closed());
    else this.#scheduleDelivery();
  }

  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#closed || this.#peer === undefined) return true;
    return this.#peer.#receive(bytes);
  }

  #receive(bytes: Uint8Array): boolean {
    if (this.#closed) return true;
    if (bytes.byteLength > 0) {
      this.#received.push(bytes);
      this.#receivedBytes += bytes.byteLength;
      this.#scheduleDelivery();
    }
    if (this.#receivedBytes <= HIGH_WATER_BYTES) return true;
    this.#peerWaits = true;
    return false;
  }

  #scheduleDelivery(): void {
    if (this.#deliveryScheduled || this.#paused || this.#closed || this.#handlers === undefined) return;
    if (this.#head === this.#received.length && !this.#peerClosed) return;
    this.#deliveryScheduled = true;
    this.#tasks.push(() => this.#deliver());
  }

  #deliver(): void {
    this.#deliveryScheduled = false;
    if (this.#paused || this.#closed) return;
    const bytes = this.#received[this.#head];
    if (bytes === undefined) return this.#end();
    this.#received[this.#head++] = undefined;
    if (this.#head === this.#received.length) {
      this.#received = [];
      this.#head = 0;
    }
    this.#receivedBytes -= bytes.byteLength;
    if (this.#peerWaits && this.#receivedBytes <= LOW_WATER_BYTES) {
      this.#peerWaits = false;
      if (this.#peer !== undefined) this.#peer.#drained();
    }
    // Before the handler, which may throw.
    this.#scheduleDelivery();
    this.#handlers?.bytes(bytes);
  }

  #drained(): void {
    this.#tasks.push(() => {
      if (!this.#closed) this.#handlers?.drained?.();
    });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#scheduleDelivery();
  }

  close(): void {
    if (this.#closed) return;
    if (this.#peer !== undefined) {
      // What it waits for is dropped. Else it never goes on, and one that does not read while it waits never sees the end.
      if (this.#peerWaits) this.#peer.#drained();
      this.#peer.#peerHasClosed();
    }
    this.#tasks.push(() => this.#handlers?.closed());
    this.#forget();
  }

  #peerHasClosed(): void {
    this.#peerClosed = true;
    this.#scheduleDelivery();
  }

  /** The peer closed, and its last bytes were delivered. */
  #end(): void {
    this.#forget();
    this.#handlers?.closed();
  }

  #forget(): void {
    this.#closed = true;
    this.#received = [];
    this.#head = 0;
    this.#receivedBytes = 0;
    this.#peer = undefined;
  }
}
