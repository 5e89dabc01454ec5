// Runs the gpuweb CTS, directly on Dawn for Node or through Vesper in two processes. scripts/cts.mjs sets up and starts it.
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { startPrivateBroker } from '@vesper-gpu/cli';

import { openCheckout } from './checkout.mjs';
import { driverEnvironment } from './driver-environment.mjs';
import { MemoryWatch } from './memory.mjs';
import { parseOptions } from './options.mjs';
import { QueryError, runQueries } from './query-process.mjs';
import { isPass, readResults, summary, writeResults } from './results.mjs';

const SAVE_EVERY_MS = 60_000;
/** What the harness says when it, not the case, ran out of time: worth a second try on a busy machine. */
const HARNESS_GAVE_UP = /endTestScope timed out/;

const options = parseOptions(process.argv.slice(2));
/** @type {import('./results.mjs').Results} */
const results = { driver: '', cts: '', mode: 'remote', sample: 1, cases: {}, reasons: {}, reran: {}, runs: [] };
/** Queries that the CTS cannot expand. */
const badQueries = [];
let hostPid;
let host;
let checkout;
let environment;
const interruption = new AbortController();
for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
  process.once(signal, () => interruption.abort(128 + number));
}

let status;
try {
  status = await main();
} catch (error) {
  console.error(`npm run cts: ${error instanceof Error ? error.message : String(error)}`);
  status = 2;
} finally {
  await host?.close();
}
// A host that is still at a hung command is ended with its broker; a child of ours cannot be left.
process.exit(status);

/** @returns {Promise<number>} the exit status */
async function main() {
  checkout = openCheckout(options.cts);
  const groups = groupQueries([...options.lists.flatMap(readList), ...options.queries]);
  if (groups.length === 0) throw new Error(`there is no query in ${options.lists.join(', ')}`);
  checkWritable(options.out);
  const chosen = await driverEnvironment(options.icd);
  environment = chosen.environment;
  const mode = options.isDirect ? 'direct' : 'remote';
  Object.assign(results, { driver: chosen.driver, cts: checkout.revision, mode, sample: options.sample });
  if (options.isMerge && existsSync(options.out)) merge(readResults(options.out));
  console.log(`${mode} on ${results.driver}, CTS ${checkout.revision}: ${count(groups.length, 'query', 'queries')}`);

  if (!options.isDirect) host = await startHost(chosen.choice);
  for (const group of groups) await runGroup(group);
  if (options.isRerun) await rerun();
  const { reran, cases, runs } = results;
  if (runs.every((run) => run.cases === 0)) throw new Error(`no case was run, and ${options.out} is as it was`);
  save();
  console.log(
    `${count(Object.keys(cases).length, 'case', 'cases')}: ${summary(cases)}; ${Object.keys(reran).length} got a second try.`,
  );
  if (interruption.signal.aborted) {
    console.log(`Interrupted: what was found is in ${options.out}, and --merge adds the rest.`);
    return interruption.signal.reason;
  }
  return badQueries.length > 0 ? 2 : 0;
}

/** Before hours of work rather than behind. @param {string} file */
function checkWritable(file) {
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) throw new Error(`--out: there is no folder ${folder}`);
  if (existsSync(file) && statSync(file).isDirectory()) throw new Error(`--out: ${file} is a folder`);
  accessSync(folder, constants.W_OK);
}

/** @param {number} number @param {string} one @param {string} many */
function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

/**
 * A private host; the log says which process serves the guest, whose memory is then followed.
 *
 * @param {import('@vesper-gpu/dawn').DriverChoice} choice
 */
async function startHost(choice) {
  const logger = {
    info({ pid }, message) {
      if (pid !== undefined && message.endsWith(' connected')) hostPid = pid;
    },
    warn: (_fields, message) => console.error(`host: ${message}`),
    error: ({ output = [] }, message) => console.error([`host: ${message}`, ...output.slice(-5)].join('\n  ')),
    debug() {},
    trace() {},
  };
  return startPrivateBroker({ logger, chosenDriver: choice, spareDelayMs: 2000 });
}

/** @param {readonly string[]} queries */
async function runGroup(queries) {
  if (interruption.signal.aborted) return;
  const started = performance.now();
  let lastSave = started;
  let ended = 0;
  let caseMs = 0;
  hostPid = undefined;
  const guest = new MemoryWatch();
  const executor = new MemoryWatch();
  const query = queries.length === 1 ? queries[0] : `${queries[0]} and ${queries.length - 1} more`;
  const run = runQueries({
    cts: checkout.folder,
    signal: interruption.signal,
    queries,
    sample: options.sample,
    caseSeconds: options.caseSeconds,
    address: host?.address,
    environment,
    poll(pid) {
      guest.sample(pid);
      if (hostPid !== undefined) executor.sample(hostPid);
      if (performance.now() - lastSave < SAVE_EVERY_MS) return;
      lastSave = performance.now();
      save();
      console.log(`  … ${ended} cases`);
    },
    result(name, { status, ms, reason }) {
      ended++;
      caseMs += ms;
      results.cases[name] = status;
      if (reason === '') delete results.reasons[name];
      else results.reasons[name] = reason;
    },
  });
  try {
    await run;
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    badQueries.push(query);
    console.error(`${query}: the CTS has no such cases: ${error.message}`);
    return;
  }
  const seconds = (performance.now() - started) / 1000;
  results.runs.push({
    query,
    cases: ended,
    seconds: Number(seconds.toFixed(1)),
    caseSeconds: Number((caseMs / 1000).toFixed(1)),
    memory: (options.isDirect ? guest : executor).figures,
    ...(options.isDirect ? {} : { guestMemory: guest.figures }),
  });
  console.log(`${query}: ${count(ended, 'case', 'cases')} in ${seconds.toFixed(0)} s`);
  if (ended > 0) save();
}

/** A crash or a timeout may be another case's doing, or the machine's: each gets a process of its own, once. */
async function rerun() {
  const again = Object.entries(results.cases)
    .filter(
      ([name, status]) =>
        ['crash', 'timeout', 'notrun'].includes(status) || HARNESS_GAVE_UP.test(results.reasons[name] ?? ''),
    )
    .filter(([name]) => !(name in results.reran));
  for (const [name, status] of again) {
    console.log(`again: ${name} (${status})`);
    results.reran[name] = status;
    await runGroup([name]);
  }
}

/** Exact cases of one file share a process; every other query has its own. @param {readonly string[]} queries */
function groupQueries(queries) {
  /** @type {Map<string, string[]>} */
  const byFile = new Map();
  for (const query of queries) {
    const isCase = !query.endsWith('*');
    const key = isCase ? query.split(':').slice(0, 2).join(':') : query;
    const group = byFile.get(key);
    if (group === undefined) byFile.set(key, [query]);
    else if (isCase) group.push(query);
  }
  return [...byFile.values()];
}

/** @param {string} file */
function readList(file) {
  if (!existsSync(file) || statSync(file).isDirectory()) throw new Error(`--list: there is no file ${file}`);
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

/** Keeps what an earlier run found. @param {import('./results.mjs').Results} earlier */
function merge(earlier) {
  for (const key of ['driver', 'cts', 'mode', 'sample']) {
    if (earlier[key] === results[key]) continue;
    throw new Error(`--merge: ${options.out} is of ${key} ${earlier[key]}, and this run is of ${results[key]}.`);
  }
  for (const key of ['cases', 'reasons']) Object.assign(results[key], earlier[key]);
  results.runs.push(...earlier.runs);
}

function save() {
  const sorted = Object.fromEntries(Object.entries(results.cases).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  for (const name of Object.keys(results.reasons))
    if (isPass(results.cases[name]) && results.cases[name] !== 'warn') delete results.reasons[name];
  writeResults(options.out, { ...results, cases: sorted });
}
