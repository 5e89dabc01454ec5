// Bars, one below the other, beside a mark that they are compared with.
import { element, line, picture, text } from './svg.mjs';

/** @typedef {{ label: string, value: number, shown: string }} Bar */

const WIDTH = 760;
const LABEL_WIDTH = 330;
const VALUE_WIDTH = 60;
const TOP = 54;
const ROW = 24;

/**
 * @param {string} title
 * @param {readonly Bar[]} bars
 * @param {{ value: number, label: string }} mark
 */
export function barChart(title, bars, mark) {
  const most = Math.max(mark.value * 1.2, ...bars.map(({ value }) => value));
  const scale = (/** @type {number} */ value) => LABEL_WIDTH + (value / most) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH);
  const bottom = TOP + bars.length * ROW;
  return picture(WIDTH, bottom + 12, title, [
    text(8, 20, title, 'title'),
    text(scale(mark.value), TOP - 8, mark.label, 'faint middle'),
    ...bars.flatMap(({ label, value, shown }, i) => {
      const y = TOP + i * ROW;
      return [
        text(LABEL_WIDTH - 10, y + 16, label, 'end'),
        element('rect', { x: LABEL_WIDTH, y: y + 4, width: scale(value) - LABEL_WIDTH, height: ROW - 8, class: 'bar' }),
        text(WIDTH - 8, y + 16, shown, 'end'),
      ];
    }),
    line(LABEL_WIDTH, TOP, LABEL_WIDTH, bottom, 'axis'),
    line(scale(mark.value), TOP, scale(mark.value), bottom, 'axis'),
  ]);
}
