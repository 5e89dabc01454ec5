import type { Socket } from 'node:net';

/**
 * What a host says on the socket of a connection through shared memory. A guest says nothing but bytes of its stream,
 * until it has joined, and wake-ups then.
 */

/** Wakes the other side. */
export const WAKE = 0;
/** What follows, to the end, are bytes of the stream that belong behind those of the ring: last words, a refusal. */
export const STREAM = 1;
/** Beside this byte travels the descriptor of the memory. */
export const MEMORY = 2;

/** Most bytes that a guest may send over the socket before it has joined: a hello is smaller. */
export const MAX_BYTES_BEFORE = 128 << 10;

/** To be called before plain bytes are written to the socket of a guest that expects memory, or has it. */
export function beginPlainStream(socket: Socket): void {
  socket.write(Uint8Array.of(STREAM));
}
