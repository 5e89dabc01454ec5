// npm run bench -- --chromium: a page of Chromium calls its own WebGPU and a guest in turn, both on SwiftShader.
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { findChromium, INSTALL_CHROMIUM, openChromium, SOFTWARE_WEBGPU } from '../../browser/chromium.mjs';
import { startGatewayedHost } from '../../browser/gateway.mjs';
import { servePage } from '../../browser/page.mjs';
import { momentOf } from '../moment.mjs';
import { row, table } from '../rows.mjs';
import { targets } from '../targets.mjs';
import { openLine } from './line.mjs';

/** @import { Effort } from '../measure.mjs' */
/** @import { Row } from '../rows.mjs' */
/** @import { Figures, Task } from './page.mjs' */

/**
 * Behind each burst Chromium has to do all that it was told, which takes many times as long as the burst.
 *
 * @type {Readonly<Record<'normal' | 'quick', Pick<Effort, 'rounds' | 'warmUpMs'>>>}
 */
const efforts = { normal: { rounds: 150, warmUpMs: 40 }, quick: { rounds: 15, warmUpMs: 20 } };

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    note: { type: 'string' },
    quick: { type: 'boolean', default: false },
    chromium: { type: 'boolean' },
  },
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
  ...momentOf(),
  effort: options.quick ? 'quick' : 'normal',
  ...(options.note === undefined ? {} : { note: options.note }),
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
  /** @type {Record<string, () => unknown>} */
  const questions = {};
  const page = await servePage(new URL('page.mjs', import.meta.url), { questions });
  const host = await startGatewayedHost(page.origin, ['--driver', 'swiftshader']);
  const lines = {
    socket: await openLine(host.address, page.origin),
    worker: await openLine(host.address, page.origin),
  };
  for (const [name, { cut, receivedBytes }] of Object.entries(lines)) {
    Object.assign(questions, { [`/${name}/cut`]: cut, [`/${name}/received`]: receivedBytes });
  }
  /** @type {Task} */
  const task = { urls: { socket: lines.socket.url, worker: lines.worker.url }, effort };
  const url = `${page.origin}/#${encodeURIComponent(JSON.stringify(task))}`;
  const browser = await openChromium(executable, url, SOFTWARE_WEBGPU);
  try {
    return /** @type {Figures} */ (await Promise.race([page.report, browser.failed]));
  } finally {
    await browser.close();
    await Promise.all([host.close(), ...Object.values(lines).map((line) => line.close())]);
    page.close();
  }
}

/**
 * @param {Figures} figures
 * @returns {Row[]}
 */
function rowsOf({ calls }) {
  return Object.entries(calls).flatMap(([name, { socket, worker, chromium, bare }]) => {
    const target = targets.chromium;
    const [inPage, inWorker] = [`in Chromium: ${name}`, `in Chromium, socket in a worker: ${name}`];
    return [
      row(inPage, socket, 'ns', "Chromium's own", chromium, target),
      row(inWorker, worker, 'ns', "Chromium's own", chromium, target),
      ...(bare === undefined ? [] : [row(inWorker, worker, 'ns', 'bare stores', bare)]),
    ];
  });
}
