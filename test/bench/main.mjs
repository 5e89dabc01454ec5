// npm run bench, behind the set-up: measures everything in one run, prints a table, and writes JSON where asked to.
import { writeFile } from 'node:fs/promises';
import { environmentOf } from './environment.mjs';
import { efforts } from './measure.mjs';
import { parseOptions } from './options.mjs';
import { openBench, parts } from './parts.mjs';
import { table } from './rows.mjs';

const options = parseOptions(process.argv.slice(2));
const effort = options.quick ? efforts.quick : efforts.normal;
const environment = await environmentOf(options);

/** @type {import('./rows.mjs').Row[]} */
const rows = [];
/** @type {import('./rows.mjs').Curve[]} */
const curves = [];
const bench = openBench();
for (const name of Object.keys(parts).filter((name) => options.parts.includes(name))) {
  const { title, measure } = parts[name];
  console.error(`${title} …`);
  try {
    const measured = await measure(bench, effort);
    rows.push(...measured.rows);
    curves.push(...(measured.curves ?? []));
  } catch (error) {
    throw new Error(`${title}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
await bench.close();

const judged = rows.filter(({ ok }) => ok !== null);
const missed = judged.filter(({ ok }) => !ok);
console.log(`\n${table(rows)}\n`);
console.log(
  `${judged.length - missed.length} of ${judged.length} targets met on ${environment.driver.description}, node ${environment.node}.`,
);
if (options.json !== undefined) {
  await writeFile(options.json, `${JSON.stringify({ rows, curves, environment }, null, 2)}\n`);
}
const failed = missed.filter(({ target }) => target?.gates);
for (const { metric, value, unit } of failed) console.error(`${metric}: ${value.toFixed(2)} ${unit}`);
// Dawn and the session that was led astray would keep the process.
process.exit(failed.length === 0 ? 0 : 1);
