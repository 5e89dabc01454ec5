import { isPass } from './results.mjs';

/**
 * Compares two runs, case by case.
 *
 * @param {import('./results.mjs').Results} before
 * @param {import('./results.mjs').Results} after
 * @returns {{ regressions: Change[], improvements: Change[], missing: string[], others: Change[] }} `regressions`: passed
 *   before and no longer; `missing`: passed before, and after has no such case; `others`: any other change
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
    if (isPass(from)) result.regressions.push(change);
    else if (isPass(to)) result.improvements.push(change);
    else result.others.push(change);
  }
  return result;
}
