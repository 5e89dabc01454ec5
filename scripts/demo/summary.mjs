// What the demonstration says at its end.
import { dirname, relative } from 'node:path';

/**
 * @param {import('./guest.mjs').Summary} guest what the guest reported
 * @param {object} host
 * @param {import('@vesper-gpu/cli').Broker['driver']} host.driver
 * @param {import('@vesper-gpu/cli').SessionReport[]} host.sessions of each connection that the guest made
 * @param {number} host.totalMs from the start of the host to the end of both
 * @param {[string, string][]} [host.rows] what else there is to say
 * @param {boolean} [host.isRight] whether that is as it has to be
 * @returns {string[]}
 */
export function summaryLines(guest, { driver, sessions, totalMs, rows: more = [], isRight = true }) {
  const { adapter, matmul, frames, picture } = guest;
  const good = isRight && matmul.ok && picture.checks.every(({ ok }) => ok);
  /** @type {[string, string][]} */
  const rows = [
    ['adapter', adapter.description || adapter.device || adapter.vendor],
    ...driver.reason.map((sentence, i) => /** @type {[string, string]} */ ([i === 0 ? 'why this one' : '', sentence])),
    [
      'matmul',
      `${matmul.size}×${matmul.size} f32 in ${milliseconds(matmul.milliseconds)}, largest error against the CPU ` +
        `${matmul.maxError.toExponential(1)} (${matmul.ok ? 'right' : `WRONG, must stay below ${matmul.tolerance}`})`,
    ],
    ['frames', `${frames.length} of ${picture.width}×${picture.height}, ${frameTimes(frames)}`],
    ...wireRows(sessions),
    ...more,
    ['total time', `${(totalMs / 1000).toFixed(1)} s`],
    ...placeRows(frames),
    ['verdict', good ? 'the numbers and the picture are right' : 'WRONG: see the messages above'],
  ];
  return rows.flatMap(([name, value]) => wrapped(value).map((line, i) => `${(i === 0 ? name : '').padEnd(14)}${line}`));
}

/** Lines of at most 100 characters, where the words allow it. @param {string} text */
function wrapped(text) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 100) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/**
 * @param {import('@vesper-gpu/cli').SessionReport[]} sessions
 * @returns {[string, string][]}
 */
function wireRows(sessions) {
  if (sessions.length === 0) return [['connection', 'the host has no report of it']];
  /** @param {keyof import('@vesper-gpu/cli').SessionStatistics} name */
  const sum = (name) => sessions.reduce((total, { statistics }) => total + statistics[name], 0);
  const crashed = sessions.filter(({ reason }) => reason !== 'closed');
  return [
    ['commands', sum('commands').toLocaleString('en')],
    ['bytes', `${bytes(sum('receivedBytes'))} to the host, ${bytes(sum('sentBytes'))} to the guest`],
    ['round trips', sum('requests').toLocaleString('en')],
    ...crashed.map(({ message }) => /** @type {[string, string]} */ (['connection', message])),
  ];
}

/** @param {{ file: string, milliseconds: number }[]} frames @returns {[string, string][]} */
function placeRows(frames) {
  const [first] = frames;
  if (first === undefined) return [];
  const place = frames.length === 1 ? first.file : `${dirname(first.file)}/ (${frames.length} files)`;
  // Short where it is within the working folder.
  const short = relative(process.cwd(), place);
  return [[frames.length === 1 ? 'picture' : 'pictures', short.startsWith('..') ? place : short]];
}

/** @param {{ milliseconds: number }[]} frames */
function frameTimes(frames) {
  const times = frames.map((frame) => frame.milliseconds).toSorted((a, b) => a - b);
  const [fastest = 0] = times;
  if (times.length === 1) return `drawn and read back in ${milliseconds(fastest)}`;
  const median = times[Math.floor(times.length / 2)] ?? 0;
  const slowest = times.at(-1) ?? 0;
  return `each drawn and read back in ${milliseconds(median)} (median; ${milliseconds(fastest)} to ${milliseconds(slowest)})`;
}

/** @param {number} value */
export function milliseconds(value) {
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`;
}

/** @param {number} value */
export function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return unit === 0 ? `${size} B` : `${size.toFixed(1)} ${units[unit]}`;
}
