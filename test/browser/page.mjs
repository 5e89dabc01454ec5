// One page: its script bundled, served, and what it reports.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * @typedef {object} Page
 * @property {string} origin where it is served: any path but those of its script and its report
 * @property {Promise<unknown>} report what the page says in the end; rejects when it says that it failed
 * @property {() => void} close
 */

/** Only pages that are isolated from others get a clock of 5 µs; others get one of 100 µs. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const HTML = '<!doctype html><meta charset="utf-8"><title>Vesper</title><script type="module" src="/page.js"></script>';

/**
 * Bundles a module for browsers, which fails for what imports anything of node, and serves a page that runs it. The module
 * says what came of it with `report` of pages/report.mjs.
 *
 * @param {URL} entry
 * @returns {Promise<Page>}
 */
export async function servePage(entry) {
  const script = await bundle(fileURLToPath(entry));
  /** @type {(value: unknown) => void} */
  let resolve = () => {};
  /** @type {(error: Error) => void} */
  let reject = () => {};
  const report = new Promise((...settle) => ([resolve, reject] = settle));
  // It may fail before anyone asks.
  report.catch(() => {});
  const server = createServer(async (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (request.method === 'POST' && path === '/report') {
      const { value, error } = JSON.parse(await text(request));
      if (error === undefined) resolve(value);
      else reject(new Error(`the page failed: ${error}`));
      response.writeHead(204).end();
      return;
    }
    const isScript = path === '/page.js';
    response
      .writeHead(200, { ...ISOLATED, 'Content-Type': isScript ? 'text/javascript' : 'text/html' })
      .end(isScript ? script : HTML);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    origin: `http://127.0.0.1:${port}`,
    report,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** @param {string} file */
async function bundle(file) {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    // The sources, so that no page sees an old build.
    conditions: ['vesper-source'],
    logLevel: 'silent',
  });
  return outputFiles[0].contents;
}

/** @param {import('node:http').IncomingMessage} request */
async function text(request) {
  let all = '';
  for await (const chunk of request.setEncoding('utf8')) all += chunk;
  return all;
}
