// What a benchmark reports, and how it is shown.

/**
 * What a figure should reach.
 *
 * @typedef {object} Target
 * @property {string} name the row of the target table; several figures may belong to it
 * @property {'ratio' | 'value'} of what is judged: the ratio, or the value itself
 * @property {number} [atMost]
 * @property {number} [atLeast]
 * @property {number} [stretch] the same, of what one would be proud of
 * @property {boolean} [gates] missing it makes the benchmark fail
 */

/**
 * How a figure grows with something: lines over one axis.
 *
 * @typedef {object} Curve
 * @property {string} name unique; also the name of the plot's file
 * @property {string} title
 * @property {string} x what is varied, with its unit if it has one
 * @property {string} y what is measured, with its unit
 * @property {{ name: string, points: [x: number, y: number][] }[]} series
 */

/**
 * What a part of the benchmark gives.
 *
 * @typedef {{ rows: Row[], curves?: Curve[] }} Measured
 */

/**
 * What a figure is compared with, measured in the same run.
 *
 * @typedef {{ name: string, value: number, unit: string }} Anchor
 */

/**
 * One figure. `ratio` is value / anchor.value; `ok` is null where there is no target.
 *
 * @typedef {object} Row
 * @property {string} metric
 * @property {number} value
 * @property {string} unit
 * @property {Anchor} anchor
 * @property {number} ratio
 * @property {Target | null} target
 * @property {boolean | null} ok
 */

/**
 * @param {string} metric
 * @param {number} value
 * @param {string} unit
 * @param {string} anchorName
 * @param {number} anchorValue in the same unit
 * @param {Target | null} [target]
 * @returns {Row}
 */
export function row(metric, value, unit, anchorName, anchorValue, target = null) {
  if (!Number.isFinite(value) || !(anchorValue > 0)) {
    throw new Error(
      `"${metric}" could not be measured: ${value} ${unit} against ${anchorName}, ${anchorValue} ${unit}`,
    );
  }
  const ratio = value / anchorValue;
  const judged = target?.of === 'value' ? value : ratio;
  const ok = target && judged <= (target.atMost ?? Infinity) && judged >= (target.atLeast ?? -Infinity);
  return { metric, value, unit, anchor: { name: anchorName, value: anchorValue, unit }, ratio, target, ok };
}

/** @param {number} value three digits or so, without an exponent */
export function digits(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** @param {Row} row */
function targetText({ target, unit }) {
  if (target === null) return '';
  const bound = target.atMost === undefined ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
  return target.of === 'value' ? `${bound} ${unit}` : bound;
}

/** @param {readonly Row[]} rows */
export function table(rows) {
  const cells = rows.map((row) => [
    row.metric,
    `${digits(row.value)} ${row.unit}`,
    `${row.anchor.name}: ${digits(row.anchor.value)} ${row.anchor.unit}`,
    digits(row.ratio),
    targetText(row),
    row.ok === null ? '' : row.ok ? 'ok' : 'missed',
  ]);
  const all = [['metric', 'value', 'compared with', 'ratio', 'target', ''], ...cells];
  const widths = all[0].map((_, column) => Math.max(...all.map((line) => line[column].length)));
  const isNumber = [false, true, false, true, false, false];
  return all
    .map((line) =>
      line
        .map((cell, column) => (isNumber[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
