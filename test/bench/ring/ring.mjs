// Rings in shared memory, to a thread and to a process: round trips, bulk data and whole frames, beside the direct calls.
import { globals } from '@vesper-gpu/guest';
import { HOSTS, percentile, raceFrames, timed, turn } from '../measure.mjs';
import { row } from '../rows.mjs';
import { targets } from '../targets.mjs';
import { openBlocking, openProcess, openThread } from './remotes.mjs';

/** @import { Effort } from '../measure.mjs' */
/** @import { Remote } from '../remote.mjs' */
/** @import { Row } from '../rows.mjs' */
/** @import { Sides } from '../sides.mjs' */
/** @import { RingRemote } from './remotes.mjs' */

const { GPUBufferUsage, GPUMapMode } = /** @type {typeof globalThis} */ (globals);
const OBJECTS = 10_000;

/** Of whole frames. */
const frameTargets = { 'no redundancy': targets.endToEndDistinct, 'typical redundant': targets.endToEndRedundant };

/**
 * @param {Sides} sides
 * @param {Remote} socket a host behind a Unix socket, for comparison
 * @param {Effort} effort
 * @returns {Promise<Row[]>}
 */
export async function measureRings({ direct }, socket, effort) {
  /** @type {Record<string, RingRemote>} */
  const remotes = { thread: await openThread() };
  // Where the system has what it takes.
  if (process.platform === 'linux') remotes['process'] = await openProcess();
  const rows = [
    ...(await echoes(remotes, socket, effort)),
    ...(await roundTrips(direct, remotes, effort)),
    ...(await frames(direct, remotes, effort)),
    ...(await transfers(direct, remotes, effort)),
  ];
  for (const { scene } of [direct, ...Object.values(remotes)]) await scene.assertNoError();
  for (const remote of Object.values(remotes)) await remote.close();
  return rows;
}

/**
 * @param {Record<string, RingRemote>} remotes
 * @param {Remote} socket
 * @param {Effort} effort
 */
async function echoes(remotes, socket, effort) {
  const blocking = openBlocking();
  blocking.echo();
  const samples = new Samples();
  for (let i = 0; i < effort.roundTrips; i++) {
    samples.add('socket', await timed(() => socket.raw.echo()));
    for (const [name, remote] of Object.entries(remotes)) samples.add(name, await timed(() => remote.echo()));
    samples.add('thread, both block', await timed(async () => blocking.echo()));
  }
  await blocking.close();
  const p50 = (/** @type {string} */ name) => percentile(samples.of(name), 0.5) * 1000;
  return [...Object.keys(remotes), 'thread, both block'].map((name) =>
    row(`ring: echo, ${name}`, p50(name), 'µs', 'Unix socket echo', p50('socket')),
  );
}

/**
 * @param {Sides['direct']} direct
 * @param {Record<string, RingRemote>} remotes
 * @param {Effort} effort
 */
async function roundTrips(direct, remotes, effort) {
  /** @type {Row[]} */
  const rows = [];
  for (const act of Object.keys(direct.code.roundTrips)) {
    const samples = new Samples();
    for (let i = 0; i < effort.roundTrips; i++) {
      samples.add('direct', await timed(() => direct.code.roundTrips[act](direct.scene)));
      unmap(direct.scene);
      for (const [name, { code, scene, echo }] of Object.entries(remotes)) {
        samples.add(`${name} echo`, await timed(echo));
        samples.add(name, await timed(() => code.roundTrips[act](scene)));
        unmap(scene);
        // The host is to be idle again.
        await turn();
        await echo();
      }
    }
    const p50 = (/** @type {string} */ name) => percentile(samples.of(name), 0.5) * 1000;
    for (const name of Object.keys(remotes)) {
      const added = p50(name) - p50('direct');
      rows.push(row(`ring: ${act}, ${name}, added`, added, 'µs', 'echo', p50(`${name} echo`), targets.latency));
    }
  }
  return rows;
}

/** @param {Sides['direct']['scene']} scene */
function unmap({ mappable }) {
  if (mappable.mapState === 'mapped') mappable.unmap();
}

/**
 * @param {Sides['direct']} direct
 * @param {Record<string, RingRemote>} remotes
 * @param {Effort} effort
 */
async function frames(direct, remotes, effort) {
  /** @type {Row[]} */
  const rows = [];
  /** @type {Record<string, RingRemote[]>} */
  const hosts = {};
  for (const [name, remote] of Object.entries(remotes)) {
    // Those end with this one. More threads would be in this one, and wait in it.
    const others = name === 'thread' ? [] : Array.from({ length: HOSTS - 1 }, openProcess);
    hosts[name] = [remote, ...(await Promise.all(others))];
  }
  for (const stream of /** @type {const} */ (['no redundancy', 'typical redundant'])) {
    const ms = await raceFrames(
      Object.fromEntries(
        Object.entries({ direct: [direct], ...hosts }).map(([name, sides]) => [
          name,
          sides.map(
            ({ code, scene }) =>
              () =>
                code.encodeFrame(scene, stream, OBJECTS),
          ),
        ]),
      ),
      effort,
    );
    const commands = OBJECTS * direct.code.streams[stream].commandsPerObject;
    const rate = (/** @type {string} */ name) => (commands * 1000) / ms[name];
    for (const name of Object.keys(remotes)) {
      const metric = `ring: 10k draws, ${stream}, ${name}`;
      rows.push(row(metric, rate(name), 'commands/s', 'direct', rate('direct'), frameTargets[stream]));
    }
  }
  for (const { scene } of Object.values(hosts).flat()) await scene.assertNoError();
  return rows;
}

/**
 * Uploads, and readbacks as programs do them: results are copied into a buffer that can be mapped, and out of its range,
 * which is gone once it is unmapped.
 *
 * @param {Sides['direct']} direct
 * @param {Record<string, RingRemote>} remotes
 * @param {Effort} effort
 */
async function transfers(direct, remotes, effort) {
  /** @type {Row[]} */
  const rows = [];
  for (const mebibytes of effort.transferMiB) {
    const size = mebibytes << 20;
    const data = new Uint8Array(size).fill(mebibytes);
    const target = new Uint8Array(size);
    const sides = Object.entries({ direct, ...remotes }).map(([name, { scene }]) => ({
      name,
      scene,
      source: scene.device.createBuffer({ size, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST }),
      mappable: scene.device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }),
    }));
    const samples = new Samples();
    const count = Math.max(3, Math.min(effort.transfers, Math.round((effort.transfers * 16) / mebibytes)));
    // The first two warm up.
    for (let i = -2; i < count; i++) {
      for (const { name, scene, source, mappable } of sides) {
        const { device, queue } = scene;
        const upload = await timed(async () => {
          queue.writeBuffer(source, 0, data);
          await queue.onSubmittedWorkDone();
        });
        target.fill(0);
        const readback = await timed(async () => {
          const encoder = device.createCommandEncoder();
          encoder.copyBufferToBuffer(source, 0, mappable, 0, size);
          queue.submit([encoder.finish()]);
          await mappable.mapAsync(GPUMapMode.READ);
          target.set(new Uint8Array(mappable.getMappedRange()));
          mappable.unmap();
        });
        if (target[0] !== mebibytes || target.at(-1) !== mebibytes) {
          throw new Error(`a readback of ${size} B, ${name}, gave other bytes than were uploaded`);
        }
        if (i < 0) continue;
        samples.add(`${name} upload`, upload);
        samples.add(`${name} readback`, readback);
      }
    }
    for (const { source, mappable } of sides) for (const buffer of [source, mappable]) buffer.destroy();
    const rate = (/** @type {string} */ name) => (mebibytes * 1000) / Math.min(...samples.of(name));
    for (const name of Object.keys(remotes)) {
      for (const act of ['upload', 'readback']) {
        const metric = `ring: ${act} ${mebibytes} MiB, ${name}`;
        const target = act === 'readback' ? targets.ringReadback : null;
        rows.push(row(metric, rate(`${name} ${act}`), 'MiB/s', 'direct', rate(`direct ${act}`), target));
      }
    }
  }
  return rows;
}

/** Times by what took them, in milliseconds. */
class Samples {
  /** @type {Record<string, number[]>} */
  #all = {};

  /**
   * @param {string} name
   * @param {number} ms
   */
  add(name, ms) {
    (this.#all[name] ??= []).push(ms);
  }

  /** @param {string} name */
  of(name) {
    return this.#all[name] ?? [];
  }
}
