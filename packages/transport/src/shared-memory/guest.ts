import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { ConnectionError, type Transport, type TransportHandlers } from '@vesper-gpu/wire';
import { ringsIn } from '../ring/layout.ts';
import { RingReader } from '../ring/ring-reader.ts';
import { RingTransport } from '../ring/ring-transport.ts';
import { RingWriter } from '../ring/ring-writer.ts';
import { socketTransport } from '../socket.ts';
import { HIGH_WATER_BYTES } from '../water-marks.ts';
import { descriptorOf } from './descriptor.ts';
import type { Native, Received } from './native.ts';
import { join, LastWords } from './side-streams.ts';
import { SocketDoorbell } from './socket-doorbell.ts';
import { MAX_BYTES_BEFORE, MEMORY, STREAM } from './tags.ts';

/**
 * The guest's end of a connection through memory that the host gives.
 *
 * The host gives it to whom it serves, behind the hello: until then the first bytes go over the socket, and more waits.
 * @param socket connected, and never read from: node's reading would lose the descriptor that travels beside a byte
 * @param address for messages
 */
export function joinSharedMemory(socket: Socket, address: string, native: Native): Transport {
  return new JoiningTransport(socket, address, native);
}

/** How long, in milliseconds, a connection that is closed waits for the host to say how to send what is queued. */
const LINGER_MS = 5000;

/** What is sent before the memory is there, and the transport that it becomes. */
class JoiningTransport implements Transport {
  readonly #socket: Socket;
  readonly #address: string;
  readonly #native: Native;
  /** Ends the look-out for the host's answer. */
  readonly #stopWatching: () => void;
  #handlers: TransportHandlers | undefined;
  /** Once it is known what the host does. */
  #inner: Transport | undefined;
  #isPaused = false;
  #sentBytes = 0;
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #waitingBytes = 0;
  #senderWaits = false;
  #linger: NodeJS.Timeout | undefined;

  constructor(socket: Socket, address: string, native: Native) {
    this.#socket = socket;
    this.#address = address;
    this.#native = native;
    socket.pause();
    // What is wrong shows when it is read.
    socket.on('error', () => {});
    this.#stopWatching = native.watch(descriptorOf(socket), (receive) => this.#readable(receive));
  }

  get copiesOnSend(): boolean | undefined {
    return this.#inner?.copiesOnSend;
  }

  start(handlers: TransportHandlers): void {
    if (this.#handlers !== undefined) throw new Error('a transport can be started only once');
    this.#handlers = handlers;
    this.#inner?.start(handlers);
  }

  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#inner !== undefined) return this.#inner.send(bytes);
    if (this.#linger !== undefined) return true;
    if (this.#waiting.length === 0 && this.#sentBytes + bytes.byteLength <= MAX_BYTES_BEFORE) {
      this.#sentBytes += bytes.byteLength;
      if (bytes.byteLength > 0) this.#socket.write(bytes);
      return true;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.byteLength;
    this.#senderWaits ||= this.#waitingBytes > HIGH_WATER_BYTES;
    return !this.#senderWaits;
  }

  pause(): void {
    this.#isPaused = true;
    this.#inner?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#inner?.resume();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  close(): void {
    if (this.#inner !== undefined) return this.#inner.close();
    // What waits is to be sent first, and the host has not said how.
    this.#linger ??= setTimeout(() => this.#become(ended(this.#socket)), LINGER_MS).unref();
  }

  #readable(receive: () => Received): void {
    if (this.#inner !== undefined) return;
    let inner: Transport | undefined;
    try {
      inner = this.#read(receive());
    } catch (error) {
      inner = ended(this.#socket, error as Error);
    }
    if (inner !== undefined) this.#become(inner);
  }

  /** @returns the transport that this one becomes; undefined while that is not known */
  #read(received: Received): Transport | undefined {
    if (received.kind === 'nothing') return undefined;
    // Node reads the end once more, and whatever is plain.
    if (received.kind === 'end' || received.byte === STREAM) return socketTransport(this.#socket);
    const { descriptor } = received;
    if (received.byte !== MEMORY || descriptor === undefined) {
      throw new ConnectionError(
        `the host at ${this.#address} shares no memory: connect to it with unix: instead of shm:`,
      );
    }
    try {
      return this.#join(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  #join(descriptor: number): Transport {
    const [fromGuest, fromHost] = ringsIn(this.#native.map(descriptor));
    const side = new LastWords();
    const bell = new SocketDoorbell(this.#socket, (bytes) => side.hear(bytes));
    const transport = new RingTransport(new RingWriter(fromGuest), new RingReader(fromHost), bell, side);
    join(fromGuest.words, this.#sentBytes);
    bell.ring();
    return transport;
  }

  #become(inner: Transport): void {
    this.#stopWatching();
    this.#inner = inner;
    if (this.#isPaused) inner.pause();
    if (this.#handlers !== undefined) inner.start(this.#handlers);
    let takesMore = true;
    for (const bytes of this.#waiting) takesMore = inner.send(bytes);
    this.#waiting = [];
    // Else it says so itself.
    if (this.#senderWaits && takesMore) setImmediate(() => this.#handlers?.drained?.());
    if (this.#linger === undefined) return;
    clearTimeout(this.#linger);
    inner.close();
  }
}

/** A transport that has ended, with an error or without. */
function ended(socket: Socket, error?: Error): Transport {
  const reason =
    error === undefined || error instanceof ConnectionError
      ? error
      : new ConnectionError(`the memory of the host cannot be used: ${error.message}`, { cause: error });
  socket.destroy();
  return {
    start: (handlers) => void setImmediate(() => handlers.closed(reason)),
    send: () => true,
    pause: () => {},
    resume: () => {},
    close: () => {},
  };
}
