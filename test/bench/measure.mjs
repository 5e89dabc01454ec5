// Timing on a noisy machine: short bursts, contenders taking turns, and the shortest burst of each.

/**
 * How much to measure.
 *
 * @typedef {object} Effort
 * @property {number} rounds bursts of each contender in a race
 * @property {number} warmUpMs how long each contender runs before it is timed, so that its code is compiled
 * @property {number} frames frames of each contender, end to end
 * @property {number} roundTrips round trips of each kind
 * @property {number} transfers transfers of each direction, of at most 16 MiB
 * @property {readonly number[]} transferMiB sizes of transfers
 * @property {number} sustained rounds of what keeps the GPU busy
 * @property {number} replayedDraws draws of the bundle that is replayed
 * @property {number} workloadMs how long each side of a whole workload runs
 * @property {'full' | 'small'} workload size of whole workloads
 * @property {readonly number[]} commands how many at once, as work grows
 * @property {readonly number[]} objects how many at once, as work grows
 * @property {readonly number[]} guests how many at once, as work grows
 * @property {number} steadyCommands commands of each step that memory is watched over
 */

/** @type {Readonly<Record<'normal' | 'quick', Effort>>} */
export const efforts = {
  normal: {
    rounds: 600,
    warmUpMs: 100,
    frames: 120,
    roundTrips: 400,
    transfers: 96,
    transferMiB: [1, 4, 16, 64],
    sustained: 12,
    replayedDraws: 100_000,
    workloadMs: 1200,
    workload: 'full',
    commands: [1000, 10_000, 100_000, 300_000, 1_000_000],
    objects: [100, 1000, 10_000, 30_000, 100_000],
    guests: [1, 2, 4, 8, 16, 32],
    steadyCommands: 1_000_000,
  },
  quick: {
    rounds: 30,
    warmUpMs: 40,
    frames: 6,
    roundTrips: 60,
    transfers: 4,
    transferMiB: [1, 16],
    sustained: 2,
    replayedDraws: 2000,
    workloadMs: 50,
    workload: 'small',
    commands: [1000, 10_000],
    objects: [100, 1000],
    guests: [1, 2],
    steadyCommands: 6000,
  },
};

/**
 * One side of a comparison.
 *
 * @typedef {object} Contender
 * @property {() => void | Promise<void>} [before] what a burst needs; not timed
 * @property {(count: number) => void} run does the thing `count` times
 * @property {() => void | Promise<void>} [after] clears up behind a burst; not timed
 * @property {number} [count] how often a burst does the thing; without it, as often as fits
 */

/** Length that a burst aims at, in ms: short enough that some bursts run without an interruption. */
const BURST_MS = 0.4;
const MOST_PER_BURST = 20_000;
const LEAST_WARM_UP_BURSTS = 10;
/** Tick of the clock of a browser, in ms: what seems to take less may have taken as much. */
const TICK_MS = 0.005;

/**
 * Lets contenders take turns, burst by burst.
 *
 * @template {string} Name
 * @param {Record<Name, Contender>} contenders
 * @param {Pick<Effort, 'rounds' | 'warmUpMs'>} effort
 * @returns {Promise<Record<Name, number>>} nanoseconds that doing the thing once takes, in the shortest burst
 */
export async function race(contenders, effort) {
  const names = /** @type {Name[]} */ (Object.keys(contenders));
  const samples = /** @type {Record<Name, number[]>} */ (Object.fromEntries(names.map((name) => [name, []])));
  const counts = /** @type {Record<Name, number>} */ ({});
  for (const name of names) counts[name] = await warmUp(contenders[name], effort);
  for (let round = 0; round < effort.rounds; round++) {
    for (const name of names) {
      const ms = await burst(contenders[name], counts[name]);
      samples[name].push((ms * 1e6) / counts[name]);
    }
  }
  return /** @type {Record<Name, number>} */ (
    Object.fromEntries(names.map((name) => [name, Math.min(...samples[name])]))
  );
}

/**
 * @param {Contender} contender
 * @param {number} count
 * @returns {Promise<number>} milliseconds
 */
async function burst(contender, count) {
  await contender.before?.();
  const start = performance.now();
  contender.run(count);
  const ms = performance.now() - start;
  await contender.after?.();
  return ms;
}

/**
 * @param {Contender} contender
 * @param {Pick<Effort, 'warmUpMs'>} effort
 * @returns {Promise<number>} how often a burst does the thing
 */
async function warmUp(contender, { warmUpMs }) {
  let count = contender.count ?? 16;
  let shortest = Infinity;
  // Several at least: one burst alone may have been interrupted.
  for (let spent = 0, bursts = 0; spent < warmUpMs || bursts < LEAST_WARM_UP_BURSTS; bursts++) {
    const ms = await burst(contender, count);
    spent += Math.max(ms, 0.01);
    shortest = Math.min(shortest, Math.max(ms, TICK_MS) / count);
    count = contender.count ?? Math.max(1, Math.min(MOST_PER_BURST, Math.round(BURST_MS / shortest)));
  }
  return count;
}

/**
 * @param {readonly number[]} samples
 * @param {number} fraction 0.1 for the 10th percentile
 */
export function percentile(samples, fraction) {
  if (samples.length === 0) throw new Error('no samples');
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))];
}

/**
 * The time of one asynchronous act.
 *
 * @param {() => Promise<unknown>} act
 * @returns {Promise<number>} milliseconds
 */
export async function timed(act) {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

/** So many hosts of a kind encode frames. */
export const HOSTS = 3;
/** A side encodes so many frames before the next one has its turn: a program's frames follow one another. */
const FRAMES_A_TURN = 4;

/**
 * Frames of several sides, which take turns.
 *
 * @template {string} Name
 * @param {Record<Name, readonly (() => Promise<unknown>)[]>} sides each encodes a frame, and waits for its outcome: as many
 *   as there are hosts of that kind
 * @param {Pick<Effort, 'frames'>} effort
 * @returns {Promise<Record<Name, number>>} milliseconds of the shortest frame; of several hosts the median, as processes that
 *   do the same differ by a few per cent for as long as they live
 */
export async function raceFrames(sides, { frames }) {
  const names = /** @type {Name[]} */ (Object.keys(sides));
  const shortest = /** @type {Record<Name, number[]>} */ (
    Object.fromEntries(names.map((name) => [name, sides[name].map(() => Infinity)]))
  );
  // The first turn warms up.
  for (let turn = 0; turn <= Math.ceil(frames / FRAMES_A_TURN); turn++) {
    for (const name of names) {
      for (const [host, encode] of sides[name].entries()) {
        for (let i = 0; i < FRAMES_A_TURN; i++) {
          const ms = await timed(encode);
          if (turn > 0) shortest[name][host] = Math.min(shortest[name][host], ms);
        }
      }
    }
  }
  return /** @type {Record<Name, number>} */ (
    Object.fromEntries(names.map((name) => [name, percentile(shortest[name], 0.5)]))
  );
}

/** Lets everything run that waits for the end of the current task: flushes, deliveries, replies. */
export function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}
