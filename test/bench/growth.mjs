// What the thousandth command and the millionth cost, and objects likewise: time and memory should grow with the work.
import { counted, slopes } from './growth/linear.mjs';
import { startMeasured } from './growth/measured-process.mjs';
import { timed } from './measure.mjs';
import { MIB } from './memory.mjs';
import { row } from './rows.mjs';
import { targets } from './targets.mjs';

/** @import { Point } from './growth/linear.mjs' */
/** @import { Remote } from './remote.mjs' */
/** @import { Sides } from './sides.mjs' */
/** @import { Effort } from './measure.mjs' */
/** @import { Curve, Measured, Row } from './rows.mjs' */

const SIDES = /** @type {const} */ (['direct', 'remote']);
const SHOWN = { direct: 'direct', remote: 'Vesper' };
const SINGULAR = { commands: 'command', objects: 'object' };

/**
 * @param {Sides} sides
 * @param {Remote} remote
 * @param {Effort} effort
 * @returns {Promise<Measured>}
 */
export async function measureGrowth({ direct }, remote, effort) {
  /** @type {Row[]} */
  const rows = [];
  /** @type {Curve[]} */
  const curves = [];
  for (const what of /** @type {const} */ (['commands', 'objects'])) {
    for (const measured of [await times(what, direct, remote, effort), await memories(what, effort)]) {
      rows.push(...measured.rows);
      curves.push(...(measured.curves ?? []));
    }
  }
  for (const { scene } of [direct, remote]) await scene.assertNoError();
  return { rows, curves };
}

/**
 * @param {'commands' | 'objects'} what
 * @param {Sides['direct']} direct
 * @param {Remote} remote
 * @param {Effort} effort
 * @returns {Promise<Measured>}
 */
async function times(what, direct, remote, effort) {
  const sides = { direct, remote };
  /** @type {Record<'direct' | 'remote', Point[]>} */
  const points = { direct: [], remote: [] };
  for (const count of effort[what]) {
    const shortest = { direct: Infinity, remote: Infinity };
    // The first warms up.
    for (let i = -1, repeats = Math.max(8, Math.min(30, 300_000 / count)); i < repeats; i++) {
      for (const name of SIDES) {
        const ms = await acts[what](sides[name], count);
        if (i >= 0) shortest[name] = Math.min(shortest[name], ms);
      }
    }
    for (const name of SIDES) points[name].push([count, shortest[name]]);
  }
  const rows = SIDES.map((name) => {
    const [least, most] = [points[name][0], points[name].at(-1) ?? points[name][0]];
    const each = (/** @type {Point} */ [count, ms]) => (ms * 1e6) / count;
    return row(
      `growth: time of one of ${counted(most[0])} ${what}, ${SHOWN[name]}`,
      each(most),
      'ns',
      `of ${counted(least[0])}`,
      each(least),
      name === 'remote' ? targets.linear : null,
    );
  });
  const series = SIDES.map((name) => ({ name: SHOWN[name], points: points[name] }));
  const title = `Time by the number of ${what}`;
  return { rows, curves: [{ name: `${what}-time`, title, x: what, y: 'ms', series }] };
}

/** Each gives the milliseconds that so many take. */
const acts = {
  /** @param {Pick<Remote, 'code' | 'scene'>} side @param {number} count */
  commands({ code, scene }, count) {
    const { commandsPerObject } = code.streams['no redundancy'];
    return timed(() => code.encodeFrame(scene, 'no redundancy', Math.round(count / commandsPerObject)));
  },
  /** @param {Pick<Remote, 'code' | 'scene'>} side @param {number} count */
  async objects({ code, scene }, count) {
    /** @type {{ destroy?(): void }[]} */
    const made = [];
    const ms = await timed(() => {
      code.deviceLoops.createBuffer(scene, count, made);
      return code.settled(scene);
    });
    for (const object of made) object.destroy?.();
    await code.settled(scene);
    return ms;
  },
};

/**
 * Resident memory, in ascending order: what an allocator keeps of what went before is needed again.
 *
 * @param {'commands' | 'objects'} what
 * @param {Effort} effort
 * @returns {Promise<Measured>}
 */
async function memories(what, effort) {
  /** @type {Record<'direct' | 'guest' | 'host', Point[]>} */
  const points = { direct: [], guest: [], host: [] };
  for (const side of SIDES) {
    const measured = await startMeasured(side);
    // The least of all is where it starts from: what the first call of everything takes is none of its costs.
    const start = await measured.perform(what, effort[what][0]);
    for (const count of effort[what].slice(1)) {
      const { here, host } = await measured.perform(what, count);
      const gained = (here.resident - start.here.resident) / MIB;
      points[side === 'direct' ? 'direct' : 'guest'].push([count, gained]);
      if (host && start.host) points.host.push([count, (host.resident - start.host.resident) / MIB]);
    }
    await measured.close();
  }
  const rows = Object.entries(points).flatMap(([name, line]) => memoryRow(what, name, line));
  const series = Object.entries(points).map(([name, line]) => ({ name, points: line }));
  const title = `Memory by the number of ${what}`;
  return { rows, curves: [{ name: `${what}-memory`, title, x: what, y: 'MiB', series }] };
}

/**
 * @param {'commands' | 'objects'} what
 * @param {string} name
 * @param {Point[]} points
 */
function memoryRow(what, name, points) {
  if (points.length < 3) return [];
  const { last, before } = slopes(points);
  const most = points.at(-1)?.[0] ?? 0;
  return row(
    `growth: memory of one more ${SINGULAR[what]} up to ${counted(most)}, ${name}`,
    last * MIB,
    'B',
    `up to ${counted(points.at(-2)?.[0] ?? 0)}`,
    before * MIB,
    name === 'direct' ? null : targets.linear,
  );
}
