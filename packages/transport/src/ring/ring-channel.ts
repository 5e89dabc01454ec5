import type { Transport } from '@vesper-gpu/wire';
import { DEFAULT_CAPACITY_BYTES, formatMemory, memoryBytes, ringsIn } from './layout.ts';
import { RingError } from './ring-error.ts';
import { RingReader } from './ring-reader.ts';
import { RingTransport } from './ring-transport.ts';
import { RingWriter } from './ring-writer.ts';
import { SharedDoorbell, type MessagingPort } from './shared-doorbell.ts';

/**
 * One end of a connection through shared memory. To be sent to another thread: `worker.postMessage(end, [end.port])`.
 * Each end is good for one {@link ringTransport} or `SyncRing`.
 */
export interface RingPort {
  /** Both rings, and words that control them. */
  readonly memory: SharedArrayBuffer;
  /** Which of the rings in `memory` this end writes. */
  readonly writes: 0 | 1;
  /** Tells each end when the thread of the other one has ended. */
  readonly port: MessagingPort;
}

/**
 * Memory for a connection between two threads: two rings of bytes, one each way.
 * @param capacity of each ring, in bytes: a power of two, default 4 MiB
 * @throws RangeError for a capacity that no ring can have
 */
export function ringChannel(capacity = DEFAULT_CAPACITY_BYTES): { port1: RingPort; port2: RingPort } {
  const memory = new SharedArrayBuffer(memoryBytes(capacity));
  formatMemory(memory);
  const { port1, port2 } = new MessageChannel();
  return { port1: { memory, writes: 0, port: port1 }, port2: { memory, writes: 1, port: port2 } };
}

const taken = new WeakSet<MessagingPort>();

/** To be called by whoever reads and writes at an end. @throws RingError when somebody does already, in this thread */
export function takeEnd({ port }: RingPort): void {
  if (taken.has(port)) throw new RingError('this end of the channel is in use: each end is good for one transport');
  taken.add(port);
}

/**
 * The transport at one end of a `ringChannel`, in the thread that the end was sent to. Bytes go through memory; a side
 * with nothing to do sleeps, and never spins. The other end may be anybody's: see `RingTransport`.
 * @throws RingError when the memory is not that of a channel, or the end is in use
 */
export function ringTransport(end: RingPort): Transport {
  const { memory, writes, port } = end;
  const rings = ringsIn(memory);
  takeEnd(end);
  const [out, into] = writes === 0 ? rings : [rings[1], rings[0]];
  return new RingTransport(new RingWriter(out), new RingReader(into), new SharedDoorbell(into.words, out.words, port));
}
