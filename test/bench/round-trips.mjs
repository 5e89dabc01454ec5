// Waiting for the host: what Vesper adds to the direct call, beside an empty message there and back on the same kind of socket.
import { percentile, timed, turn } from './measure.mjs';
import { row } from './rows.mjs';
import { targets } from './targets.mjs';

/** @import { Remote } from './remote.mjs' */
/** @import { Sides } from './sides.mjs' */
/** @import { Effort } from './measure.mjs' */
/** @import { Row } from './rows.mjs' */

/** So many times as many round trips are made before any is timed. */
const WARM_UP = 8;

/**
 * @param {Sides} sides
 * @param {Remote} remote
 * @param {Effort} effort
 * @returns {Promise<Row[]>}
 */
export async function measureRoundTrips({ direct }, remote, effort) {
  /** @type {Row[]} */
  const rows = [];
  for (const name of Object.keys(direct.code.roundTrips)) {
    /** @type {Record<'direct' | 'remote' | 'raw', number[]>} */
    const samples = { direct: [], remote: [], raw: [] };
    // Until all of it is compiled, on the host too, which is what a program that runs for some seconds sees.
    for (let i = 0; i < effort.roundTrips * WARM_UP; i++) {
      await direct.code.roundTrips[name](direct.scene);
      unmap(direct.scene);
      await remote.code.roundTrips[name](remote.scene);
      unmap(remote.scene);
    }
    for (let i = 0; i < effort.roundTrips; i++) {
      samples.direct.push(await timed(() => direct.code.roundTrips[name](direct.scene)));
      unmap(direct.scene);
      samples.raw.push(await timed(() => remote.raw.echo()));
      samples.remote.push(await timed(() => remote.code.roundTrips[name](remote.scene)));
      unmap(remote.scene);
      // The host is to be idle again.
      await turn();
      await remote.raw.echo();
    }
    const p50 = (/** @type {keyof typeof samples} */ side) => percentile(samples[side], 0.5) * 1000;
    const added = p50('remote') - p50('direct');
    rows.push(
      row(`round trip: ${name}`, p50('remote'), 'µs', 'direct', p50('direct')),
      row(`round trip: ${name}, added`, added, 'µs', 'raw echo', p50('raw'), targets.latency),
    );
  }
  return rows;
}

/** @param {Sides['direct']['scene']} scene */
function unmap({ mappable }) {
  if (mappable.mapState === 'mapped') mappable.unmap();
}
