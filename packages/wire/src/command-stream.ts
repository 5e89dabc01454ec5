import { BulkQueue } from './bulk.ts';
import { ConnectionError, ProtocolError } from './errors.ts';
import { FrameReader } from './frame.ts';
import type { HostHello } from './handshake.ts';
import type { WireLimits } from './limits.ts';
import { ObjectIds } from './object-ids.ts';
import { WireReader } from './reader.ts';
import type { RemoteEncoder } from './remote-object.ts';
import { OPCODE_BEGIN_BULK, OPCODE_BULK_CHUNK, REPLY_OK, REPLY_FAILED } from './record.ts';
import { TaskQueue } from './tasks.ts';
import { sendPieces, type Transport } from './transport.ts';
import { WireWriter, type FrameSink } from './writer.ts';

/** A frame of at least this size is sent at once at a submit; a smaller one waits for the end of the microtask queue. */
const EAGER_FLUSH_BYTES = 4 << 10;

/** What is remembered of an encoder of which nothing is to be: reading finds nothing, writing does nothing. */
const NO_STATE = new Float64Array(0);

/** Most ids that one record releases: a collection can free millions of objects, and a frame has a limit. */
const MAX_RELEASED = 64 << 10;

/** What the protocol tells the stream about its records: given by the generated code. */
export interface StreamProtocol {
  /** How many numbers tell the state of an encoder. */
  readonly encoderStateLength: number;
  /** Writes the record that releases objects. */
  encodeRelease(writer: WireWriter, ids: readonly number[]): void;
  /** Writes the record that makes an encoder the current one. */
  encodeSelectEncoder(writer: WireWriter, encoder: number): void;
  /** Reads a failed reply's payload and makes the error that its promise rejects with. */
  decodeFailure(reader: WireReader): Error;
  /** Reads an event, and returns what to do about it; undefined when the opcode is no event. */
  decodeEvent(reader: WireReader): (() => void) | undefined;
}

interface PendingRequest {
  decode(reader: WireReader): unknown;
  resolve(value: never): void;
  reject(error: Error): void;
}

/**
 * The guest's end of a connection: an ordered stream of commands out, replies and events in.
 * Commands are gathered in frames; a frame is sent at a submit, when it is full, and at the end of the microtask queue.
 */
export class CommandStream {
  /** Where encoders write. */
  readonly writer: WireWriter;
  /** Allocates ids for new objects. */
  readonly ids = new ObjectIds();
  /** What the host said of itself. */
  readonly host: HostHello;
  /** Why the stream ended, once it has. */
  closedBy: Error | undefined;
  /** Called once, when the stream has ended, after every pending request was rejected. */
  onClosed: ((error: Error) => void) | undefined;
  /**
   * What the current encoder's state was set to, as far as is known: NaN where it is not. A command that would set it to
   * what it is need not be sent. Where is what, the generated code knows.
   */
  encoderState: Float64Array = NO_STATE;
  readonly #encoderState: Float64Array;
  /** The encoder that the next command of an encoder goes to. */
  #currentEncoder = 0;
  readonly #transport: Transport;
  readonly #protocol: StreamProtocol;
  readonly #frames: FrameReader;
  readonly #reader: WireReader;
  readonly #bulk: BulkQueue;
  readonly #tasks = new TaskQueue();
  readonly #requests = new Map<number, PendingRequest>();
  #nextRequest = 1;
  /** How many replies and events are awaited. */
  #held = 0;
  #flushScheduled = false;
  /** This side has closed. */
  #isClosing = false;
  #released: number[] = [];
  readonly #finalizers: FinalizationRegistry<number>;
  /** Bytes and records so far, for summaries. */
  readonly statistics = { sentBytes: 0, receivedBytes: 0, sentFrames: 0, requests: 0 };

  constructor(transport: Transport, protocol: StreamProtocol, host: HostHello, limits: WireLimits) {
    this.#transport = transport;
    this.#protocol = protocol;
    this.#encoderState = new Float64Array(protocol.encoderStateLength);
    this.host = host;
    this.#bulk = new BulkQueue(limits.maxBulkBytes);
    this.#frames = new FrameReader(limits.maxFrameBytes, {
      begin: () => {},
      data: (data) => this.#bulk.chunk(data),
      end: () => true,
      room: (byteLength) => this.#bulk.room(byteLength),
      isUnfinished: () => this.#bulk.isUnfinished,
    });
    this.#reader = new WireReader(limits.maxStringBytes, this.#bulk);
    const sink: FrameSink = {
      started: () => this.#scheduleFlush(),
      full: () => this.flush(),
      takesPieces: () => this.#transport.copiesOnSend === true,
      pieces: (pieces) => this.#sendPieces(pieces),
    };
    this.writer = new WireWriter(sink);
    this.#finalizers = new FinalizationRegistry((id) => this.release(id));
  }

  /**
   * Makes `encoder` the one that the next commands of an encoder go to.
   * @returns false, once it has reported so, when the encoder has ended: its command is not to be sent.
   */
  selectEncoder(encoder: RemoteEncoder): boolean {
    // One that has ended is never the current one, so that a hot command asks one question only.
    return encoder.id === this.#currentEncoder || this.#selectOther(encoder);
  }

  #selectOther(encoder: RemoteEncoder): boolean {
    if (encoder.hasEnded) {
      encoder.reportEnded();
      return false;
    }
    this.#currentEncoder = encoder.id;
    this.encoderState = encoder.keepsState ? this.#encoderState : NO_STATE;
    this.forgetState();
    this.#protocol.encodeSelectEncoder(this.writer, encoder.id);
    return true;
  }

  /** Nothing is known of the current encoder's state. */
  forgetState(): void {
    this.encoderState.fill(Number.NaN);
  }

  /** From here on each command of `encoder`, which is the current one, is sent: it has ended, and each is an error. */
  dropState(encoder: RemoteEncoder): void {
    encoder.keepsState = false;
    this.encoderState = NO_STATE;
  }

  /** From here on `encoder` is refused. */
  endEncoder(encoder: RemoteEncoder): void {
    encoder.hasEnded = true;
    if (encoder.id === this.#currentEncoder) this.#currentEncoder = 0;
  }

  /**
   * Sends a request.
   * @param decode reads the reply's payload.
   * @param encode writes the request with the id it is given.
   * @returns the reply; rejects with the host's failure, or with a ConnectionError when the stream ends first.
   */
  request<T>(decode: (reader: WireReader) => T, encode: (requestId: number) => void): Promise<T> {
    if (this.closedBy !== undefined) return Promise.reject(this.closedBy);
    const id = this.#nextRequest;
    this.#nextRequest = id === 0xffff_ffff ? 1 : id + 1;
    this.statistics.requests++;
    return new Promise<T>((resolve, reject) => {
      // First, so that nothing is left pending when it throws; the reply comes in a later task.
      encode(id);
      this.#requests.set(id, { decode, resolve, reject });
      this.hold();
    });
  }

  /** Something is awaited of the host: the program is not over. One that only has a connection is. */
  hold(): void {
    if (this.#held++ === 0) this.#transport.ref?.();
  }

  /** Undoes one `hold`. */
  letGo(): void {
    if (--this.#held === 0) this.#transport.unref?.();
  }

  /** Releases `id` when `holder` has been collected. */
  releaseWithHolder(holder: object, id: number): void {
    this.#finalizers.register(holder, id);
  }

  /** Releases an object of the host behind its last use. */
  release(id: number): void {
    if (this.#released.push(id) === 1) queueMicrotask(() => this.#sendReleases());
  }

  #sendReleases(): void {
    const ids = this.#released;
    this.#released = [];
    if (ids.includes(this.#currentEncoder)) this.#currentEncoder = 0;
    // An id comes back for another object some time.
    this.forgetState();
    for (let first = 0; first < ids.length; first += MAX_RELEASED) {
      this.#protocol.encodeRelease(this.writer, ids.slice(first, first + MAX_RELEASED));
    }
    for (const id of ids) this.ids.free(id);
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.flush();
    });
  }

  /** A submit: the host should start now if there is enough to do, else together with what follows at once. */
  submitted(): void {
    if (this.writer.position * 4 >= EAGER_FLUSH_BYTES) this.flush();
  }

  /** Sends what was written. */
  flush(): void {
    if (this.writer.isEmpty) return;
    const frame = this.#transport.copiesOnSend ? this.writer.borrowFrame() : this.writer.takeFrame();
    if (this.closedBy !== undefined) return;
    this.statistics.sentBytes += frame.byteLength;
    this.statistics.sentFrames++;
    this.#transport.send(frame);
  }

  #sendPieces(pieces: readonly Uint8Array[]): void {
    if (this.closedBy !== undefined) return;
    for (const { byteLength } of pieces) this.statistics.sentBytes += byteLength;
    this.statistics.sentFrames++;
    sendPieces(this.#transport, pieces);
  }

  /** Memory that nobody uses, such as that of bulk data which was received. */
  reuse(buffer: ArrayBuffer): void {
    this.#bulk.give(buffer);
  }

  /** A frame is with the transport no more. */
  sent(frame: Uint8Array<ArrayBuffer>): void {
    this.writer.recycle(frame);
  }

  /** See `TransportHandlers.room`. */
  get room(): Uint8Array<ArrayBuffer> | undefined {
    return this.closedBy === undefined ? this.#frames.room : undefined;
  }

  /** Takes received bytes. */
  receive(chunk: Uint8Array): void {
    if (this.closedBy !== undefined) return;
    this.statistics.receivedBytes += chunk.byteLength;
    try {
      this.#frames.push(chunk, (records) => {
        this.#receiveFrame(records);
        return true;
      });
    } catch (error) {
      this.#transport.close();
      this.closed(error as Error);
    }
  }

  #receiveFrame(records: Uint8Array<ArrayBuffer>): void {
    const reader = this.#reader;
    reader.open(records);
    while (reader.nextRecord()) {
      if (reader.opcode === OPCODE_BEGIN_BULK) this.#bulk.begin(reader.u32(), (r, d) => reader.fail(r, d));
      else if (reader.opcode === OPCODE_BULK_CHUNK) this.#bulk.chunk(reader.inlineBytes(), (r, d) => reader.fail(r, d));
      else this.#receiveMessage(reader);
      reader.finish();
    }
    reader.close();
  }

  #receiveMessage(reader: WireReader): void {
    const deliver = this.#protocol.decodeEvent(reader) ?? this.#decodeReply(reader);
    // A malformed record is refused whole, before anyone hears of it.
    reader.finish();
    this.#tasks.runOrPush(deliver);
  }

  #decodeReply(reader: WireReader): () => void {
    const id = reader.u32();
    const request = this.#requests.get(id);
    if (request === undefined) return reader.fail('bad-request', `a reply to request ${id}, which is not pending`);
    const settle = this.#decodeSettlement(request, reader);
    reader.finish();
    // Only now: a request whose reply was malformed is rejected with the others.
    this.#requests.delete(id);
    this.letGo();
    return settle;
  }

  #decodeSettlement(request: PendingRequest, reader: WireReader): () => void {
    const status = reader.u32();
    if (status === REPLY_OK) {
      const value = request.decode(reader) as never;
      return () => request.resolve(value);
    }
    if (status !== REPLY_FAILED) reader.fail('bad-union', `reply status ${status}`);
    const error = this.#protocol.decodeFailure(reader);
    return () => request.reject(error);
  }

  /** The stream has ended: every pending request is rejected, in order. */
  closed(error?: Error): void {
    if (this.closedBy !== undefined) return;
    if (error === undefined && this.#frames.isWithinFrame) {
      error = new ProtocolError('truncated', 'the connection ended within a frame');
    }
    const who = this.#isClosing ? 'this guest' : 'the host';
    const reason = error ?? new ConnectionError(`${who} closed the connection`);
    this.closedBy = reason;
    // Behind the replies that have arrived.
    this.#tasks.runOrPush(() => {
      for (const request of this.#requests.values()) request.reject(reason);
      this.#requests.clear();
      this.onClosed?.(reason);
    });
  }

  /** Sends what was written and ends the connection. */
  close(): void {
    this.#isClosing = true;
    this.flush();
    this.#transport.close();
  }
}
