import { Socket, type OnReadOpts } from 'node:net';

/**
 * How much is read at once, always into the same memory: node would take new memory for each 64 KiB, which costs more than
 * half of the time in which a socket could deliver. Linux queues a little less than this in a Unix socket.
 */
const READ_BYTES = 256 << 10;

const rooms = new WeakMap<Socket, () => Uint8Array | undefined>();

/**
 * Has `socket`, if it reads into one buffer, read elsewhere where it is told to. The bytes come in `data` events all the same.
 * @param room is asked behind each event for what the next is to show; undefined leaves it to the buffer
 */
export function readWhere(socket: Socket, room: () => Uint8Array | undefined): void {
  rooms.set(socket, room);
}

/** For `connect`: `socket` reads into one buffer, of which its `data` events show a part that is valid until they return. */
export function intoOneBuffer(socket: () => Socket): { onread: OnReadOpts } {
  // No Buffer, whose `slice` would be a view of what is overwritten.
  const own = new Uint8Array(READ_BYTES);
  /** Whether all that was read has been shown, so that what is read next is what is shown next. */
  let isShown = false;
  return {
    onread: {
      buffer: () => (isShown ? (rooms.get(socket())?.() ?? own) : own),
      callback(byteLength, buffer) {
        const to = socket();
        const bytes = buffer.subarray(0, byteLength);
        // A stream that is resumed and paused at once reads all the same; what it keeps has to be memory of its own.
        const isKept = to.isPaused() || to.readableLength > 0;
        if (isKept) to.push(Buffer.from(bytes));
        else to.emit('data', bytes);
        isShown = !isKept && !to.isPaused();
        return !to.isPaused();
      },
    },
  };
}

/**
 * The connection of a socket that was accepted, and of which nothing was read yet, as a socket that reads into one buffer.
 * Node has that for `connect` only, so its handle goes over to another socket.
 * @returns `socket` itself where this node does not have it that way.
 */
export function readingIntoOneBuffer(socket: Socket): Socket {
  const { _handle: handle } = socket as unknown as { _handle?: { useUserBuffer?: unknown } | null };
  if (typeof handle?.useUserBuffer !== 'function' || socket.destroyed || socket.readableLength > 0) return socket;
  Object.assign(socket, { _handle: null });
  const taken: Socket = new Socket({
    ...({ handle, pauseOnCreate: true } as object),
    ...intoOneBuffer(() => taken),
    readable: true,
    writable: true,
  });
  // Its server counts it until it is closed.
  taken.once('close', () => socket.destroy());
  return taken;
}
