import { BufferPool, MIN_POOLED_BYTES, TaskQueue, type Transport, type TransportHandlers } from '@vesper-gpu/wire';
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from '../water-marks.ts';
import type { Doorbell } from './doorbell.ts';
import { RingError } from './ring-error.ts';
import type { RingReader } from './ring-reader.ts';
import type { RingWriter } from './ring-writer.ts';

/** Most bytes that are written in one go: the other side reads them from a cache while this one goes on. */
const WRITTEN_BYTES = 256 << 10;
/** Most bytes that a handler is given: each call is a task of its own, which costs as much as copying tens of KiB. */
const GIVEN_BYTES = 1 << 20;
/** How long, in milliseconds, a closing side waits for the other to read what is queued, and to end as well. */
const LINGER_MS = 5000;

/** Bytes of the stream that came another way than the ring, where there is one. */
export interface SideStream {
  /** Whether all has come that belongs before the bytes of the ring. */
  readonly isOpen: boolean;
  /** The next bytes that belong before those of the ring. */
  before(): Uint8Array | undefined;
  /** The next bytes that belong behind those of the ring; asked once the other side is gone. */
  behind(): Uint8Array | undefined;
}

/**
 * The transport over two rings and a doorbell.
 *
 * What is sent is copied into the ring at once, or aside where there is no room: one copy, most often, wherever it lay.
 * What handlers are given lies in the ring: the other side can change it until the handler returns. `FrameReader` copies
 * before it looks, which makes one copy on each side. A side that breaks the rules of a ring ends the connection here
 * with a `RingError`.
 */
export class RingTransport implements Transport {
  readonly copiesOnSend = true;
  readonly #writer: RingWriter;
  readonly #reader: RingReader;
  readonly #bell: Doorbell;
  readonly #side: SideStream | undefined;
  readonly #tasks = new TaskQueue();
  #handlers: TransportHandlers | undefined;
  #paused = false;
  #deliveryScheduled = false;

  /** Copies of what had no room; of the first one, `#written` bytes are in the ring. */
  #queue: Uint8Array<ArrayBuffer>[] = [];
  /** Where they were. */
  readonly #pool = new BufferPool();
  #queuedBytes = 0;
  #written = 0;
  /** `send` returned false, and `drained` was not called since. */
  #senderWaits = false;

  /** This side has closed, and the other may not have. */
  #closing = false;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #hasEnded = false;
  /** The other side will not read any more, nor write. */
  #peerGone = false;
  /** The ring has given all that it ever will. */
  #isOver = false;
  #isClosed = false;
  #error: Error | undefined;

  constructor(writer: RingWriter, reader: RingReader, bell: Doorbell, side?: SideStream) {
    this.#writer = writer;
    this.#reader = reader;
    this.#bell = bell;
    this.#side = side;
    bell.listen(
      () => this.#rung(),
      (error) => this.#gone(error),
    );
  }

  /** Bytes that were sent and are not in the ring yet. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  start(handlers: TransportHandlers): void {
    if (this.#handlers !== undefined) throw new Error('a transport can be started only once');
    this.#handlers = handlers;
    if (this.#isClosed) this.#tasks.push(() => handlers.closed(this.#error));
    else this.#scheduleDelivery();
  }

  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#closing || this.#isClosed || this.#peerGone) return true;
    if (bytes.byteLength > 0) {
      this.#queue.push(bytes);
      this.#queuedBytes += bytes.byteLength;
      // Else the writer waits for room, and will be woken.
      if (this.#queue.length === 1) this.#guarded(() => this.#flush(bytes));
      if (this.#queue.at(-1) === bytes) this.#keepCopy();
    }
    if (this.#queuedBytes > HIGH_WATER_BYTES) this.#senderWaits = true;
    return !this.#senderWaits;
  }

  /** The last of the queue is the caller's. */
  #keepCopy(): void {
    const last = this.#queue.length - 1;
    const rest = this.#queue[last]!.subarray(last === 0 ? this.#written : 0);
    try {
      this.#queue[last] = this.#copyOf(rest);
    } catch (error) {
      // Some of it may be in the ring: nothing that could follow would be understood.
      return this.#fail(error as Error);
    }
    if (last === 0) this.#written = 0;
  }

  #copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const { byteLength } = bytes;
    const pooled = byteLength < MIN_POOLED_BYTES ? undefined : this.#pool.take(byteLength);
    const copy = (pooled ?? new Uint8Array(byteLength)).subarray(0, byteLength);
    copy.set(bytes);
    return copy;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#scheduleDelivery();
  }

  ref(): void {
    this.#bell.ref();
  }

  unref(): void {
    this.#bell.unref();
  }

  close(): void {
    if (this.#closing || this.#isClosed) return;
    this.#closing = true;
    this.#linger = setTimeout(() => this.#finish(), LINGER_MS);
    // Whether there is a process to keep is the doorbell's affair.
    (this.#linger as { unref?(): void }).unref?.();
    this.#guarded(() => {
      this.#flush();
      this.#discard();
    });
  }

  /** The other side has read, written or ended. */
  #rung(): void {
    if (this.#isClosed) return;
    this.#guarded(() => {
      this.#flush();
      if (this.#closing) this.#discard();
    });
    // This is a task of its own already.
    if (this.#canDeliver()) this.#deliver();
  }

  #canDeliver(): boolean {
    return (
      !this.#deliveryScheduled && !this.#paused && !this.#closing && !this.#isClosed && this.#handlers !== undefined
    );
  }

  #scheduleDelivery(): void {
    if (this.#canDeliver()) this.#schedule();
  }

  #schedule(): void {
    this.#deliveryScheduled = true;
    this.#tasks.push(() => {
      this.#deliveryScheduled = false;
      if (this.#closing) this.#guarded(() => this.#discard());
      else if (this.#canDeliver()) this.#deliver();
    });
  }

  /** Gives the handler the next bytes, or sleeps. */
  #deliver(): void {
    const before = this.#side?.before();
    if (before !== undefined) {
      this.#scheduleDelivery();
      this.#handlers?.bytes(before);
      return;
    }
    let chunk: Uint8Array | undefined;
    this.#guarded(() => {
      chunk = this.#next();
    });
    if (chunk === undefined) {
      if (this.#isOver) this.#deliverRest();
      return;
    }
    const { byteLength } = chunk;
    try {
      this.#handlers?.bytes(chunk);
    } finally {
      this.#guarded(() => {
        this.#consume(byteLength);
        if (this.#closing) this.#discard();
        // Else whoever resumes looks, or whoever was asked wakes this side.
        else if (!this.#paused && (this.#peerGone || !this.#reader.sleep())) this.#scheduleDelivery();
      });
    }
  }

  /** The next bytes of the ring; undefined when this side has gone to sleep, or when there will be none. */
  #next(): Uint8Array | undefined {
    if (this.#side?.isOpen === false) {
      this.#isOver = this.#peerGone;
      return undefined;
    }
    for (;;) {
      // Asked before the bytes: an end that is seen has all of them before it.
      const isLast = this.#reader.hasEnded || this.#peerGone;
      const chunk = this.#reader.peek(GIVEN_BYTES);
      if (chunk !== undefined) return chunk;
      if (isLast) {
        this.#isOver = true;
        return undefined;
      }
      if (this.#reader.sleep()) return undefined;
    }
  }

  #deliverRest(): void {
    const behind = this.#peerGone ? this.#side?.behind() : undefined;
    if (behind === undefined) return this.#finish();
    this.#scheduleDelivery();
    this.#handlers?.bytes(behind);
  }

  #consume(byteLength: number): void {
    this.#reader.consume(byteLength);
    if (this.#reader.takeWriterWaits()) this.#bell.ring();
  }

  /** Behind `close`: the other side must not wait for this one to read, and its end is behind its bytes. */
  #discard(): void {
    const isLast = this.#reader.hasEnded || this.#peerGone;
    const available = this.#reader.available();
    if (available > 0) this.#consume(available);
    else if (isLast) return this.#finish();
    // In a task of its own: the other side may be quicker at writing than this one at looking.
    if (!this.#deliveryScheduled && (this.#peerGone || !this.#reader.sleep())) this.#schedule();
  }

  /** Writes as much as there is room for. @param sent is the caller's, others are copies */
  #flush(sent?: Uint8Array): void {
    let [hasRung, isToRing] = [false, false];
    while (this.#queue.length > 0 && !this.#peerGone) {
      const [first] = this.#queue as [Uint8Array<ArrayBuffer>];
      const rest = first.byteLength - this.#written;
      const written = this.#writer.write(first.subarray(this.#written, this.#written + Math.min(rest, WRITTEN_BYTES)));
      if (written === 0) {
        if (this.#writer.sleep()) break;
        continue;
      }
      this.#queuedBytes -= written;
      this.#written += written;
      isToRing ||= this.#writer.takeReaderWaits();
      // A side that sleeps gets up while this one goes on.
      if (isToRing && !hasRung) {
        this.#bell.ring();
        [hasRung, isToRing] = [true, false];
      }
      if (written < rest) continue;
      this.#queue.shift();
      this.#written = 0;
      if (first !== sent) this.#pool.give(first.buffer);
    }
    // If it went to sleep again, once for all that is there: a wake-up costs more than a copy.
    if (isToRing) this.#bell.ring();
    if (this.#queue.length === 0 && this.#closing) this.#end();
    if (this.#senderWaits && this.#queuedBytes <= LOW_WATER_BYTES) {
      this.#senderWaits = false;
      this.#tasks.push(() => {
        if (!this.#closing && !this.#isClosed) this.#handlers?.drained?.();
      });
    }
  }

  /** Nothing more is written: the other side is to see that even where it waits for room. */
  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#writer.end();
    this.#bell.ring();
  }

  /** What has come from the other side may still be read, which is told of its end behind it. */
  #gone(error: Error | undefined): void {
    if (this.#isClosed) return;
    if (error !== undefined) return this.#fail(error);
    this.#peerGone = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#guarded(() => {
      // Who waits to send, and reads nothing meanwhile, would never see the end.
      this.#flush();
      if (this.#closing) this.#discard();
    });
    this.#scheduleDelivery();
  }

  /** The stream is over. */
  #finish(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#linger);
    this.#queue = [];
    this.#queuedBytes = 0;
    if (!this.#peerGone) this.#end();
    this.#bell.close();
    // Faults of a connection that this side was closing are of no interest.
    if (this.#closing) this.#error = undefined;
    this.#tasks.push(() => this.#handlers?.closed(this.#error));
  }

  #fail(error: Error): void {
    this.#error = error;
    this.#peerGone = true;
    this.#finish();
  }

  /** A ring that cannot be trusted is not touched again. */
  #guarded(act: () => void): void {
    if (this.#isClosed) return;
    try {
      act();
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      this.#fail(error);
    }
  }
}
