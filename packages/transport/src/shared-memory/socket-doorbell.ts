import type { Socket } from 'node:net';
import type { Doorbell } from '../ring/doorbell.ts';
import { WAKE } from './tags.ts';

const WAKE_UP = Uint8Array.of(WAKE);

/** The doorbell between two processes: a byte on a socket wakes, and the end of the socket is the other side's. */
export class SocketDoorbell implements Doorbell {
  readonly #socket: Socket;
  readonly #heard: (bytes: Uint8Array) => Error | void;
  #isClosed = false;

  /** @param heard sees what came over the socket before anything is woken; an error that it returns ends the connection */
  constructor(socket: Socket, heard: (bytes: Uint8Array) => Error | void) {
    this.#socket = socket;
    this.#heard = heard;
  }

  ring(): void {
    // What has not left yet will wake the other side as well: it looks at the rings behind it. So no more than a byte
    // waits for a side that does not read.
    if (!this.#isClosed && this.#socket.writable && this.#socket.writableLength === 0) this.#socket.write(WAKE_UP);
  }

  listen(rung: () => void, gone: (error?: Error) => void): void {
    const socket = this.#socket;
    let isGone = false;
    const end = (error?: Error): void => {
      if (isGone || this.#isClosed) return;
      isGone = true;
      gone(error);
    };
    // That it was reset means that the other side closed while wake-ups were on their way to it: an end like any other.
    socket.on('error', () => {});
    socket.on('end', () => end());
    socket.on('close', () => end());
    socket.on('data', (bytes: Buffer) => {
      if (isGone || this.#isClosed) return;
      const error = this.#heard(bytes);
      if (error instanceof Error) end(error);
      else rung();
    });
    if (socket.destroyed) setImmediate(end);
    else socket.resume();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
  }
}
