// Lines over logarithmic axes: what grows as the work does is a straight line, as steep as the diagonal of a square of the grid.
import { element, line, picture, text } from './svg.mjs';

/** @import { Curve } from '../rows.mjs' */

const WIDTH = 560;
const HEIGHT = 340;
const LEFT = 64;
const RIGHT = 20;
const TOP = 66;
const BOTTOM = 46;

/** @param {Curve} curve @returns {string} SVG */
export function lineChart({ title, x, y, series }) {
  // Nothing and less have no place on a logarithmic axis: memory that was there already.
  const shown = series.map(({ name, points }) => ({ name, points: points.filter(([, value]) => value > 0) }));
  const points = shown.flatMap(({ points }) => points);
  if (points.length === 0) throw new Error(`"${title}" has nothing to show`);
  const across = axis(
    points.map(([value]) => value),
    LEFT,
    WIDTH - RIGHT,
  );
  const up = axis(
    points.map(([, value]) => value),
    HEIGHT - BOTTOM,
    TOP,
  );
  return picture(WIDTH, HEIGHT, title, [
    text(8, 20, title, 'title'),
    ...shown.flatMap(({ name }, i) => [
      line(LEFT + i * 110, 42, LEFT + i * 110 + 24, 42, `line series${i}`),
      mark(i, LEFT + i * 110 + 12, 42),
      text(LEFT + i * 110 + 30, 46, name),
    ]),
    ...across.ticks.flatMap((tick) => [
      line(across.at(tick), TOP, across.at(tick), HEIGHT - BOTTOM, 'grid'),
      text(across.at(tick), HEIGHT - BOTTOM + 18, tickText(tick), 'faint middle'),
    ]),
    ...up.ticks.flatMap((tick) => [
      line(LEFT, up.at(tick), WIDTH - RIGHT, up.at(tick), 'grid'),
      text(LEFT - 8, up.at(tick) + 4, tickText(tick), 'faint end'),
    ]),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x, 'faint middle'),
    text(LEFT - 8, TOP - 10, y, 'faint end'),
    ...shown.flatMap(({ points }, i) => [
      element('polyline', {
        points: points.map(([a, b]) => `${across.at(a).toFixed(1)},${up.at(b).toFixed(1)}`).join(' '),
        class: `line series${i}`,
      }),
      ...points.map(([a, b]) => mark(i, across.at(a), up.at(b))),
    ]),
  ]);
}

/**
 * A logarithmic axis from pixel `start` to pixel `end`, over whole powers of ten, or of two where there is less to show.
 *
 * @param {readonly number[]} values above 0
 * @param {number} start
 * @param {number} end
 */
function axis(values, start, end) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const base = most / least > 60 ? 10 : 2;
  const logarithm = (/** @type {number} */ value) => Math.log(value) / Math.log(base);
  const from = Math.floor(logarithm(least) + 1e-9);
  const to = Math.max(from + 1, Math.ceil(logarithm(most) - 1e-9));
  return {
    ticks: Array.from({ length: to - from + 1 }, (_, i) => base ** (from + i)),
    at: (/** @type {number} */ value) => start + ((logarithm(value) - from) / (to - from)) * (end - start),
  };
}

/** @param {number} value a power of ten or two */
function tickText(value) {
  if (value >= 1e6) return `${value / 1e6} M`;
  if (value >= 1e4) return `${value / 1e3} k`;
  return String(Math.round(value * 1e6) / 1e6);
}

/**
 * Each series has a shape of its own: not everybody sees colours.
 *
 * @param {number} series
 * @param {number} x
 * @param {number} y
 */
function mark(series, x, y) {
  if (series === 0) return element('circle', { cx: x, cy: y, r: 4, class: 'mark0' });
  if (series === 1) return element('rect', { x: x - 4, y: y - 4, width: 8, height: 8, class: 'mark1' });
  return element('path', { d: `M${x - 5} ${y + 4}h10l-5 -9z`, class: `mark${series}` });
}
