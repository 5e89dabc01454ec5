// Several runs as one: the parts of the benchmark may be measured one by one.

/** @import { Curve, Row } from '../rows.mjs' */
/** @import { Environment } from '../environment.mjs' */

/** @typedef {{ userAgent: string, adapter: string }} Chromium */

/**
 * What --json writes. With --chromium, the environment is the browser's, and no figure is compared with Dawn for Node.
 *
 * @typedef {{ file: string, rows: Row[], curves?: Curve[], environment: Environment & { chromium?: Chromium } }} Run
 */

/**
 * @typedef {object} Results
 * @property {Row[]} rows
 * @property {Curve[]} curves
 * @property {{ parts: string[], environment: Environment }[]} runs by the beginnings of their figures' names
 * @property {(Chromium & Pick<Environment, 'date' | 'commit'>) | undefined} chromium
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
    .map(({ file, rows, environment }) => ({
      file,
      parts: [...new Set(rows.map(({ metric }) => metric.split(':')[0]))],
      environment,
    }));
  const [first] = measured;
  if (first === undefined) throw new Error('there is no run but in a browser');
  for (const { file, environment } of measured) {
    for (const key of FIXED) {
      const [one, other] = [first.environment[key], environment[key]];
      if (one === other) continue;
      throw new Error(`the runs do not belong together: ${key} is ${one} in ${first.file}, ${other} in ${file}`);
    }
  }
  const rows = runs.flatMap((run) => run.rows);
  const curves = runs.flatMap((run) => run.curves ?? []);
  assertUnique(runs, (run) => run.rows.map(({ metric, anchor }) => `${metric} / ${anchor.name}`));
  assertUnique(runs, (run) => (run.curves ?? []).map(({ name }) => name));
  const browser = runs.map(({ environment }) => environment).find(({ chromium }) => chromium !== undefined);
  const chromium = browser?.chromium && { ...browser.chromium, date: browser.date, commit: browser.commit };
  return { rows, curves, runs: measured, chromium };
}

/** @param {readonly Run[]} runs @param {(run: Run) => string[]} namesOf */
function assertUnique(runs, namesOf) {
  /** @type {Map<string, string>} */
  const files = new Map();
  for (const run of runs) {
    for (const name of namesOf(run)) {
      const before = files.get(name);
      if (before !== undefined)
        throw new Error(`"${name}" was measured twice, in ${before} and ${run.file}: leave one out`);
      files.set(name, run.file);
    }
  }
}
