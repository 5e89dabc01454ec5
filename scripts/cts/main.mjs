// Runs the gpuweb CTS, directly on Dawn for Node or through Vesper in two processes. scripts/cts.mjs sets up and starts it.
import { existsSync, readFileSync } from 'node:fs';

import { startPrivateBroker } from '@vesper-gpu/cli';

import { openCheckout } from './checkout.mjs';
import { driverEnvironment } from './driver-environment.mjs';
import { MemoryWatch } from './memory.mjs';
import { parseOptions } from './options.mjs';
import { runQueries } from './query-process.mjs';
import { isPass, readResults, summary, writeResults } from './results.mjs';

const SAVE_EVERY_MS = 60_000;
/** What the harness says when it, not the case, ran out of time: worth a second try on a busy machine. */
const HARNESS_GAVE_UP = /endTestScope timed out/;

const options = parseOptions(process.argv.slice(2));
const checkout = openCheckout(options.cts);
const { environment, driver, choice } = await driverEnvironment(options.icd);
const groups = groupQueries([...options.lists.flatMap(readList), ...options.queries]);

/** @type {import('./results.mjs').Results} */
const results = {
  driver,
  cts: checkout.revision,
  mode: options.isDirect ? 'direct' : 'remote',
  cases: {},
  reasons: {},
  reran: {},
  runs: [],
};
if (options.isMerge && existsSync(options.out)) merge(readResults(options.out));
console.log(`${results.mode} on ${driver}, CTS ${checkout.revision}: ${groups.length} queries`);

let hostPid;
const host = options.isDirect ? undefined : await startHost();
try {
  for (const group of groups) await runGroup(group, results.cases);
  if (options.isRerun) await rerun();
} finally {
  save();
  await host?.close();
}
const { reran, cases } = results;
console.log(`${Object.keys(cases).length} cases: ${summary(cases)}; ${Object.keys(reran).length} got a second try.`);
// A host that is still at a hung command is ended with its broker; a child of ours cannot be left.
process.exit(0);

/** A private host; the log says which process serves the guest, whose memory is then followed. */
async function startHost() {
  const logger = {
    info({ pid }, message) {
      if (pid !== undefined && message.endsWith(' connected')) hostPid = pid;
    },
    warn: (_fields, message) => console.error(`host: ${message}`),
    error: (_fields, message) => console.error(`host: ${message}`),
    debug() {},
    trace() {},
  };
  return startPrivateBroker({ logger, chosenDriver: choice, spareDelayMs: 2000 });
}

/** @param {readonly string[]} queries @param {Record<string, string>} into */
async function runGroup(queries, into) {
  const started = performance.now();
  let lastSave = started;
  let count = 0;
  let caseMs = 0;
  hostPid = undefined;
  const guest = new MemoryWatch();
  const executor = new MemoryWatch();
  await runQueries({
    cts: checkout.folder,
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
      console.log(`  … ${count} cases`);
    },
    result(name, { status, ms, reason }) {
      count++;
      caseMs += ms;
      into[name] = status;
      if (reason === '') delete results.reasons[name];
      else results.reasons[name] = reason;
    },
  });
  const query = queries.length === 1 ? queries[0] : `${queries[0]} and ${queries.length - 1} more`;
  const seconds = (performance.now() - started) / 1000;
  results.runs.push({
    query,
    cases: count,
    seconds: Number(seconds.toFixed(1)),
    caseSeconds: Number((caseMs / 1000).toFixed(1)),
    memory: (options.isDirect ? guest : executor).figures,
    ...(options.isDirect ? {} : { guestMemory: guest.figures }),
  });
  console.log(`${query}: ${count} cases in ${seconds.toFixed(0)} s`);
}

/** A crash or a timeout may be another case's doing, or the machine's: each gets a process of its own, once. */
async function rerun() {
  const again = Object.entries(results.cases)
    .filter(
      ([name, status]) =>
        status === 'crash' || status === 'timeout' || HARNESS_GAVE_UP.test(results.reasons[name] ?? ''),
    )
    .filter(([name]) => !(name in results.reran));
  for (const [name, status] of again) {
    console.log(`again: ${name} (${status})`);
    results.reran[name] = status;
    await runGroup([name], results.cases);
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
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

/** Keeps what an earlier run found. @param {import('./results.mjs').Results} earlier */
function merge(earlier) {
  for (const key of ['driver', 'cts', 'mode']) {
    if (earlier[key] === results[key]) continue;
    throw new Error(`--merge: ${options.out} is of ${key} ${earlier[key]}, and this run is of ${results[key]}.`);
  }
  for (const key of ['cases', 'reasons', 'reran']) Object.assign(results[key], earlier[key]);
  results.runs.push(...earlier.runs);
}

function save() {
  const sorted = Object.fromEntries(Object.entries(results.cases).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  for (const name of Object.keys(results.reasons))
    if (isPass(results.cases[name]) && results.cases[name] !== 'warn') delete results.reasons[name];
  writeResults(options.out, { ...results, cases: sorted });
}
