import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { listen, parseAddress, type Listener } from '@vesper-gpu/transport';
import { ConnectionError } from '@vesper-gpu/wire';

/** Connections at a time; further ones are closed. */
const MAX_CONNECTIONS = 16;
/** How long, in milliseconds, a client may take for its request and for reading the answer. */
const CONNECTION_TIMEOUT_MS = 10_000;
/** Of a request, in bytes. */
const MAX_HEADER_BYTES = 8192;
/** The version is the format's. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Answers `GET /metrics` at `unix:PATH` or `tcp:HOST:PORT`.
 * @param text what there is to say, when it is asked for
 * @throws ConnectionError when the address is none, or cannot be listened at
 */
export async function serveMetrics(address: string, text: () => string): Promise<Listener> {
  if (parseAddress(address).kind === 'shm') {
    throw new ConnectionError(`metrics cannot be fetched through shared memory, at ${address}: give unix:PATH`);
  }
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, noDelay: true }, (request, response) =>
    answer(request, response, text),
  );
  server.on('clientError', (_, socket) => void socket.destroy());
  const sockets = new Set<Socket>();
  // Only the transport's listener makes a Unix socket for its owner alone, and replaces one that is left over.
  const listener = await listen(address, {
    connection: (socket) => {
      socket.on('error', () => {});
      if (sockets.size >= MAX_CONNECTIONS) {
        socket.destroy();
        return;
      }
      sockets.add(socket);
      // The server's own times are only kept where it listens itself; and a client may send a byte now and then for ever.
      const timer = setTimeout(() => socket.destroy(), CONNECTION_TIMEOUT_MS);
      socket.on('close', () => {
        clearTimeout(timer);
        sockets.delete(socket);
      });
      server.emit('connection', socket);
    },
  });
  return {
    address: listener.address,
    close: async () => {
      await listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, text: () => string): void {
  // Nothing that is sent along is wanted.
  request.resume();
  const path = request.url?.split('?')[0];
  if (path !== '/metrics') return end(response, 404, 'Metrics are at /metrics.\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, 'Use GET.\n');
  return end(response, 200, text());
}

function end(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'Content-Type': CONTENT_TYPE,
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  });
  response.end(body);
}
