import { ConnectionError, type Transport } from '@vesper-gpu/wire';
import { afterEach, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { pattern, Received, turns } from '../test/received.ts';
import { resolvers } from '../test/resolvers.ts';
import { listenWebSocket, type WebSocketListenOptions } from './websocket-listen.ts';
import {
  openWebSocketInWorker,
  serveWorker,
  type WorkerEvent,
  type WorkerLike,
  type WorkerTask,
} from './websocket-in-worker.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** A worker that is of this thread, and hears and says the same as one of a browser. */
function startWorker(): WorkerLike & { ended: Promise<void> } {
  const ended = resolvers<void>();
  const listeners: ((event: WorkerEvent) => void)[] = [];
  const tell = (data: unknown): void => listeners.forEach((listener) => listener({ type: 'message', data }));
  return {
    ended: ended.promise,
    postMessage: (task) => void serveWorker(task as WorkerTask, tell, { WebSocket }).then(ended.resolve),
    addEventListener: (type, listener) => void (type === 'message' && listeners.push(listener)),
  };
}

async function start(options: Partial<WebSocketListenOptions> = {}) {
  const accepted = resolvers<Transport>();
  const listener = await listenWebSocket('tcp:127.0.0.1:0', { connection: accepted.resolve, ...options });
  cleanUps.push(() => listener.close());
  return { url: listener.address.replace('tcp:', 'ws://'), accepted: accepted.promise };
}

it('passes bytes on both ways, more than the shared memory holds, out of an array that is filled again', async () => {
  const { url, accepted } = await start();
  const worker = startWorker();
  const page = await openWebSocketInWorker(worker, url);
  expect(page.copiesOnSend).toBe(true);
  const host = await accepted;
  const [atPage, atHost] = [new Received(), new Received(host)];
  const given = vi.fn<() => void>();
  page.start(Object.assign(atPage, { sent: given }));
  host.pause();
  const array = new Uint8Array(1 << 20);
  const sent: Uint8Array[] = [];
  for (let i = 0; i < 20; i++) {
    array.set(pattern(array.byteLength, i));
    sent.push(array.slice());
    page.send(array);
    await turns(2);
  }
  array.fill(0);
  host.resume();
  host.send(pattern(9_000_000));
  await Promise.all([atHost.atLeast(20 << 20), atPage.atLeast(9_000_000)]);
  expect(atHost.content.equals(Buffer.concat(sent))).toBe(true);
  expect(atPage.content.equals(pattern(9_000_000))).toBe(true);
  expect(given).not.toHaveBeenCalled();
  page.close();
  expect(await atHost.closedOnce).toBeUndefined();
  expect(await atPage.closedOnce).toBeUndefined();
  await worker.ended;
});

it('has the page wait while the host does not read, and go on when it does', async () => {
  const { url, accepted } = await start();
  const page = await openWebSocketInWorker(startWorker(), url);
  const atPage = new Received(page);
  const host = await accepted;
  const atHost = new Received(host);
  host.pause();
  let sent = 0;
  for (let refused = 0; refused < 10;) {
    if (!page.send(pattern(1 << 20, sent))) refused++;
    sent += 1 << 20;
    await turns(2);
    expect(sent).toBeLessThan(128 << 20);
  }
  host.resume();
  await atHost.atLeast(sent);
  await atPage.drainedOnce();
  page.close();
  await atHost.closedOnce;
});

it('ends when the host does, behind its bytes', async () => {
  const { url, accepted } = await start();
  const worker = startWorker();
  const atPage = new Received(await openWebSocketInWorker(worker, url));
  const host = await accepted;
  host.send(pattern(3_000_000));
  host.close();
  expect(await atPage.closedOnce).toBeUndefined();
  expect(atPage.content.equals(pattern(3_000_000))).toBe(true);
  await worker.ended;
});

const messageOf = async (worker: WorkerLike, url: string): Promise<string> => {
  const error: unknown = await openWebSocketInWorker(worker, url).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConnectionError);
  return (error as ConnectionError).message;
};

it('says why there is no connection', async () => {
  const { url } = await start({ maxConnections: 0 });
  expect(await messageOf(startWorker(), url)).toContain('Unexpected server response: 503');
});

it('says that the worker failed', async () => {
  const failing: WorkerLike = {
    postMessage() {},
    addEventListener: (type, listener) => void (type === 'error' && listener({ type })),
  };
  expect(await messageOf(failing, 'ws://127.0.0.1:1')).toBe(
    'cannot connect to ws://127.0.0.1:1: the worker failed: its module could not be loaded',
  );
});

it('says what to serve a page with that has no shared memory', async () => {
  vi.stubGlobal('SharedArrayBuffer', undefined);
  expect(await messageOf(startWorker(), 'ws://127.0.0.1:1')).toContain('Cross-Origin-Embedder-Policy: require-corp');
});
