import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { ConnectionError, type Transport } from '@vesper-gpu/wire';
import { DEFAULT_CAPACITY_BYTES, formatMemory, memoryBytes, ringsIn } from '../ring/layout.ts';
import { RingReader } from '../ring/ring-reader.ts';
import { RingTransport } from '../ring/ring-transport.ts';
import { RingWriter } from '../ring/ring-writer.ts';
import { descriptorOf } from './descriptor.ts';
import { loadNative } from './native.ts';
import { GuestBytes } from './side-streams.ts';
import { SocketDoorbell } from './socket-doorbell.ts';
import { MEMORY } from './tags.ts';

/** How a guest is given memory. */
export interface SharedMemoryOptions {
  /** Of each of the two rings, in bytes: a power of two. Default 4 MiB. */
  readonly capacity?: number;
  /** How many bytes were read off the socket before, by whom it was accepted. Default 0. */
  readonly receivedBytes?: number;
}

/** A transport that knows what its other side keeps waiting. */
export interface SharedMemoryTransport extends Transport {
  /** Bytes that were sent, and for which there was no room yet. */
  readonly queuedBytes: number;
}

/**
 * The host's end of a connection that a guest opened with `shm:PATH`, over a socket that belongs to it from now on. Makes
 * memory that nobody can resize, and gives the guest a descriptor of it over the socket, which wakes from then on.
 * @throws ConnectionError where the guest is gone, or this system cannot do it
 */
export async function acceptSharedMemory(
  socket: Socket,
  { capacity = DEFAULT_CAPACITY_BYTES, receivedBytes = 0 }: SharedMemoryOptions = {},
): Promise<SharedMemoryTransport> {
  socket.pause();
  const native = await loadNative('shared memory');
  const descriptor = native.createMemory(memoryBytes(capacity));
  try {
    const memory = native.map(descriptor);
    formatMemory(memory);
    const [fromGuest, fromHost] = ringsIn(memory);
    const side = new GuestBytes(fromGuest.words, receivedBytes);
    native.send(descriptorOf(socket), MEMORY, descriptor);
    const bell = new SocketDoorbell(socket, (bytes) => side.hear(bytes));
    return new RingTransport(new RingWriter(fromHost), new RingReader(fromGuest), bell, side);
  } catch (error) {
    throw new ConnectionError(`the guest could not be given memory: ${(error as Error).message}`, { cause: error });
  } finally {
    // The mapping keeps the memory.
    closeSync(descriptor);
  }
}
