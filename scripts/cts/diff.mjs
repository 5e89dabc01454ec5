import { isPass } from './results.mjs';

/**
 * Compares two runs, case by case.
 *
 * @param {import('./results.mjs').Results} before
 * @param {import('./results.mjs').Results} after
 * @returns {{ regressions: Change[], improvements: Change[], missing: string[], others: Change[] }} `regressions`: what is
 *   worse: passed before and no longer, was skipped and fails, failed and now crashes or never ends; `missing`: passed before, and after has no such case; `others`: any other change
 *
 * @typedef {{ name: string, from: string, to: string, reason: string }} Change
 */
export function diff(before, after) {
  const result = { regressions: [], improvements: [], missing: [], others: [] };
  for (const [name, from] of Object.entries(before.cases)) {
    const to = after.cases[name];
    if (to === undefined) {
      if (isPass(from)) result.missing.push(name);
      continue;
    }
    if (to === from || (isPass(from) && isPass(to))) continue;
    const change = { name, from, to, reason: after.reasons?.[name] ?? '' };
    if (rank(to) > rank(from)) result.regressions.push(change);
    else if (isPass(to)) result.improvements.push(change);
    else result.others.push(change);
  }
  return result;
}

/** How bad a status is: worse is more. A skipped case stands beside one that passes, but passing is not skipped for nothing. */
function rank(status) {
  return isPass(status) ? 0 : status === 'skip' ? 1 : status === 'fail' ? 2 : 3;
}
