import { ConnectionError, TaskQueue, type Transport, type TransportHandlers } from '@vesper-gpu/wire';
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from './water-marks.ts';

/** The largest message that is sent, in bytes: a receiver may refuse larger ones. Chunks that are larger are divided. */
export const MAX_MESSAGE_BYTES = 1 << 20;

/** How long, in milliseconds, a host may take to accept. */
const CONNECT_TIMEOUT_MS = 10_000;
/** How often, in milliseconds, a socket that does not say what it has sent is asked, while somebody waits for it. */
const POLL_MS = 5;

/** `WebSocket.OPEN`. https://websockets.spec.whatwg.org/#dom-websocket-open */
const OPEN = 1;
/** Status codes of a close. https://www.rfc-editor.org/rfc/rfc6455#section-7.4 */
const NORMAL_CLOSURE = 1000;
const GOING_AWAY = 1001;
const NO_STATUS = 1005;
const ABNORMAL_CLOSURE = 1006;

/**
 * What is used of a WebSocket: the interface of that name in browsers, node ≥ 22 and the npm package `ws`. The optional
 * members are of `ws` alone. https://websockets.spec.whatwg.org/#the-websocket-interface
 */
export interface WebSocketLike {
  /** How data arrives; `arraybuffer` from now on. */
  binaryType: string;
  /** 1 while it is open. */
  readonly readyState: number;
  /** Bytes that were sent and are not yet the network's. */
  readonly bufferedAmount: number;
  /** Sends one binary message. */
  send(data: Uint8Array<ArrayBuffer>, sent?: () => void): void;
  /** Closes it behind what was sent. */
  close(code?: number): void;
  /** Has `listener` hear of events. */
  addEventListener(type: 'open' | 'message' | 'error' | 'close', listener: (event: WebSocketEvent) => void): void;
  /** Stops reading. A socket that lacks it reads on, whoever waits. */
  pause?(): void;
  /** Undoes `pause`. */
  resume?(): void;
}

/** What is used of the events of a WebSocket: MessageEvent, CloseEvent, and the ErrorEvent of `ws`. */
export interface WebSocketEvent {
  /** Which event it is. */
  readonly type: string;
  /** Of a message: an ArrayBuffer, or a string. */
  readonly data?: unknown;
  /** Of a close: its status code. */
  readonly code?: number;
  /** Of an error, in node. */
  readonly message?: string;
}

/** How a connection is made. */
export interface OpenWebSocketOptions {
  /** The class; by default the global one, which browsers and node ≥ 22 have. */
  readonly WebSocket?: new (url: string) => WebSocketLike;
  /** How long, in milliseconds, the other side may take to accept. Default 10,000. */
  readonly timeoutMs?: number;
}

/**
 * Connects to a host behind `vesper gateway`, or any WebSocket that carries the bytes of a transport.
 * @param url `ws://HOST:PORT`, or `wss://…` where a proxy before the gateway encrypts
 * @throws ConnectionError that names the URL and says what to do about it. A browser does not let a page know why.
 */
export function openWebSocket(url: string, options: OpenWebSocketOptions = {}): Promise<Transport> {
  const WebSocket = options.WebSocket ?? (globalThis as { WebSocket?: new (url: string) => WebSocketLike }).WebSocket;
  return new Promise((resolve, reject) => {
    if (WebSocket === undefined) {
      throw new ConnectionError('there is no WebSocket here: give one, such as that of the npm package "ws"');
    }
    if (!/^wss?:\/\//.test(url)) {
      throw new ConnectionError(`"${url}" is no address of a WebSocket: give ws://HOST:PORT, or wss:// for TLS`);
    }
    const socket = new WebSocket(url);
    let why = '';
    const fail = (): void => {
      clearTimeout(timer);
      reject(new ConnectionError(unreachable(url, why)));
    };
    const timer = setTimeout(() => {
      why = 'nothing answered in time';
      fail();
      socket.close();
    }, options.timeoutMs ?? CONNECT_TIMEOUT_MS);
    socket.addEventListener('error', ({ message }) => (why ||= message ?? ''));
    socket.addEventListener('close', fail);
    socket.addEventListener('open', () => {
      clearTimeout(timer);
      resolve(new WebSocketTransport(socket));
    });
  });
}

function unreachable(url: string, why: string): string {
  return (
    `cannot connect to ${url}${why === '' ? '' : `: ${why}`}; a \`vesper gateway\` should listen there, ` +
    `and let in pages of this origin (--allow-origin)`
  );
}

/**
 * The transport over an open WebSocket, which belongs to it from now on. Messages are binary and their boundaries mean
 * nothing. The WebSockets of browsers cannot stop reading: what arrives while the transport is paused is kept in memory.
 * A fault of the connection, or a message of text, ends the stream with a `ConnectionError`.
 */
export function webSocketTransport(socket: WebSocketLike): Transport {
  return new WebSocketTransport(socket);
}

class WebSocketTransport implements Transport {
  /** As the specification of WebSocket has it; `ws`, which alone can be paused, keeps what it is given. */
  readonly copiesOnSend: boolean;
  readonly #socket: WebSocketLike;
  readonly #tasks = new TaskQueue();
  #handlers: TransportHandlers | undefined;
  /** Arrived and not delivered; those before `#head` have been. */
  #received: (Uint8Array | undefined)[] = [];
  #head = 0;
  /** A handler was called in this task, or a task that looks for what to deliver is on its way. */
  #busy = false;
  #pausedByUser = false;
  #socketIsPaused = false;
  #closing = false;
  /** The socket is closed: by which fault, if by one. */
  #end: { readonly error: Error | undefined } | undefined;
  #endWasTold = false;
  #fault: string | undefined;
  /** `send` returned false, and `drained` was not called since. */
  #senderWaits = false;

  constructor(socket: WebSocketLike) {
    this.#socket = socket;
    this.copiesOnSend = socket.pause === undefined;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    socket.addEventListener('error', ({ message }) => (this.#fault ??= message));
    socket.addEventListener('close', ({ code = NO_STATUS }) => this.#closed(code));
    this.#applyPause();
  }

  start(handlers: TransportHandlers): void {
    if (this.#handlers !== undefined) throw new Error('a transport can be started only once');
    this.#handlers = handlers;
    this.#deliverSoon();
  }

  #receive(data: unknown): void {
    if (this.#closing || this.#fault !== undefined) return;
    if (!(data instanceof ArrayBuffer)) {
      this.#fault = 'the other side sent text, which no Vesper does';
      this.#socket.close(NORMAL_CLOSURE);
      return;
    }
    if (data.byteLength === 0) return;
    this.#received.push(new Uint8Array(data));
    this.#deliver();
  }

  /** Gives the handler the next of what has arrived, if it may have something in this task. */
  #deliver(): void {
    if (this.#busy || this.#handlers === undefined || (this.#pausedByUser && !this.#closing)) {
      this.#applyPause();
      return;
    }
    const bytes = this.#received[this.#head];
    if (bytes === undefined) {
      this.#tellEnd();
      return;
    }
    this.#received[this.#head++] = undefined;
    if (this.#head === this.#received.length) {
      this.#received = [];
      this.#head = 0;
    }
    // Before the handler, which may throw.
    this.#deliverSoon();
    this.#applyPause();
    this.#handlers.bytes(bytes);
  }

  #deliverSoon(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#tasks.push(() => {
      this.#busy = false;
      this.#deliver();
      this.#applyPause();
    });
  }

  /** Reads on only when all is delivered, as far as the socket can wait. */
  #applyPause(): void {
    const paused =
      !this.#closing && (this.#handlers === undefined || this.#pausedByUser || this.#head < this.#received.length);
    if (paused === this.#socketIsPaused) return;
    this.#socketIsPaused = paused;
    if (paused) this.#socket.pause?.();
    else this.#socket.resume?.();
  }

  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    const socket = this.#socket;
    if (this.#closing || socket.readyState !== OPEN) return true;
    for (let at = 0; at < bytes.byteLength; at += MAX_MESSAGE_BYTES) {
      socket.send(bytes.subarray(at, at + MAX_MESSAGE_BYTES), this.#sent);
    }
    if (socket.bufferedAmount > HIGH_WATER_BYTES && !this.#senderWaits) {
      this.#senderWaits = true;
      if (socket.pause === undefined) this.#poll();
    }
    return !this.#senderWaits;
  }

  /** `ws` calls it; the WebSockets of browsers do not, and have no event for it either. */
  readonly #sent = (): void => {
    if (!this.#senderWaits || this.#socket.bufferedAmount > LOW_WATER_BYTES) return;
    this.#senderWaits = false;
    this.#tasks.push(() => {
      if (!this.#closing && this.#end === undefined) this.#handlers?.drained?.();
    });
  };

  #poll(): void {
    setTimeout(() => {
      this.#sent();
      if (this.#senderWaits && this.#end === undefined) this.#poll();
    }, POLL_MS);
  }

  pause(): void {
    this.#pausedByUser = true;
    this.#applyPause();
  }

  resume(): void {
    this.#pausedByUser = false;
    this.#deliverSoon();
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#received = [];
    this.#head = 0;
    this.#socket.close(NORMAL_CLOSURE);
    // The other side's close is seen only behind its bytes.
    this.#applyPause();
    this.#deliverSoon();
  }

  #closed(code: number): void {
    this.#end = { error: this.#faultToReport(code) };
    this.#deliver();
  }

  /** What happens to a connection that this side is closing is of no interest. */
  #faultToReport(code: number): Error | undefined {
    if (this.#closing) return undefined;
    const isClean = code === NORMAL_CLOSURE || code === GOING_AWAY || code === NO_STATUS;
    if (isClean && this.#fault === undefined) return undefined;
    return new ConnectionError(`the connection broke: ${this.#fault ?? closeText(code)}`);
  }

  #tellEnd(): void {
    if (this.#end === undefined || this.#endWasTold) return;
    this.#endWasTold = true;
    this.#handlers?.closed(this.#end.error);
  }
}

function closeText(code: number): string {
  return code === ABNORMAL_CLOSURE ? 'it ended without being closed' : `it was closed with status ${code}`;
}
