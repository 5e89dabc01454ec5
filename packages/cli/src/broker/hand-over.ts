import type { Socket } from 'node:net';
import { encodeStreamEnded } from '@vesper-gpu/protocol/host';
import { beginPlainStream, socketTransport } from '@vesper-gpu/transport';
import { WireWriter, type SessionEndReason } from '@vesper-gpu/wire';
import type { GuestSource } from './messages.ts';
import type { Visitor } from './reception.ts';

/** How long, in milliseconds, a guest may take to read why its session ended. */
const LAST_WORD_MS = 1000;

/** The part of libuv's handle behind a socket that is used here; Node has no public name for it. */
interface StreamHandle {
  readStart(): number;
  readStop(): number;
}

/** A guest on its way to another process. */
export interface Detached {
  /** For the process that gets the socket. */
  readonly source: GuestSource;
  /** This process's copy. */
  readonly socket: KeptSocket;
}

/**
 * Takes what is left of a guest out of a socket that is about to go to another process.
 *
 * Node goes on reading a paused socket until a buffer is full, and drops what it reads behind the hand-over. So its
 * buffer is emptied and the reading is stopped, both in the task that sends the socket: whatever comes later stays in
 * the kernel, for the process that gets the socket. (Without the stop, up to some MB are lost under load: tried.)
 * @param expectsMemory whether the guest expects shared memory
 * @returns undefined when the guest has gone
 */
export function detach(socket: Socket, visitor: Visitor, expectsMemory: boolean): Detached | undefined {
  const chunks: Uint8Array[] = [visitor.rest];
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) break;
    chunks.push(chunk);
  }
  const handle = handleOf(socket);
  if (socket.destroyed || handle === undefined) return undefined;
  handle.readStop();
  const bytes = Buffer.concat(chunks);
  const receivedBytes = visitor.receivedBytes + (bytes.byteLength - visitor.rest.byteLength);
  // No memory can be shared through a port.
  const { isPort } = visitor;
  const getsMemory = expectsMemory && !isPort;
  return {
    source: {
      type: 'guest',
      fields: [...visitor.fields],
      rest: bytes.toString('base64'),
      isPort,
      ...(getsMemory ? { receivedBytes } : {}),
    },
    socket: new KeptSocket(socket, handle, getsMemory),
  };
}

/**
 * The broker's copy of a guest's socket, which its executor serves. It is kept unread for the one thing that the
 * executor cannot do: say why it is no more. It must be closed, or the guest would not see that the executor has.
 */
export class KeptSocket {
  /** To be sent with `keepOpen`. */
  readonly socket: Socket;
  readonly #handle: StreamHandle;
  readonly #expectsMemory: boolean;

  /** @param expectsMemory whether the guest expects shared memory */
  constructor(socket: Socket, handle: StreamHandle, expectsMemory: boolean) {
    this.socket = socket;
    this.#handle = handle;
    this.#expectsMemory = expectsMemory;
  }

  /** Gives the copy up. */
  close(): void {
    this.socket.destroy();
  }

  /**
   * Ends the guest's session with the event VesperStream.ended, and closes; to be called once the executor is gone, and
   * only where it left no frame unfinished.
   * @param detail for people: what the host did, and why
   * @param hello says the same to a guest that waits for the hello still; undefined where it has had it
   */
  tell(reason: SessionEndReason, detail: string, hello?: Uint8Array<ArrayBuffer>): void {
    const { socket } = this;
    if (this.#expectsMemory) beginPlainStream(socket);
    const transport = socketTransport(socket);
    transport.send(hello ?? endedFrame(reason, detail));
    transport.close();
    // Unread bytes would make TCP reset the connection, and the guest might lose the last word. Node believes that it
    // is still reading since before the hand-over.
    if (!socket.destroyed) this.#handle.readStart();
    setTimeout(() => socket.destroy(), LAST_WORD_MS).unref();
  }
}

function endedFrame(reason: SessionEndReason, detail: string): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter(undefined, 256);
  encodeStreamEnded(writer, reason, detail, -1, -1);
  return writer.takeFrame();
}

function handleOf(socket: Socket): StreamHandle | undefined {
  const { _handle: handle } = socket as unknown as { _handle?: Partial<StreamHandle> | null };
  if (handle === null) return undefined;
  if (typeof handle?.readStop !== 'function' || typeof handle.readStart !== 'function') {
    throw new Error(
      `node ${process.version} does not let go of a socket as older versions do; Vesper has to be adapted`,
    );
  }
  return handle as StreamHandle;
}
