// In a page: gives an unmodified WebGPU program a GPU that is elsewhere, and reports what it prints.
import { connect } from '@vesper-gpu/guest';
import { openWebSocket } from '@vesper-gpu/transport/websocket';
import { openWebSocketInWorker } from '@vesper-gpu/transport/websocket-in-worker';
import { report } from './report.mjs';

await report(async () => {
  const url = location.hash.slice(1);
  const transport = location.pathname.endsWith('/worker')
    ? await openWebSocketInWorker(new Worker('/worker.js', { type: 'module' }), url)
    : await openWebSocket(url);
  const { gpu, globals, close } = await connect(transport);
  Object.assign(globalThis, globals);
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  /** @type {unknown[]} */
  const printed = [];
  console.log = (line) => void printed.push(line);
  console.error = console.log;
  await import('../../e2e/programs/compute-and-render.mjs');
  await close();
  return printed;
});
