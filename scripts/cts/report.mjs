import { readFileSync } from 'node:fs';

import { diff } from './diff.mjs';
import { isPass } from './results.mjs';

/**
 * @typedef {import('./results.mjs').Results} Results
 * @typedef {Record<string, string>} Reasons why tests fail, by the test's name: `webgpu:FILE:TEST`, or a longer beginning
 * @typedef {{ driver: string, cts: string, sample: number, direct: Results, remote: Results }} Pair
 */

/** @param {string} file @returns {Reasons} */
export function readReasons(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/**
 * Puts the results of several runs together, by driver.
 *
 * @param {readonly Results[]} all
 * @returns {Pair[]}
 * @throws {Error} when a driver has no run of one of the two kinds, or the revisions differ
 */
export function pairs(all) {
  const drivers = [...new Set(all.map(({ driver }) => driver))].toSorted();
  return drivers.map((driver) => {
    const ofDriver = all.filter((one) => one.driver === driver);
    const [cts, other] = [...new Set(ofDriver.map((one) => one.cts))];
    if (other !== undefined) throw new Error(`${driver}: runs of two revisions of the CTS, ${cts} and ${other}.`);
    const [sample, another] = [...new Set(ofDriver.map((one) => one.sample))];
    if (another !== undefined) throw new Error(`${driver}: runs of one case in ${sample} and in ${another}.`);
    const merged = (mode) => {
      const some = ofDriver.filter((one) => one.mode === mode);
      if (some.length === 0) throw new Error(`${driver}: there is no ${mode} run among the files.`);
      return {
        ...some[0],
        cases: Object.assign({}, ...some.map((one) => one.cases)),
        reasons: Object.assign({}, ...some.map((one) => one.reasons)),
        reran: Object.assign({}, ...some.map((one) => one.reran)),
      };
    };
    return { driver, cts, sample, direct: merged('direct'), remote: merged('remote') };
  });
}

/**
 * The results as a page, group by group.
 *
 * @param {readonly Pair[]} list
 * @param {Reasons} reasons
 * @returns {{ text: string, unexplained: string[] }} `unexplained`: tests that fail remotely and have no reason
 */
export function page(list, reasons) {
  const unexplained = new Set();
  const text = list.map((pair) => section(pair, reasons, unexplained)).join('\n');
  return { text, unexplained: [...unexplained] };
}

/** @param {Pair} pair @param {Reasons} reasons @param {Set<string>} unexplained */
function section({ driver, cts, sample, direct, remote }, reasons, unexplained) {
  const { regressions, missing, improvements } = diff(direct, remote);
  const groups = groupBy(Object.keys(direct.cases), groupOf);
  const rows = [...groups].toSorted().map(([group, names]) => {
    const count = (results, test) => names.filter((name) => test(results.cases[name])).length;
    const isSkip = (status) => status === 'skip';
    return [
      group,
      names.length,
      count(direct, isSkip),
      count(direct, isPass),
      count(direct, isFailure),
      count(remote, isPass),
      count(remote, isFailure),
      regressions.filter(({ name }) => groupOf(name) === group).length +
        missing.filter((name) => groupOf(name) === group).length,
      improvements.filter(({ name }) => groupOf(name) === group).length,
    ];
  });
  const total = ['all', ...rows[0].slice(1).map((_, column) => rows.reduce((sum, row) => sum + row[column + 1], 0))];
  const failing = Object.keys(remote.cases).filter((name) => isFailure(remote.cases[name]));
  const lines = [
    `## ${driver}`,
    '',
    `${sample === 1 ? 'All cases' : `One case in ${sample}`} of the groups below. CTS revision ${cts}. ${Object.keys(direct.reran).length} cases of the direct run and ${Object.keys(remote.reran).length} of the remote one crashed, timed out or were given up by the harness, and got a second try in a process of their own, which is what counts.`,
    '',
    ...table(
      ['group', 'cases', 'skipped', 'direct: pass', 'direct: fail', 'remote: pass', 'remote: fail', 'worse', 'better'],
      [...rows, total],
    ),
    '',
  ];
  if (regressions.length + missing.length > 0) {
    lines.push('### Pass directly, and not through Vesper', '');
    for (const { name, to, reason } of regressions) lines.push(`- \`${name}\`: ${to}; ${reason.slice(0, 160)}`);
    for (const name of missing) lines.push(`- \`${name}\`: was not run`);
    lines.push('');
  }
  lines.push(
    '### Pass through Vesper, and not directly',
    '',
    ...table(['test', 'cases'], tests(improvements.map(({ name }) => name))),
    '',
  );
  lines.push('### Fail through Vesper', '');
  const failed = tests(failing).map(([test, count]) => {
    const names = failing.filter((name) => testOf(name) === test);
    const directly = names.filter((name) => isFailure(direct.cases[name])).length;
    const given = new Set(names.map((name) => reasonFor(name, reasons)));
    if (given.has(undefined)) unexplained.add(test);
    return [test, count, directly, [...given].map((reason) => reason ?? '**no reason is recorded**').join('; ')];
  });
  lines.push(
    ...(failed.length === 0 ? ['None.'] : table(['test', 'cases', 'of these fail directly', 'why'], failed)),
    '',
  );
  return lines.join('\n');
}

/** @param {string | undefined} status */
function isFailure(status) {
  return status !== undefined && status !== 'skip' && !isPass(status);
}

/** @param {string} name @param {Reasons} reasons */
function reasonFor(name, reasons) {
  const key = Object.keys(reasons)
    // A whole part of the name: the reason of ":basic" is none of ":basic_float".
    .filter((beginning) => name.startsWith(beginning) && /^$|^[:,]/.test(name.slice(beginning.length)))
    .toSorted((a, b) => b.length - a.length)[0];
  return key === undefined ? undefined : reasons[key];
}

/** Tests with the number of their cases among these. @param {readonly string[]} names @returns {[string, number][]} */
function tests(names) {
  return [...groupBy(names, testOf)].map(([test, members]) => [test, members.length]).toSorted();
}

/** `webgpu:FILE:TEST` @param {string} name */
function testOf(name) {
  return name.split(':').slice(0, 3).join(':');
}

/** `api,validation`, or `idl` where there are no parts worth a row. @param {string} name */
function groupOf(name) {
  const [first, second] = name.split(':')[1].split(',');
  return ['idl', 'util', 'compat'].includes(first) ? first : `${first},${second}`;
}

/** @template T @param {readonly T[]} items @param {(item: T) => string} keyOf @returns {Map<string, T[]>} */
function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** A Markdown table. @param {readonly string[]} head @param {readonly (readonly unknown[])[]} rows */
function table(head, rows) {
  const cell = (value) =>
    typeof value === 'number' ? value.toLocaleString('en') : String(value).replaceAll('|', '\\|');
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  const rule = rows[0]?.map((value) => (typeof value === 'number' ? '--:' : '---')) ?? head.map(() => '---');
  return [line(head), line(rule), ...rows.map(line)];
}
