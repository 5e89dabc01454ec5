// npm run bench -- --chromium: a page of Chromium calls its own WebGPU and a guest in turn, both on SwiftShader.
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { listenWebSocket } from '@vesper-gpu/transport/websocket-listen';
import { findChromium, INSTALL_CHROMIUM, openChromium, SOFTWARE_WEBGPU } from '../../browser/chromium.mjs';
import { startGatewayedHost } from '../../browser/gateway.mjs';
import { servePage } from '../../browser/page.mjs';
import { row, table } from '../rows.mjs';

/** @import { Effort } from '../measure.mjs' */
/** @import { Row, Target } from '../rows.mjs' */
/** @import { Figures, Task } from './page.mjs' */

/**
 * Behind each burst Chromium has to do all that it was told, which takes many times as long as the burst.
 *
 * @type {Readonly<Record<'normal' | 'quick', Pick<Effort, 'rounds' | 'warmUpMs'>>>}
 */
const efforts = { normal: { rounds: 150, warmUpMs: 40 }, quick: { rounds: 15, warmUpMs: 10 } };

/** @type {Readonly<Record<string, Target>>} */
const targets = { draw: { of: 'ratio', atMost: 1 }, 'draw, 4 arguments': { of: 'ratio', atMost: 1 } };

const { values: options } = parseArgs({
  options: { json: { type: 'string' }, quick: { type: 'boolean', default: false }, chromium: { type: 'boolean' } },
});

const executable = findChromium();
if (executable === undefined) {
  console.error(`${INSTALL_CHROMIUM}.`);
  process.exit(1);
}
const effort = options.quick ? efforts.quick : efforts.normal;
console.error(`Calls in ${executable} …`);
const figures = await measure(executable, effort);
const rows = rowsOf(figures);
const environment = {
  chromium: { userAgent: figures.userAgent, adapter: figures.adapters.chromium },
  driver: { description: figures.adapters.vesper },
  node: process.versions.node,
  platform: `${process.platform}-${process.arch}`,
  parallelism: availableParallelism(),
  effort: options.quick ? 'quick' : 'normal',
};
console.log(`\n${table(rows)}\n`);
const judged = rows.filter(({ ok }) => ok !== null);
console.log(
  `${judged.filter(({ ok }) => ok).length} of ${judged.length} targets met; ${figures.userAgent}, ` +
    `${figures.adapters.chromium}; Vesper on ${figures.adapters.vesper}.`,
);
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ rows, environment }, null, 2)}\n`);

/**
 * @param {string} executable
 * @param {Task['effort']} effort
 * @returns {Promise<Figures>}
 */
async function measure(executable, effort) {
  const page = await servePage(new URL('page.mjs', import.meta.url));
  const host = await startGatewayedHost(page.origin, ['--driver', 'swiftshader']);
  const sink = await listenWebSocket('tcp:127.0.0.1:0', {
    allowedOrigins: [page.origin],
    connection: (transport) => transport.start({ bytes() {}, closed() {} }),
  });
  /** @type {Task} */
  const task = { url: host.url, sink: sink.address.replace('tcp:', 'ws://'), effort };
  const url = `${page.origin}/#${encodeURIComponent(JSON.stringify(task))}`;
  const browser = await openChromium(executable, url, SOFTWARE_WEBGPU);
  try {
    return /** @type {Figures} */ (await Promise.race([page.report, browser.failed]));
  } finally {
    await browser.close();
    await host.close();
    await sink.close();
    page.close();
  }
}

/**
 * @param {Figures} figures
 * @returns {Row[]}
 */
function rowsOf({ calls }) {
  return Object.entries(calls).flatMap(([name, { vesper, chromium, bare }]) => {
    const metric = `in Chromium: ${name}`;
    const own = row(metric, vesper, 'ns', "Chromium's own", chromium, targets[name]);
    return bare === undefined ? [own] : [own, row(metric, vesper, 'ns', 'bare stores', bare)];
  });
}
