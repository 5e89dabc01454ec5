// One page: its script bundled, served, and what it reports.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * @typedef {object} Page
 * @property {string} origin where it is served: any path but those of its scripts, its report and its questions
 * @property {Promise<unknown>} report what the page says in the end; rejects when it says that it failed
 * @property {() => void} close
 */

/** Only pages that are isolated from others get a clock of 5 µs; others get one of 100 µs. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** What a page finds at `/worker.js`. */
const WORKER = new URL('pages/worker.mjs', import.meta.url);

const HTML = '<!doctype html><meta charset="utf-8"><title>Vesper</title><script type="module" src="/page.js"></script>';

/**
 * Bundles a module for browsers, which fails for what imports anything of node, and serves a page that runs it. The module
 * says what came of it with `report` of pages/report.mjs.
 *
 * @param {URL} entry
 * @param {object} [further]
 * @param {Readonly<Record<string, () => unknown>>} [further.questions] paths, and what is answered there in JSON
 * @returns {Promise<Page>}
 */
export async function servePage(entry, { questions = {} } = {}) {
  /** @type {Record<string, string>} */
  const scripts = { '/page.js': await bundle(entry), '/worker.js': await bundle(WORKER) };
  /** @type {(value: unknown) => void} */
  let resolve = () => {};
  /** @type {(error: Error) => void} */
  let reject = () => {};
  const report = new Promise((...settle) => ([resolve, reject] = settle));
  // It may fail before anyone asks.
  report.catch(() => {});
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    if (request.method === 'POST' && path === '/report') {
      const { value, error } = JSON.parse(await text(request));
      if (error === undefined) resolve(value);
      else reject(new Error(`the page failed: ${error}`));
      response.writeHead(204).end();
      return;
    }
    const [type, content] =
      path in questions
        ? ['application/json', JSON.stringify(questions[path]())]
        : path in scripts
          ? ['text/javascript', scripts[path]]
          : ['text/html', HTML];
    response.writeHead(200, { ...ISOLATED, 'Content-Type': type }).end(content);
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

/** @param {URL} entry */
async function bundle(entry) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    // The sources, so that no page sees an old build.
    conditions: ['vesper-source'],
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}

/** @param {import('node:http').IncomingMessage} request */
async function text(request) {
  let all = '';
  for await (const chunk of request.setEncoding('utf8')) all += chunk;
  return all;
}
