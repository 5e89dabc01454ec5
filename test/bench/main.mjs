// npm run bench, behind the set-up: measures everything in one run, prints a table, and writes JSON where asked to.
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { measureBulk } from './bulk.mjs';
import { measureBytes } from './bytes.mjs';
import { measureEndToEnd } from './end-to-end.mjs';
import { measureGuest } from './guest.mjs';
import { measureHost } from './host.mjs';
import { efforts } from './measure.mjs';
import { openRemote } from './remote.mjs';
import { measureRings } from './ring/ring.mjs';
import { measureRoundTrips } from './round-trips.mjs';
import { table } from './rows.mjs';
import { openSides } from './sides.mjs';

const { values: options } = parseArgs({
  options: { json: { type: 'string' }, quick: { type: 'boolean', default: false } },
});
const effort = options.quick ? efforts.quick : efforts.normal;

/**
 * Runs one part; its failure names it.
 *
 * @param {string} title
 * @param {() => Promise<import('./rows.mjs').Row[]>} measure
 */
async function part(title, measure) {
  console.error(`${title} …`);
  try {
    return await measure();
  } catch (error) {
    throw new Error(`${title}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

const sides = await openSides();
// A guest that leaves it to the host to see what changes nothing.
const repeating = await openSides({ sendsRepeated: true });
const remote = await openRemote();
/** @type {import('./rows.mjs').Row[]} */
const rows = [
  // In this order: what comes first finds a heap without much in it.
  ...(await part('Host, recorded streams', () => measureHost(repeating, effort))),
  ...(await part('End to end', () => measureEndToEnd(sides, remote, effort))),
  ...(await part('Round trips', () => measureRoundTrips(sides, remote, effort))),
  ...(await part('Bulk data', () => measureBulk(sides, remote, effort))),
  ...(await part('Rings in shared memory', () => measureRings(sides, remote, effort))),
  // Last, as the host knows nothing of what the guest does now.
  ...(await part('Guest, calls', () => measureGuest(sides, effort))),
  ...(await part('Bytes of calls', () => measureBytes(repeating))),
];
await sides.direct.scene.assertNoError();
await remote.close();

const { info } = sides.direct.scene.adapter;
const environment = {
  driver: { vendor: info.vendor, architecture: info.architecture, device: info.device, description: info.description },
  node: process.versions.node,
  v8: process.versions.v8,
  platform: `${process.platform}-${process.arch}`,
  parallelism: availableParallelism(),
  effort: options.quick ? 'quick' : 'normal',
};
const missed = rows.filter(({ ok }) => ok === false).length;
const judged = rows.filter(({ ok }) => ok !== null).length;
console.log(`\n${table(rows)}\n`);
console.log(
  `${judged - missed} of ${judged} targets met on ${info.description || info.vendor}, node ${environment.node}.`,
);
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ rows, environment }, null, 2)}\n`);
// Dawn and the session that was led astray would keep the process.
process.exit();
