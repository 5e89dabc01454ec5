// What memory a process has.
import { turn } from './measure.mjs';

/**
 * In bytes.
 *
 * @typedef {object} Memory
 * @property {number} resident all that the process occupies, the driver's share included
 * @property {number} heap of the JavaScript engine, with the array buffers
 */

const ROUNDS = 3;
export const MIB = 1 << 20;

/** @returns {Memory} */
export function memoryNow() {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, heap: heapUsed + external };
}

/**
 * Behind a collection, if the process was started with --expose-gc; what finalizers release is collected as well.
 *
 * @returns {Promise<Memory>}
 */
export async function memoryBehindCollection() {
  for (let i = 0; i < ROUNDS; i++) {
    globalThis.gc?.();
    await turn();
  }
  return memoryNow();
}
