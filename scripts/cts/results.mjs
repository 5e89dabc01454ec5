import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/**
 * @typedef {import('./query-process.mjs').Status} Status
 *
 * @typedef {object} Results what a run wrote
 * @property {string} driver name of the adapter
 * @property {string} cts revision of the checkout
 * @property {'direct' | 'remote'} mode
 * @property {number} sample one case in so many was run
 * @property {Record<string, Status>} cases
 * @property {Record<string, string>} reasons why, for cases that did not pass
 * @property {Record<string, Status>} reran what those had been that got a second try
 * @property {QueryRun[]} runs
 *
 * @typedef {object} QueryRun one query's process
 * @property {string} query
 * @property {number} cases
 * @property {number} seconds from start to end, with the start of the processes
 * @property {number} caseSeconds sum of what the cases took
 * @property {Memory} memory of the process that holds the driver
 * @property {Memory} [guestMemory] of the guest, in a remote run
 *
 * @typedef {{ lastMiB: number, peakMiB: number }} Memory resident memory, sampled
 */

/** @param {string} file @returns {Results} @throws {Error} when it holds none */
export function readResults(file) {
  if (!existsSync(file)) throw new Error(`There is no ${file}: npm run cts -- --out ${file} … writes it.`);
  let results;
  try {
    results = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (typeof results?.cases !== 'object' || typeof results.driver !== 'string' || typeof results.cts !== 'string') {
    throw new Error(`${file} holds no results of npm run cts: driver, cts and cases are expected.`);
  }
  return results;
}

/** Whole or not at all: who reads meanwhile sees the state before. @param {string} file @param {Results} results */
export function writeResults(file, results) {
  const draft = `${file}.part`;
  writeFileSync(draft, `${JSON.stringify(results, undefined, 1)}\n`);
  renameSync(draft, file);
}

/** Whether a case did what the CTS asks: a warning is no failure. @param {Status | undefined} status */
export function isPass(status) {
  return status === 'pass' || status === 'warn';
}

/** @param {Record<string, Status>} cases @returns {string} such as "12 pass, 1 fail" */
export function summary(cases) {
  const counts = new Map();
  for (const status of Object.values(cases)) counts.set(status, (counts.get(status) ?? 0) + 1);
  return ['pass', 'warn', 'skip', 'fail', 'crash', 'timeout', 'notrun']
    .filter((status) => counts.has(status))
    .map((status) => `${counts.get(status)} ${status}`)
    .join(', ');
}
