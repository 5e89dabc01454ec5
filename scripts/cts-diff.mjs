// npm run cts:diff -- A B: what passes in A and not in B, and what got better. Exit status 1 when something got worse.
import { diff } from './cts/diff.mjs';
import { readResults, summary } from './cts/results.mjs';

const args = process.argv.slice(2);
const isAll = args.includes('--all');
const files = args.filter((one) => one !== '--all');
/** Longest list that is shown whole. */
const MAX_LINES = isAll ? Infinity : 50;
if (files.length !== 2) {
  console.error(
    'usage: npm run cts:diff -- [--all] A B\nA and B are files that npm run cts wrote; --all shows long lists whole.',
  );
  process.exit(2);
}
let before;
let after;
try {
  [before, after] = files.map(readResults);
} catch (error) {
  console.error(`npm run cts:diff: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
}
if (before.cts !== after.cts) console.log(`Note: different revisions of the CTS, ${before.cts} and ${after.cts}.`);
if (before.driver !== after.driver) console.log(`Note: different drivers, ${before.driver} and ${after.driver}.`);
if (before.sample !== after.sample) console.log(`Note: A is one case in ${before.sample}, B one in ${after.sample}.`);
console.log(`A: ${summary(before.cases)}\nB: ${summary(after.cases)}`);

const { regressions, improvements, missing, others } = diff(before, after);
show('Pass in A and not in B', regressions);
show('Other changes', others);
show('Pass in B and not in A', improvements);
if (missing.length > 0) {
  console.log(`\nPass in A, and B has no such case: ${missing.length}`);
  for (const name of missing.slice(0, MAX_LINES)) console.log(`  ${name}`);
  showRest(missing.length);
}
console.log(
  `\n${regressions.length} regressions, ${missing.length} missing, ${improvements.length} improvements, ${others.length} other changes.`,
);
process.exitCode = regressions.length + missing.length > 0 ? 1 : 0;

/** @param {string} title @param {readonly import('./cts/diff.mjs').Change[]} changes */
function show(title, changes) {
  if (changes.length === 0) return;
  console.log(`\n${title}: ${changes.length}`);
  for (const { name, from, to, reason } of changes.slice(0, MAX_LINES)) {
    console.log(`  ${name}: ${from} → ${to}${reason === '' ? '' : `\n      ${reason.slice(0, 200)}`}`);
  }
  showRest(changes.length);
}

/** @param {number} count */
function showRest(count) {
  if (count > MAX_LINES) console.log(`  … and ${count - MAX_LINES} more; --all shows them`);
}
