// Whole workloads: what programs do with a GPU, directly and through Vesper, in turns, with the same results.
import { dawnGlobals } from '@vesper-gpu/dawn';
import { globals } from '@vesper-gpu/guest';
import { timed } from './measure.mjs';
import { row } from './rows.mjs';
import { mixes } from './workloads/real-programs.mjs';

/** @import { Remote } from './remote.mjs' */
/** @import { Sides } from './sides.mjs' */
/** @import { Effort } from './measure.mjs' */
/** @import { Row } from './rows.mjs' */
/** @import { Gpu, Size, Workload } from './workloads/kit.mjs' */

/**
 * Title, module, and what that module wants to know beside the size.
 *
 * @type {readonly [title: string, module: string, variant?: string][]}
 */
const WORKLOADS = [
  ['frame of 10k draws', 'frame'],
  ['particle simulation', 'particles'],
  ['matrix product, 1024²', 'matmul'],
  ['small transformer, one token', 'transformer'],
  .../** @type {[string, string, string][]} */ (Object.keys(mixes).map((name) => [`calls of: ${name}`, 'mix', name])),
];
const LEAST_RUNS = 8;

/**
 * @param {Sides} sides
 * @param {Remote} remote
 * @param {Effort} effort
 * @returns {Promise<Row[]>}
 */
export async function measureWorkloads({ direct }, remote, effort) {
  /** @type {Record<'direct' | 'remote', Gpu>} */
  const gpus = {
    direct: gpuOf(direct.scene.device, dawnGlobals),
    remote: gpuOf(remote.scene.device, globals),
  };
  /** @type {Row[]} */
  const rows = [];
  for (const [title, module, variant] of WORKLOADS) {
    const workloads = {
      direct: await openWorkload(module, 'direct', gpus.direct, effort.workload, variant),
      remote: await openWorkload(module, 'remote', gpus.remote, effort.workload, variant),
    };
    const ms = await race(workloads, effort);
    try {
      for (const { scene } of [direct, remote]) await scene.assertNoError();
      assertEqual(await workloads.direct.result(), await workloads.remote.result());
    } catch (error) {
      throw new Error(`${title}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    for (const { resources } of Object.values(workloads)) for (const resource of resources) resource.destroy();
    rows.push(row(`workload: ${title}`, 1000 / ms.remote, '1/s', 'direct', 1000 / ms.direct));
  }
  return rows;
}

/** @param {GPUDevice} device @param {object} classes @returns {Gpu} */
function gpuOf(device, classes) {
  return { device, queue: device.queue, classes: /** @type {typeof globalThis} */ (classes) };
}

/**
 * Each side has a copy of the code of its own: see scene.mjs.
 *
 * @param {string} module
 * @param {string} side
 * @param {Gpu} gpu
 * @param {Size} size
 * @param {string} [variant]
 * @returns {Promise<Workload>}
 */
async function openWorkload(module, side, gpu, size, variant) {
  const { open } = await import(`./workloads/${module}.mjs?${side}`);
  return open(gpu, size, variant);
}

/**
 * Runs both as often, in turns.
 *
 * @param {Record<'direct' | 'remote', Workload>} workloads
 * @param {Effort} effort
 * @returns {Promise<Record<'direct' | 'remote', number>>} the shortest run of each, in ms
 */
async function race({ direct, remote }, { workloadMs }) {
  const shortest = { direct: Infinity, remote: Infinity };
  let spentMs = 0;
  for (let i = 0; i <= LEAST_RUNS || spentMs < 2 * workloadMs; i++) {
    const ms = { direct: await timed(direct.run), remote: await timed(remote.run) };
    // The first ones warm up.
    if (i === 0) continue;
    spentMs += ms.direct + ms.remote;
    shortest.direct = Math.min(shortest.direct, ms.direct);
    shortest.remote = Math.min(shortest.remote, ms.remote);
  }
  return shortest;
}

/** @param {Uint8Array} direct @param {Uint8Array} remote */
function assertEqual(direct, remote) {
  if (new Set(direct).size < 2) throw new Error('nothing was computed: all bytes of the result are the same');
  const at = direct.findIndex((byte, i) => byte !== remote[i]);
  if (at >= 0 || direct.byteLength !== remote.byteLength) {
    throw new Error(`the result through Vesper differs from the direct one at byte ${at} of ${direct.byteLength}`);
  }
}
