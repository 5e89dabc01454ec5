// Several runs as one: the parts of the benchmark may be measured one by one.

/** @import { Curve, Row } from '../rows.mjs' */
/** @import { Environment } from '../environment.mjs' */

/** @typedef {{ rows: Row[], curves: Curve[], environment: Environment }} Run what --json writes */
/** @typedef {{ rows: Row[], curves: Curve[], environments: Environment[] }} Results */

/** What has to be the same for figures to stand on one page. */
const FIXED = /** @type {const} */ (['dawn', 'node', 'platform', 'processor', 'parallelism', 'effort']);

/**
 * @param {readonly Run[]} runs
 * @returns {Results}
 * @throws {Error} when they were made on different things, or measured the same
 */
export function merge(runs) {
  const [first] = runs;
  for (const { environment } of runs) {
    const of = ({ driver, ...rest }) => ({ ...rest, driver: driver.description });
    for (const key of [...FIXED, 'driver']) {
      const [one, other] = [of(first.environment)[key], of(environment)[key]];
      if (one !== other)
        throw new Error(`the runs do not belong together: ${key} is ${one} in one, ${other} in another`);
    }
  }
  const rows = runs.flatMap((run) => run.rows);
  const curves = runs.flatMap((run) => run.curves);
  assertUnique(rows.map(({ metric, anchor }) => `${metric} / ${anchor.name}`));
  assertUnique(curves.map(({ name }) => name));
  return { rows, curves, environments: runs.map(({ environment }) => environment) };
}

/** @param {readonly string[]} names */
function assertUnique(names) {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`"${twice}" was measured twice: leave out one of the runs`);
}
