// Whether something grows as the work does.
import { percentile } from '../measure.mjs';

/** @typedef {[x: number, y: number]} Point */

/**
 * What one more costs in the last step, and in the one before: what does not depend on the work drops out.
 *
 * @param {readonly Point[]} points by ascending x, three or more
 * @returns {{ last: number, before: number }} y for each x
 */
export function slopes(points) {
  const [first, middle, last] = points.slice(-3);
  if (last === undefined) throw new Error('too few points');
  const slope = (/** @type {Point} */ from, /** @type {Point} */ to) => (to[1] - from[1]) / (to[0] - from[0]);
  return { last: slope(middle, last), before: slope(first, middle) };
}

/**
 * The median of the slopes between any two points (Theil and Sen): a jump here and there does not change it, a trend does.
 *
 * @param {readonly Point[]} points two or more
 */
export function medianSlope(points) {
  return percentile(
    points.flatMap(([x, y], i) => points.slice(i + 1).map(([x2, y2]) => (y2 - y) / (x2 - x))),
    0.5,
  );
}

/** @param {number} value with a space before each three digits */
export function counted(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
}
