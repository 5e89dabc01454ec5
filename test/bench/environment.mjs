// On what the figures were measured.
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { openGPU } from '@vesper-gpu/dawn';
import { MIB } from './memory.mjs';
import { momentOf } from './moment.mjs';

/**
 * @typedef {object} Environment
 * @property {{ vendor: string, architecture: string, device: string, description: string }} driver
 * @property {string} dawn version of the npm package webgpu, which is Dawn for Node
 * @property {string} node
 * @property {string} v8
 * @property {string} platform
 * @property {string} processor
 * @property {number} parallelism how many threads can run at a time
 * @property {number} memoryGiB
 * @property {number} load how many threads others kept running in the minute before
 * @property {string} date of the start, in UTC
 * @property {string} [commit] of the checkout, with "+" where it has changes; absent where there is none
 * @property {'quick' | 'normal'} effort
 * @property {string} [note] what a person has to say of the machine
 */

/**
 * @param {{ quick: boolean, note?: string | undefined }} options
 * @returns {Promise<Environment>}
 */
export async function environmentOf({ quick, note }) {
  const load = loadavg()[0];
  const adapter = await openGPU().requestAdapter();
  if (adapter === null) throw new Error('there is no adapter');
  kept.push(adapter);
  const { vendor, architecture, device, description } = adapter.info;
  const dawn = JSON.parse(readFileSync(new URL('../../packages/dawn/package.json', import.meta.url), 'utf8'));
  return {
    driver: { vendor, architecture, device, description: description || device || vendor },
    dawn: dawn.dependencies.webgpu,
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${process.platform} ${release()}, ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    parallelism: availableParallelism(),
    memoryGiB: Math.round(totalmem() / MIB / 102.4) / 10,
    load: Math.round(load * 100) / 100,
    ...momentOf(),
    effort: quick ? 'quick' : 'normal',
    ...(note === undefined ? {} : { note }),
  };
}

/** Dawn for Node crashes when an adapter is collected. @type {GPUAdapter[]} */
const kept = [];
