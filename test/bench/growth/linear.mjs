// Whether something grows as the work does.

/** @typedef {[x: number, y: number]} Point */

/**
 * What one more costs in the last step, and in all steps before it: what does not depend on the work drops out.
 *
 * @param {readonly Point[]} points by ascending x, three or more
 * @returns {{ last: number, before: number }} y for each x
 */
export function slopes(points) {
  const [first, semifinal, last] = [points[0], points.at(-2), points.at(-1)];
  if (semifinal === undefined || last === undefined || points.length < 3) throw new Error('too few points');
  const slope = (/** @type {Point} */ from, /** @type {Point} */ to) => (to[1] - from[1]) / (to[0] - from[0]);
  return { last: slope(semifinal, last), before: slope(first, semifinal) };
}

/** @param {number} value with a space before each three digits */
export function counted(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
}
