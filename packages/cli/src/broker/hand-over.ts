import type { Socket } from 'node:net';
import type { Assignment } from './messages.ts';
import type { Visitor } from './reception.ts';

/** The part of libuv's handle behind a socket that is used here; Node has no public name for it. */
interface StreamHandle {
  readStop(): number;
}

/**
 * Takes what is left of a guest out of a socket that is about to go to another process.
 *
 * Node goes on reading a paused socket until a buffer is full, and drops what it reads behind the hand-over. So its
 * buffer is emptied and the reading is stopped, both in the task that sends the socket: whatever comes later stays in
 * the kernel, for the process that gets the socket. (Without the stop, up to some MB are lost under load: tried.)
 * @returns undefined when the guest has gone
 */
export function detach(socket: Socket, visitor: Visitor): Assignment | undefined {
  const chunks: Uint8Array[] = [visitor.rest];
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) break;
    chunks.push(chunk);
  }
  const handle = handleOf(socket);
  if (socket.destroyed || handle === undefined) return undefined;
  handle.readStop();
  return { type: 'guest', fields: [...visitor.fields], rest: Buffer.concat(chunks).toString('base64') };
}

function handleOf(socket: Socket): StreamHandle | undefined {
  const { _handle: handle } = socket as unknown as { _handle?: Partial<StreamHandle> | null };
  if (handle === null) return undefined;
  if (typeof handle?.readStop !== 'function') {
    throw new Error(
      `node ${process.version} does not let go of a socket as older versions do; Vesper has to be adapted`,
    );
  }
  return handle as StreamHandle;
}
