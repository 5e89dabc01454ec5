// Whether a million commands leave memory where it was, on both sides.
import { startMeasured } from './growth/measured-process.mjs';
import { MIB } from './memory.mjs';
import { row } from './rows.mjs';
import { targets } from './targets.mjs';

/** @import { Effort } from './measure.mjs' */
/** @import { Row } from './rows.mjs' */

/**
 * @param {Effort} effort
 * @returns {Promise<Row[]>}
 */
export async function measureSteadyMemory({ steadyMillions }) {
  const measured = await startMeasured('remote');
  const count = steadyMillions * 1e6;
  // As many before: code is compiled, pools and caches are as large as they get.
  const before = await measured.perform('busy', count);
  const behind = await measured.perform('busy', count);
  await measured.close();
  // Fewer than a million leave more of an allocator's whims than of themselves.
  const isWhole = steadyMillions >= 1;
  return /** @type {const} */ (['guest', 'host']).flatMap((side) =>
    /** @type {const} */ (['heap', 'resident']).map((kind) => {
      const figures = [before, behind].map(({ here, host }) => (side === 'guest' ? here : host)?.[kind] ?? NaN);
      const gained = (figures[1] - figures[0]) / MIB / Math.max(1, steadyMillions);
      const metric = `memory: ${side}, ${kind}, gained by a million commands`;
      return row(metric, gained, 'MiB', 'before', figures[0] / MIB, isWhole ? targets.steadyMemory : null);
    }),
  );
}
