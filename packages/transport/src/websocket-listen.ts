import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Transport } from '@vesper-gpu/wire';
import { WebSocketServer } from 'ws';
import { listen, type Listener } from './listen.ts';
import { MAX_MESSAGE_BYTES, webSocketTransport } from './websocket.ts';

/** How long, in milliseconds, a client may take for the whole of its request. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Connections without a complete request that are kept: the oldest makes room for the next. */
const MAX_WAITING = 256;
/** Most characters of an origin that are told. */
const ORIGIN_CHARACTERS = 100;
/** How long, in milliseconds, a closing socket may take to send what is queued and to see the peer close. */
const LINGER_MS = 5000;

/** Who may connect with WebSockets, and what becomes of them. */
export interface WebSocketListenOptions {
  /**
   * Origins whose pages may connect, as browsers write them: `https://example.com`, `http://localhost:5173`. Default none.
   * Browsers let any page open a WebSocket to any address, the user's own machine included, and say which page it is.
   * Programs that are no browsers say no origin, and may connect.
   */
  readonly allowedOrigins?: readonly string[];
  /** How many connections may be open at a time; further ones are refused. Default 64. */
  readonly maxConnections?: number;
  /** A client has connected. What it throws is nobody's: it should not. */
  connection(transport: Transport, from: string): void | Promise<void>;
  /** A client was refused; `why` is for the log. */
  refused?(from: string, why: string): void;
  /** One connection could not be accepted (too many open files, for example); the listener goes on. */
  failed?(error: Error): void;
}

/**
 * Listens for WebSockets at `address`: `tcp:HOST:PORT`, or `unix:PATH` where a proxy forwards them.
 * @throws ConnectionError, with one message that names the address and what to do about it
 */
export async function listenWebSocket(address: string, options: WebSocketListenOptions): Promise<Listener> {
  const allowedOrigins = new Set(options.allowedOrigins);
  const maxConnections = options.maxConnections ?? 64;
  // A variable, as the types do not know all of it yet.
  const limits = { maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false, closeTimeout: LINGER_MS };
  const sockets = new WebSocketServer({ noServer: true, ...limits });
  const server = createServer((_, response) => {
    response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' }).end('Vesper speaks WebSocket here.\n');
  });
  /** Connections that have not asked for a WebSocket, or were refused one; oldest first. */
  const waiting = new Map<Duplex, NodeJS.Timeout>();
  const stopWaiting = (socket: Duplex): void => {
    clearTimeout(waiting.get(socket));
    waiting.delete(socket);
  };
  server.on('upgrade', (request, socket, head) => {
    const { remoteAddress, remotePort } = request.socket;
    const from = remoteAddress === undefined ? address : `${remoteAddress}:${remotePort}`;
    const { origin } = request.headers;
    if (origin !== undefined && !allowedOrigins.has(origin)) {
      refuse(socket, 403, 'Forbidden');
      const shown = JSON.stringify(origin.slice(0, ORIGIN_CHARACTERS));
      options.refused?.(from, `a page of ${shown} asked, and that origin is not allowed`);
    } else if (sockets.clients.size >= maxConnections) {
      refuse(socket, 503, 'Service Unavailable');
      options.refused?.(from, `${maxConnections} connections are open, and no more are allowed`);
    } else {
      stopWaiting(socket);
      sockets.handleUpgrade(
        request,
        socket,
        head,
        (client) => void options.connection(webSocketTransport(client), from),
      );
    }
  });
  return listen(address, {
    connection(socket: Socket) {
      if (waiting.size >= MAX_WAITING) waiting.keys().next().value?.destroy();
      waiting.set(
        socket,
        setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS),
      );
      socket.on('error', () => socket.destroy()).on('close', () => stopWaiting(socket));
      server.emit('connection', socket);
    },
    ...(options.failed && { failed: options.failed }),
  });
}

function refuse(socket: Duplex, status: number, text: string): void {
  socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
