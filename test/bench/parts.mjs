// The parts of the benchmark by their names (options.mjs says which run when), and what each works with.
import { measureBulk } from './bulk.mjs';
import { measureBytes } from './bytes.mjs';
import { measureCodecs } from './codecs.mjs';
import { measureEndToEnd } from './end-to-end.mjs';
import { measureGrowth } from './growth.mjs';
import { measureGuest } from './guest.mjs';
import { measureGuests } from './guests.mjs';
import { measureHost } from './host.mjs';
import { openRemote } from './remote.mjs';
import { measureRings } from './ring/ring.mjs';
import { measureRoundTrips } from './round-trips.mjs';
import { openSides } from './sides.mjs';
import { measureSteadyMemory } from './steady-memory.mjs';
import { measureSustained } from './sustained.mjs';
import { measureWorkloads } from './workloads.mjs';

/** @import { Effort } from './measure.mjs' */
/** @import { Measured } from './rows.mjs' */

/**
 * What is opened when the first part asks for it, and closed at the end.
 *
 * @typedef {ReturnType<typeof openBench>} Bench
 */

export function openBench() {
  const sides = once(() => openSides());
  const repeating = once(() => openSides({ sendsRepeated: true }));
  const remote = once(openRemote);
  return {
    sides: sides.get,
    /** Their guest leaves it to the host to see what changes nothing. */
    repeating: repeating.get,
    remote: remote.get,
    async close() {
      await (await sides.opened())?.direct.scene.assertNoError();
      await (await remote.opened())?.close();
    },
  };
}

/**
 * @template T
 * @param {() => Promise<T>} open
 */
function once(open) {
  /** @type {Promise<T> | undefined} */
  let opened;
  return { get: () => (opened ??= open()), opened: () => opened };
}

/**
 * @typedef {object} Part
 * @property {string} title
 * @property {(bench: Bench, effort: Effort) => Promise<Measured>} measure
 */

/** @type {Readonly<Record<string, Part>>} */
export const parts = {
  // What comes first finds a heap without much in it.
  host: {
    title: 'Host, recorded streams',
    measure: async ({ repeating }, effort) => ({ rows: await measureHost(await repeating(), effort) }),
  },
  'end-to-end': {
    title: 'End to end',
    measure: async ({ sides, remote }, effort) => ({
      rows: await measureEndToEnd(await sides(), await remote(), effort),
    }),
  },
  'round-trips': {
    title: 'Round trips',
    measure: async ({ sides, remote }, effort) => ({
      rows: await measureRoundTrips(await sides(), await remote(), effort),
    }),
  },
  bulk: {
    title: 'Bulk data',
    measure: async ({ sides, remote }, effort) => ({ rows: await measureBulk(await sides(), await remote(), effort) }),
  },
  ring: {
    title: 'Rings in shared memory',
    measure: async ({ sides, remote }, effort) => ({ rows: await measureRings(await sides(), await remote(), effort) }),
  },
  sustained: {
    title: 'What keeps the GPU busy',
    measure: async ({ sides, remote }, effort) => ({
      rows: await measureSustained(await sides(), await remote(), effort),
    }),
  },
  codecs: { title: 'Codecs', measure: async (_, effort) => ({ rows: await measureCodecs(effort) }) },
  workloads: {
    title: 'Whole workloads',
    measure: async ({ sides, remote }, effort) => ({
      rows: await measureWorkloads(await sides(), await remote(), effort),
    }),
  },
  growth: {
    title: 'More commands and objects',
    measure: async ({ sides, remote }, effort) => measureGrowth(await sides(), await remote(), effort),
  },
  guests: { title: 'More guests', measure: (_, effort) => measureGuests(effort) },
  memory: {
    title: 'Memory behind many commands',
    measure: (_, effort) => measureSteadyMemory(effort),
  },
  // These two last, as the hosts that they discard commands of know nothing of what their guests do from then on.
  guest: {
    title: 'Guest, calls',
    measure: async ({ sides }, effort) => ({ rows: await measureGuest(await sides(), effort) }),
  },
  bytes: {
    title: 'Bytes of calls',
    measure: async ({ repeating }) => ({ rows: await measureBytes(await repeating()) }),
  },
};
