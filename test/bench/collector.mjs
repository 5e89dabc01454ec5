// The collector of the engine, as programs have it that `@vesper-gpu/register` starts, and as executors have it: a host frees
// what its guest has let go of once it has been collected on both sides.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
/** @type {(options?: { type: 'major' | 'minor', execution: 'sync' }) => void} */
const gc = runInNewContext('gc');

/** For the options of a guest. */
export function collectGarbage() {
  gc();
}

/** For the options of a host. @type {import('@vesper-gpu/host').HostMemory} */
export const hostMemory = {
  collect: (type) => gc({ type, execution: 'sync' }),
  residentBytes: () => process.memoryUsage.rss(),
};
