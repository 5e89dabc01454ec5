import { chmod, lstat, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { ConnectionError } from '@vesper-gpu/wire';
import { formatAddress, parseAddress, type Address } from './address.ts';
import { loadNative } from './shared-memory/native.ts';

/** What is done with connections. */
export interface ListenOptions {
  /**
   * A guest has connected; the socket is the callee's. Give it to `socketTransport` (at `shm:PATH` to
   * `acceptSharedMemory`), or to another process.
   */
  connection(socket: Socket): void;
  /** Leaves sockets unread, so that they can be handed to another process whole. Default false. */
  pauseOnConnect?: boolean;
  /** One connection could not be accepted (too many open files, for example); the listener goes on. */
  failed?(error: Error): void;
}

/** An open address. */
export interface Listener {
  /** Where it listens, in the form that `openTransport` takes: with the real port where 0 was asked for. */
  readonly address: string;
  /** Accepts no more and removes the socket file. Connections that were accepted go on. Safe to call twice. */
  close(): Promise<void>;
}

type SocketAddress = Exclude<Address, { kind: 'dev' }>;

/**
 * Listens for guests at `address` (`unix:PATH`, `shm:PATH` or `tcp:HOST:PORT`). A Unix socket is made for its owner alone
 * (mode 0600); the file of a listener that is gone is replaced.
 * @throws ConnectionError, with one message that names the address and what to do about it.
 */
export async function listen(address: string, options: ListenOptions): Promise<Listener> {
  const parsed = parseAddress(address);
  if (parsed.kind === 'dev') {
    throw new ConnectionError(
      `cannot listen at ${address}: dev: is the guest's end of a port; listen at unix:PATH, where the virtual machine's monitor connects`,
    );
  }
  // Else every guest would find out for itself.
  if (parsed.kind === 'shm') await loadNative(address);
  const server = createServer({ pauseOnConnect: options.pauseOnConnect ?? false, noDelay: true }, (socket) =>
    options.connection(socket),
  );
  await bind(server, parsed);
  server.on('error', (error) => options.failed?.(error));
  return { address: realAddress(server, parsed), close: () => close(server) };
}

async function bind(server: Server, address: SocketAddress): Promise<void> {
  try {
    try {
      await tryToBind(server, address);
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE' || address.kind === 'tcp' || !(await isStale(address.path))) throw error;
      await rm(address.path, { force: true });
      await tryToBind(server, address);
    }
  } catch (error) {
    throw new ConnectionError(explain(address, error as NodeJS.ErrnoException), { cause: error });
  }
}

async function tryToBind(server: Server, address: SocketAddress): Promise<void> {
  const bound = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
  });
  if (address.kind === 'tcp') {
    server.listen({ host: address.host, port: address.port });
    return bound;
  }
  const restore = restrictNewFiles();
  try {
    server.listen({ path: address.path });
  } finally {
    restore();
  }
  await bound;
  // For the threads that have no umask of their own.
  await chmod(address.path, 0o600);
}

/** Within one task: the socket must not be open to others even for a moment. A worker thread cannot do this. */
function restrictNewFiles(): () => void {
  try {
    const before = process.umask(0o177);
    return () => void process.umask(before);
  } catch {
    return () => {};
  }
}

/** Whether the file at `path` is a socket that no one listens at. */
async function isStale(path: string): Promise<boolean> {
  const status = await lstat(path).catch(() => undefined);
  if (status === undefined) return true;
  if (!status.isSocket()) return false;
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error) => resolve(['ECONNREFUSED', 'ENOENT'].includes(codeOf(error) ?? '')));
  });
}

function realAddress(server: Server, address: SocketAddress): string {
  const bound = server.address();
  if (address.kind !== 'tcp' || bound === null || typeof bound === 'string') return formatAddress(address);
  return formatAddress({ ...address, port: bound.port });
}

async function close(server: Server): Promise<void> {
  // Removes the file at once; its callback would wait for the connections that were accepted.
  if (server.listening) server.close();
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function explain(address: SocketAddress, error: NodeJS.ErrnoException): string {
  const name = formatAddress(address);
  switch (error.code) {
    case 'EADDRINUSE':
      return address.kind !== 'tcp'
        ? `cannot listen at ${name}: another process listens there, or the file is no socket; stop it, or choose another path`
        : `cannot listen at ${name}: another process listens there; stop it, or choose another port (0 for any that is free)`;
    case 'EACCES':
    case 'EPERM':
      // libuv says EACCES where the directory is missing.
      if (address.kind !== 'tcp' && !existsSync(dirname(address.path))) {
        return `cannot listen at ${name}: its directory does not exist; make it, or choose another path`;
      }
      return `cannot listen at ${name}: no permission; choose ${address.kind !== 'tcp' ? 'a directory that you can write to' : 'a port above 1023'}`;
    case 'ENOENT':
    case 'ENOTDIR':
      return `cannot listen at ${name}: its directory does not exist; make it, or choose another path`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot listen at ${name}: this machine has no such address; give one of its own, such as 127.0.0.1`;
    default:
      return `cannot listen at ${name}: ${error.message}`;
  }
}
