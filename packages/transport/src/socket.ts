import type { Socket } from 'node:net';
import { ConnectionError, MIN_POOLED_BYTES, type Transport, type TransportHandlers } from '@vesper-gpu/wire';
import { readWhere } from './one-buffer.ts';
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from './water-marks.ts';

/** How long, in milliseconds, a closing socket may take to send what is queued and to see the peer close. */
const LINGER_MS = 5000;

/**
 * The transport over a connected Unix or TCP socket, which belongs to it from now on. Reading waits for `start`:
 * nothing that came before is lost. After `close`, received bytes are dropped; after 5 s, or when the peer closes,
 * whichever is first, the socket is destroyed. A fault of the socket ends the stream with a `ConnectionError`.
 */
export function socketTransport(socket: Socket): Transport {
  return new SocketTransport(socket);
}

class SocketTransport implements Transport {
  readonly #socket: Socket;
  #handlers: TransportHandlers | undefined;
  #fault: Error | undefined;
  #pausedByUser = false;
  /** Reading goes on in a task of its own: more was buffered than one call of the handler may be given. */
  #continues = false;
  #closing = false;
  #peerEnded = false;
  #isClosed = false;
  /** `send` returned false, and `drained` was not called since. */
  #senderWaits = false;
  #linger: NodeJS.Timeout | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.pause();
    // Some sockets are made with allowHalfOpen; here, the end of one direction is the end of both.
    socket.allowHalfOpen = false;
    // Does nothing on a Unix socket.
    socket.setNoDelay(true);
    socket.on('error', (error) => {
      this.#fault ??= error;
    });
    socket.on('close', () => this.#closed());
    // Node resumes the pipes of a child process that exits, paused or not.
    socket.on('resume', () => this.#applyPause());
    socket.on('end', () => {
      this.#peerEnded = true;
      this.#startLinger();
    });
    if (socket.closed) setImmediate(() => this.#closed());
  }

  start(handlers: TransportHandlers): void {
    if (this.#handlers !== undefined) throw new Error('a transport can be started only once');
    this.#handlers = handlers;
    if (this.#isClosed) {
      setImmediate(() => handlers.closed(this.#faultToReport()));
      return;
    }
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    if (handlers.room !== undefined) readWhere(this.#socket, () => (this.#closing ? undefined : handlers.room?.()));
    this.#applyPause();
  }

  #receive(chunk: Buffer): void {
    if (this.#closing) return;
    if (this.#socket.readableLength > 0) {
      // The stream would emit what it has buffered within this task.
      this.#continues = true;
      this.#socket.pause();
      setImmediate(() => {
        this.#continues = false;
        this.#applyPause();
      });
    }
    this.#handlers?.bytes(chunk);
  }

  #applyPause(): void {
    const paused = !this.#closing && (this.#handlers === undefined || this.#pausedByUser || this.#continues);
    if (paused !== this.#socket.isPaused()) {
      if (paused) this.#socket.pause();
      else this.#socket.resume();
    }
  }

  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    const socket = this.#socket;
    if (this.#closing || this.#peerEnded || !socket.writable) return true;
    if (bytes.byteLength > 0)
      socket.write(bytes, bytes.buffer.byteLength < MIN_POOLED_BYTES ? this.#written : this.#sentLarge(bytes));
    if (socket.writableLength > HIGH_WATER_BYTES) this.#senderWaits = true;
    return !this.#senderWaits;
  }

  /** What to do when `bytes` have been sent, or never will be. */
  #sentLarge(bytes: Uint8Array<ArrayBuffer>): (error?: Error | null) => void {
    return (error) => {
      // After an error, something may still be on its way to the kernel.
      if (error === undefined || error === null) this.#handlers?.sent?.(bytes);
      this.#written();
    };
  }

  readonly #written = (): void => {
    if (!this.#senderWaits || this.#socket.writableLength > LOW_WATER_BYTES) return;
    this.#senderWaits = false;
    setImmediate(() => {
      if (!this.#closing && !this.#isClosed) this.#handlers?.drained?.();
    });
  };

  pause(): void {
    this.#pausedByUser = true;
    this.#applyPause();
  }

  resume(): void {
    this.#pausedByUser = false;
    this.#applyPause();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  close(): void {
    if (this.#closing || this.#isClosed) return;
    this.#closing = true;
    this.#socket.end();
    this.#startLinger();
    // The peer's end is seen only behind its bytes; unread bytes would also make TCP reset the connection,
    // and the peer lose what was sent to it last.
    this.#applyPause();
  }

  #startLinger(): void {
    if (this.#isClosed) return;
    this.#linger ??= setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#linger);
    this.#handlers?.closed(this.#faultToReport());
  }

  /** What happens to a socket that either side is closing is of no interest. */
  #faultToReport(): Error | undefined {
    const fault = this.#fault;
    if (fault === undefined || this.#closing || this.#peerEnded) return undefined;
    return new ConnectionError(`the connection broke: ${fault.message}`, { cause: fault });
  }
}
