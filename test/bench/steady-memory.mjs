// Whether a million commands leave memory where it was, on both sides.
import { medianSlope } from './growth/linear.mjs';
import { startMeasured } from './growth/measured-process.mjs';
import { MIB } from './memory.mjs';
import { row } from './rows.mjs';
import { targets } from './targets.mjs';

/** @import { Effort } from './measure.mjs' */
/** @import { Memory } from './memory.mjs' */
/** @import { Measured } from './rows.mjs' */

/**
 * Steps behind which code is compiled, and pools and caches, the allocator's among them, are as large as they get: V8 doubles
 * its young generation once, 17 MiB, within the first ten, after which 20 more left nothing behind.
 */
const WARM_UP = 12;
const LOOKS = 7;

/**
 * @param {Effort} effort
 * @returns {Promise<Measured>}
 */
export async function measureSteadyMemory({ steadyCommands }) {
  const measured = await startMeasured('remote');
  /** @type {Record<'guest' | 'host', Memory[]>} after each step */
  const memories = { guest: [], host: [] };
  for (let step = 0; step < WARM_UP + LOOKS; step++) {
    const { here, host } = await measured.perform('busy', steadyCommands);
    if (host === undefined) throw new Error('the host has not said what memory it has');
    memories.guest.push(here);
    memories.host.push(host);
  }
  await measured.close();
  const sides = /** @type {const} */ (['guest', 'host']);
  const rows = sides.flatMap((side) =>
    /** @type {const} */ (['heap', 'resident']).map((kind) => {
      const mebibytes = memories[side].slice(WARM_UP).map((memory) => memory[kind] / MIB);
      // A collector takes and gives back its spaces in one go, when it likes: a leak shows between most looks.
      const gained = medianSlope(mebibytes.map((one, i) => [i, one]));
      // Fewer than a million leave more of an allocator's whims than of themselves.
      const target = steadyCommands < 1e6 ? null : targets.steadyMemory;
      return row(
        `memory: ${side}, ${kind}, gained by ${steadyCommands} commands`,
        gained,
        'MiB',
        'before',
        mebibytes[0],
        target,
      );
    }),
  );
  const curve = {
    name: 'steady-memory',
    title: 'Memory behind more and more commands',
    x: 'commands',
    y: 'MiB',
    series: sides.map((side) => ({
      name: side,
      points: memories[side].map(
        ({ resident }, i) => /** @type {[number, number]} */ ([(i + 1) * steadyCommands, resident / MIB]),
      ),
    })),
  };
  return { rows, curves: [curve] };
}
