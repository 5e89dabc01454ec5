// What the GPU itself is busy with: there Vesper should hardly show.
import { timed } from './measure.mjs';
import { row } from './rows.mjs';
import { targets } from './targets.mjs';

/** @import { Remote } from './remote.mjs' */
/** @import { Sides } from './sides.mjs' */
/** @import { Effort } from './measure.mjs' */
/** @import { Row } from './rows.mjs' */

/** Length that a piece of computing has at least, in ms. */
const COMPUTE_MS = 100;
/** What the target for bundles speaks of. */
const REPLAYED_DRAWS = 100_000;

/**
 * @param {Sides} sides
 * @param {Remote} remote
 * @param {Effort} effort
 * @returns {Promise<Row[]>}
 */
export async function measureSustained({ direct }, remote, effort) {
  const rows = [await computing(direct, remote, effort), await replaying(direct, remote, effort)];
  for (const { scene } of [direct, remote]) await scene.assertNoError();
  return rows;
}

/**
 * @param {Sides['direct']} direct
 * @param {Remote} remote
 * @param {Effort} effort
 */
async function computing(direct, remote, effort) {
  const work = { direct: direct.code.makeWork(direct.scene), remote: remote.code.makeWork(remote.scene) };
  // The first ones compile.
  await Promise.all([work.direct(1), work.remote(1)]);
  let pieces = 1;
  while ((await timed(() => work.direct(pieces))) < COMPUTE_MS * 1.2) pieces *= 2;
  const rates = await alternate(effort.sustained, {
    direct: () => work.direct(pieces),
    remote: () => work.remote(pieces),
  });
  return row('sustained: compute, 100 ms and more', rates.remote, '1/s', 'direct', rates.direct, targets.compute);
}

/**
 * @param {Sides['direct']} direct
 * @param {Remote} remote
 * @param {Effort} effort
 */
async function replaying(direct, remote, effort) {
  const draws = effort.replayedDraws;
  const bundles = {
    direct: direct.code.makeBundle(direct.scene, draws),
    remote: remote.code.makeBundle(remote.scene, draws),
  };
  await direct.code.replayFrame(direct.scene, bundles.direct);
  await remote.code.replayFrame(remote.scene, bundles.remote);
  const rates = await alternate(effort.sustained, {
    direct: () => direct.code.replayFrame(direct.scene, bundles.direct),
    remote: () => remote.code.replayFrame(remote.scene, bundles.remote),
  });
  const metric = `sustained: replay of a render bundle, ${draws / 1000}k draws`;
  // A bundle that is soon replayed says what waiting costs.
  const target = draws >= REPLAYED_DRAWS ? targets.replay : null;
  return row(metric, rates.remote, '1/s', 'direct', rates.direct, target);
}

/**
 * @template {string} Name
 * @param {number} rounds
 * @param {Record<Name, () => Promise<unknown>>} acts
 * @returns {Promise<Record<Name, number>>} how often each goes into a second, by the shortest
 */
async function alternate(rounds, acts) {
  const names = /** @type {Name[]} */ (Object.keys(acts));
  const shortest = /** @type {Record<Name, number>} */ (Object.fromEntries(names.map((name) => [name, Infinity])));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) shortest[name] = Math.min(shortest[name], await timed(acts[name]));
  }
  return /** @type {Record<Name, number>} */ (Object.fromEntries(names.map((name) => [name, 1000 / shortest[name]])));
}
