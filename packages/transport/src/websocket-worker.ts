// The module of a worker that `openWebSocketInWorker` is given.
import { serveWorker, type WorkerTask } from './websocket-in-worker.ts';

/** What is used of the global scope of a worker. https://html.spec.whatwg.org/#dedicatedworkerglobalscope */
interface WorkerScope {
  addEventListener(type: 'message', listener: (event: { data: WorkerTask }) => void, options: { once: true }): void;
  postMessage(message: unknown): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;

async function serve(task: WorkerTask): Promise<void> {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- this one has no origin to name
  await serveWorker(task, (answer) => scope.postMessage(answer));
  scope.close();
}

scope.addEventListener('message', ({ data }) => void serve(data), { once: true });
