import { connect, type Socket } from 'node:net';
import { ConnectionError, type Transport } from '@vesper-gpu/wire';
import { formatAddress, parseAddress, type Address } from './address.ts';
import { deviceTransport } from './device.ts';
import { joinSharedMemory } from './shared-memory/guest.ts';
import { loadNative } from './shared-memory/native.ts';
import { intoOneBuffer } from './one-buffer.ts';
import { socketTransport } from './socket.ts';

/** How long, in milliseconds, a host may take to accept; a network that drops packets would take minutes. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Connects to the host at `address` (`unix:PATH`, `shm:PATH`, `tcp:HOST:PORT` or `dev:PATH`).
 * @throws ConnectionError, with one message that names the address and what to do about it.
 */
export async function openTransport(address: string): Promise<Transport> {
  const parsed = parseAddress(address);
  if (parsed.kind === 'dev') return deviceTransport(parsed.path);
  if (parsed.kind === 'tcp' && parsed.port === 0) {
    throw new ConnectionError(
      `"${address}" cannot be connected to: port 0 is for listening; give the port that the host reported`,
    );
  }
  if (parsed.kind === 'shm') {
    const native = await loadNative(address);
    return joinSharedMemory(await connectSocket(parsed), address, native);
  }
  return socketTransport(await connectSocket(parsed));
}

function connectSocket(address: Exclude<Address, { kind: 'dev' }>): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const to = address.kind === 'tcp' ? { host: address.host, port: address.port } : { path: address.path };
    const socket: Socket = connect({ ...to, ...intoOneBuffer(() => socket) }).pause();
    const failed = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new ConnectionError(explain(address, error), { cause: error }));
    };
    const timer = setTimeout(
      () => failed(Object.assign(new Error('the connection timed out'), { code: 'ETIMEDOUT' })),
      CONNECT_TIMEOUT_MS,
    );
    socket.once('error', failed);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      resolve(socket);
    });
  });
}

function explain(address: Address, error: NodeJS.ErrnoException): string {
  const name = formatAddress(address);
  const serve = `vesper serve --listen ${name}`;
  switch (error.code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return `no Vesper host listens at ${name}: start one with \`${serve}\``;
    case 'EACCES':
    case 'EPERM':
      return `no permission to connect to ${name}: run as the user who ran \`${serve}\`, or let that user give access`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name of ${name} is not known: check it, or give the IP address of the machine that runs \`${serve}\``;
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `${name} cannot be reached: check the address, the network and the firewall, and that the machine runs \`${serve}\``;
    default:
      return `cannot connect to ${name}: ${error.message || (error.code ?? 'unknown error')}; it should be served by \`${serve}\``;
  }
}
