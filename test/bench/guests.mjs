// More and more guests at one broker, each with an executor of its own, all of them busy at the same time.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';
import { startDaemon } from '../../scripts/soak/daemon.mjs';
import { slopes } from './growth/linear.mjs';
import { timed } from './measure.mjs';
import { row } from './rows.mjs';
import * as code from './scene.mjs?guests';
import { targets } from './targets.mjs';

/** @import { Point } from './growth/linear.mjs' */
/** @import { Effort } from './measure.mjs' */
/** @import { Measured } from './rows.mjs' */

const FRAMES = 10;
const OBJECTS = 1000;
const ROUNDS = 3;
const SETTLE_MS = 20_000;

/**
 * @param {Effort} effort
 * @returns {Promise<Measured>}
 */
export async function measureGuests(effort) {
  const daemon = await startDaemon();
  /** @type {{ scene: code.Scene, close(): Promise<void> }[]} */
  const guests = [];
  /** @type {number[]} until a guest has a device, in ms */
  const openMs = [];
  /** @type {Point[]} */
  const times = [];
  /** @type {Point[]} */
  const memories = [];
  try {
    for (const count of effort.guests) {
      while (guests.length < count) {
        openMs.push(await timed(async () => guests.push(await openGuest(daemon.address))));
      }
      await spareIsReady(daemon, count);
      let shortest = Infinity;
      for (let round = 0; round < ROUNDS; round++) {
        shortest = Math.min(shortest, await timed(() => Promise.all(guests.map(({ scene }) => work(scene)))));
      }
      times.push([count, shortest]);
      memories.push([count, proportionalMiB(daemon.pid ?? 0)]);
    }
    for (const { scene } of guests) await scene.assertNoError();
    await Promise.all(guests.map(({ close }) => close()));
  } finally {
    await daemon.stop();
  }
  return { rows: rowsOf(openMs, times, memories), curves: curvesOf(times, memories) };
}

/** @param {string} address */
async function openGuest(address) {
  const { gpu, close } = await connect(await openTransport(address));
  return { scene: await code.makeScene(gpu), close };
}

/** @param {code.Scene} scene */
async function work(scene) {
  for (let i = 0; i < FRAMES; i++) await code.encodeFrame(scene, 'no redundancy', OBJECTS);
}

/**
 * The broker starts an executor ahead of each guest: that should be over before anything is measured.
 *
 * @param {Awaited<ReturnType<typeof startDaemon>>} daemon
 * @param {number} guests
 */
async function spareIsReady(daemon, guests) {
  const giveUpAt = performance.now() + SETTLE_MS;
  let before = NaN;
  for (;;) {
    const now = daemon.children().length === guests + 1 ? proportionalMiB(daemon.pid ?? 0) : NaN;
    // It is there, and does not grow any more.
    if (Math.abs(now - before) < 1) return;
    if (performance.now() > giveUpAt) throw new Error(`the broker has no executor ready behind ${guests} guests`);
    before = now;
    await sleep(300);
  }
}

/**
 * Memory of a process and of all below it; what several share counts once.
 *
 * @param {number} pid
 * @returns {number} MiB
 */
function proportionalMiB(pid) {
  const [, kib] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const below = children === '' ? [] : children.split(' ').map((child) => proportionalMiB(Number(child)));
  return below.reduce((sum, one) => sum + one, Number(kib) / 1024);
}

/**
 * @param {readonly number[]} openMs
 * @param {Point[]} times
 * @param {Point[]} memories
 */
function rowsOf(openMs, times, memories) {
  const [least, most] = [times[0], times.at(-1) ?? times[0]];
  const each = (/** @type {Point} */ [guests, ms]) => ms / guests / FRAMES;
  const half = openMs.length >> 1;
  const mean = (/** @type {readonly number[]} */ some) => some.reduce((sum, one) => sum + one, 0) / some.length;
  const rows = [
    row(
      `guests: time of a frame of 1000 draws, ${most[0]} guests`,
      each(most),
      'ms',
      `${least[0]} guest`,
      each(least),
      targets.linear,
    ),
    row(
      `guests: time until one has a device, guests ${half + 1} to ${openMs.length}`,
      mean(openMs.slice(half)),
      'ms',
      `guests 1 to ${half}`,
      mean(openMs.slice(0, half)),
      targets.linear,
    ),
  ];
  if (memories.length < 3) return rows;
  const { last, before } = slopes(memories);
  rows.push(
    row(
      `guests: memory of one more, up to ${most[0]}`,
      last,
      'MiB',
      `up to ${memories.at(-2)?.[0]}`,
      before,
      targets.linear,
    ),
  );
  return rows;
}

/** @param {Point[]} times @param {Point[]} memories */
function curvesOf(times, memories) {
  return [
    {
      name: 'guests-time',
      title: `Time for ${FRAMES} frames of each guest, all at once`,
      x: 'guests',
      y: 'ms',
      series: [{ name: 'Vesper', points: times }],
    },
    {
      name: 'guests-memory',
      title: 'Memory of the broker and its executors',
      x: 'guests',
      y: 'MiB',
      series: [{ name: 'Vesper', points: memories }],
    },
  ];
}
