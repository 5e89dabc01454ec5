// Runs cases of the CTS and writes down what became of each: the child process of query-process.mjs.
// The CTS's own command line ends without a trace when the driver does; this writes a line before and behind each case,
// with a blocking call, so that the parent knows which one it was.
import { readFileSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { markAsUntransferable } from 'node:worker_threads';

/** The descriptor that the parent reads. */
const REPORT = 3;
/** Longest reason that is kept, in UTF-16 units. */
const MAX_REASON_LENGTH = 400;

/** @type {{ cts: string, queries: string[], sample: number, done: string, address?: string }} */
const job = JSON.parse(readFileSync(process.argv[2], 'utf8'));

// Whoever started this is gone: nobody will read what it finds.
process.on('disconnect', () => process.exit(1));
process.channel?.unref();

process.chdir(job.cts);
const load = createRequire(join(job.cts, 'out-node', 'common', 'internal', 'file_loader.js'));
const { DefaultTestFileLoader } = load('./file_loader.js');
const { Logger } = load('./logging/logger.js');
const { prettyPrintLog } = load('./logging/log_message.js');
const { parseQuery } = load('./query/parseQuery.js');
const { setBaseResourcePath, getResourcePath } = load('../framework/resources.js');
const { dataCache } = load('../framework/data_cache.js');
const { setGPUProvider } = load('../util/navigator_gpu.js');

/** @param {readonly unknown[]} line */
function report(...line) {
  writeSync(REPORT, `${JSON.stringify(line)}\n`);
}

setBaseResourcePath('out-node/resources');
// A cache file that the checkout lacks is computed by the CTS.
dataCache.setStore({ load: async (path) => new Uint8Array(await readFile(getResourcePath(`cache/${path}`))) });

let running = '';
const gpu = job.address === undefined ? await openDirect() : await openRemote(job.address);
setGPUProvider(() => gpu);

/** Dawn for Node in this process. */
async function openDirect() {
  const { dawnGlobals, openGPU } = await import('@vesper-gpu/dawn/gpu');
  Object.assign(globalThis, dawnGlobals);
  return openGPU();
}

/** @param {string} address */
async function openRemote(address) {
  const { connect } = await import('@vesper-gpu/guest');
  const { openTransport } = await import('@vesper-gpu/transport');
  const connection = await connect(await openTransport(address), {
    markAsUntransferable,
    collectGarbage: globalThis.gc,
  });
  Object.assign(globalThis, connection.globals);
  void connection.ended.then(() => {
    // Everything behind this would fail for the same reason: the case that was running gets the blame.
    if (running !== '') report('end', running, 'crash', 0, 'the host ended the connection');
    process.exit(1);
  });
  return connection.gpu;
}

const loader = new DefaultTestFileLoader();
const cases = [];
for (const query of job.queries) cases.push(...(await loader.loadCases(parseQuery(query))));
const named = cases
  .map((testcase) => ({ testcase, name: testcase.query.toString() }))
  .filter(({ name }) => job.sample === 1 || hash(name) % job.sample === 0);
const done = new Set(readFileSync(job.done, 'utf8').split('\n'));
report(
  'list',
  named.map(({ name }) => name),
);

for (const { testcase, name } of named) {
  if (done.has(name)) continue;
  running = name;
  report('begin', name);
  const [recorder, result] = new Logger().record(name);
  await testcase.run(recorder, []);
  report(
    'end',
    name,
    result.status,
    Math.round(result.timems),
    result.status === 'fail' || result.status === 'warn' ? reasonOf(result) : '',
  );
  running = '';
}
report('finished');
process.exit(0);

/** What the CTS says of a case, on one line. */
function reasonOf({ logs }) {
  return (logs ?? [])
    .map((log) => prettyPrintLog(log))
    .join(' ')
    .replaceAll(`${job.cts}/`, '')
    .replace(/\s+/g, ' ')
    .slice(0, MAX_REASON_LENGTH);
}

/** FNV-1a in 32 bits: spreads names evenly, and is the same everywhere. @param {string} text */
function hash(text) {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}
