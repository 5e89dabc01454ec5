import type { Socket } from 'node:net';
import { ConnectionError } from '@vesper-gpu/wire';

/** The descriptor of an open socket; node has no public name for it. @throws ConnectionError when it is closed */
export function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: unknown } | null };
  if (typeof handle?.fd === 'number' && handle.fd >= 0) return handle.fd;
  throw new ConnectionError('the other side has closed the connection');
}
