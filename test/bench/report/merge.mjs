// Several runs as one: the parts of the benchmark may be measured one by one.

/** @import { Curve, Row } from '../rows.mjs' */
/** @import { Environment } from '../environment.mjs' */

/** @typedef {{ userAgent: string, adapter: string }} Chromium */

/**
 * What --json writes. With --chromium, the environment is the browser's, and no figure is compared with Dawn for Node.
 *
 * @typedef {{ rows: Row[], curves?: Curve[], environment: Environment & { chromium?: Chromium } }} Run
 */

/**
 * @typedef {object} Results
 * @property {Row[]} rows
 * @property {Curve[]} curves
 * @property {{ parts: string[], environment: Environment }[]} runs by the beginnings of their figures' names
 * @property {Chromium | undefined} chromium
 */

/** What has to be the same for figures to stand on one page; a ratio is within one run, whatever its driver. */
const FIXED = /** @type {const} */ (['dawn', 'node', 'platform', 'processor', 'parallelism', 'effort']);

/**
 * @param {readonly Run[]} runs
 * @returns {Results}
 * @throws {Error} when they were made on different things, or measured the same
 */
export function merge(runs) {
  const measured = runs
    .filter(({ environment }) => environment.chromium === undefined)
    .map(({ rows, environment }) => ({
      parts: [...new Set(rows.map(({ metric }) => metric.split(':')[0]))],
      environment,
    }));
  const [first] = measured;
  if (first === undefined) throw new Error('there is no run but in a browser');
  for (const { environment } of measured) {
    for (const key of FIXED) assertAlike(key, first.environment[key], environment[key]);
  }
  const rows = runs.flatMap((run) => run.rows);
  const curves = runs.flatMap((run) => run.curves ?? []);
  assertUnique(rows.map(({ metric, anchor }) => `${metric} / ${anchor.name}`));
  assertUnique(curves.map(({ name }) => name));
  const chromium = runs.map(({ environment }) => environment.chromium).find((one) => one !== undefined);
  return { rows, curves, runs: measured, chromium };
}

/** @param {string} what @param {string | number} one @param {string | number} other */
function assertAlike(what, one, other) {
  if (one !== other) throw new Error(`the runs do not belong together: ${what} is ${one} in one, ${other} in another`);
}

/** @param {readonly string[]} names */
function assertUnique(names) {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`"${twice}" was measured twice: leave out one of the runs`);
}
