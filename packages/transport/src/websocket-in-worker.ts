import { ConnectionError, type Transport } from '@vesper-gpu/wire';
import { relay } from './relay.ts';
import { ringChannel, ringTransport, type RingPort } from './ring/index.ts';
import { openWebSocket, type OpenWebSocketOptions } from './websocket.ts';

/** Room for what a page sends while its worker is busy, in bytes, each way: some frames, or some pieces of bulk data. */
const RING_BYTES = 4 << 20;

/** What is used of a Worker of a browser. https://html.spec.whatwg.org/#worker */
export interface WorkerLike {
  /** Sends it a message. */
  postMessage(message: unknown, transfer: RingPort['port'][]): void;
  /** Has `listener` hear of what it sends, or that it failed. */
  addEventListener(type: 'message' | 'error', listener: (event: WorkerEvent) => void): void;
}

/** What is used of the events of a Worker: MessageEvent and ErrorEvent. */
export interface WorkerEvent {
  /** Which event it is. */
  readonly type: string;
  /** Of a message. */
  readonly data?: unknown;
  /** Of an error. */
  readonly message?: string;
}

/** What the page tells the worker. */
export interface WorkerTask {
  /** The worker's end of the shared memory. */
  readonly port: RingPort;
  /** Where to connect to. */
  readonly url: string;
}

/** What the worker answers: nothing, or why there is no connection. */
export interface WorkerAnswer {
  /** What is wrong, for people. */
  readonly error?: string;
}

/**
 * As `openWebSocket`, with the socket in a worker, which `worker` has to be: a module that imports
 * `@vesper-gpu/transport/websocket-worker` and does nothing else. What the page sends is copied to shared memory, and the
 * worker pays for sending it.
 * @param url as for `openWebSocket`
 * @throws ConnectionError as `openWebSocket`, and where the page has no shared memory
 */
export function openWebSocketInWorker(worker: WorkerLike, url: string): Promise<Transport> {
  return new Promise((resolve, reject) => {
    if (typeof SharedArrayBuffer === 'undefined') {
      throw new ConnectionError(
        'this page has no shared memory: serve it with Cross-Origin-Opener-Policy: same-origin and ' +
          'Cross-Origin-Embedder-Policy: require-corp, or use openWebSocket',
      );
    }
    const { port1, port2 } = ringChannel(RING_BYTES);
    worker.addEventListener('message', ({ data }) => {
      const { error } = data as WorkerAnswer;
      if (error === undefined) resolve(ringTransport(port1));
      else reject(new ConnectionError(error));
    });
    worker.addEventListener('error', ({ message = 'its module could not be loaded' }) =>
      reject(new ConnectionError(`cannot connect to ${url}: the worker failed: ${message}`)),
    );
    const task: WorkerTask = { port: port2, url };
    worker.postMessage(task, [port2.port]);
  });
}

/**
 * What the worker does.
 * @param answer called once, when there is a connection or will be none
 * @returns once the connection is over; never rejects
 */
export async function serveWorker(
  { port, url }: WorkerTask,
  answer: (answer: WorkerAnswer) => void,
  options: OpenWebSocketOptions = {},
): Promise<void> {
  let host: Transport;
  try {
    host = await openWebSocket(url, options);
  } catch (error) {
    answer({ error: (error as Error).message });
    return;
  }
  answer({});
  await relay(ringTransport(port), host);
}
