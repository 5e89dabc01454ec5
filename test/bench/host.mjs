// What a stream costs the host: frames that were recorded are decoded and executed, beside the same calls made directly.
import { race, turn } from './measure.mjs';
import { row } from './rows.mjs';
import { targets } from './targets.mjs';

/** @import { Sides } from './sides.mjs' */
/** @import { Effort } from './measure.mjs' */
/** @import { Row } from './rows.mjs' */

const OBJECTS = 256;

const streams = { 'no redundancy': targets.hostDistinct, 'typical redundant': targets.hostRedundant };

/**
 * @param {Sides} sides
 * @param {Effort} effort
 * @returns {Promise<Row[]>}
 */
export async function measureHost(sides, effort) {
  /** @type {Row[]} */
  const rows = [];
  sides.loopback.mode = 'deliver';
  for (const name of /** @type {(keyof typeof streams)[]} */ (Object.keys(streams))) {
    const frames = await record(sides, name);
    const ns = await race({ host: hostContender(sides, frames), direct: directContender(sides, name) }, effort);
    const commands = OBJECTS * sides.direct.code.streams[name].commandsPerObject;
    rows.push(
      row(
        `host: decode + execute, ${name}`,
        ns.host / commands,
        'ns/command',
        'direct',
        ns.direct / commands,
        streams[name],
      ),
    );
  }
  await sides.guest.scene.assertNoError();
  await sides.direct.scene.assertNoError();
  return rows;
}

/**
 * The frames of a stream alone: without the pass around it, whose id is another one each time.
 *
 * @param {Sides} sides
 * @param {keyof typeof streams} name
 */
async function record({ guest, loopback, session }, name) {
  const { pass, finish } = guest.code.beginPass(guest.scene);
  await turn();
  loopback.recorded = [];
  loopback.mode = 'record';
  const { run, commandsPerObject } = guest.code.streams[name];
  run(pass, guest.scene, OBJECTS);
  await turn();
  loopback.mode = 'deliver';
  const frames = loopback.recorded;
  await settle();
  const before = session.statistics.commands;
  for (const frame of frames) loopback.feed(frame);
  const executed = session.statistics.commands - before;
  if (executed !== OBJECTS * commandsPerObject) {
    throw new Error(`the host executed ${executed} commands of a stream of ${OBJECTS * commandsPerObject}`);
  }
  finish();
  await settle();
  return frames;
}

/**
 * Feeds the frames to a pass that the guest has opened, as if it had just sent them.
 *
 * @param {Sides} sides
 * @param {Uint8Array[]} frames
 * @returns {import('./measure.mjs').Contender}
 */
function hostContender({ guest, loopback }, frames) {
  /** @type {ReturnType<typeof guest.code.beginPass>} */
  let open;
  return {
    count: 1,
    async before() {
      open = guest.code.beginPass(guest.scene);
      await settle();
    },
    run() {
      for (const frame of frames) loopback.feed(frame);
    },
    async after() {
      open.finish();
      await settle();
    },
  };
}

/**
 * @param {Sides} sides
 * @param {keyof typeof streams} name
 * @returns {import('./measure.mjs').Contender}
 */
function directContender({ direct }, name) {
  const { run } = direct.code.streams[name];
  /** @type {ReturnType<typeof direct.code.beginPass>} */
  let open;
  return {
    count: 1,
    async before() {
      open = direct.code.beginPass(direct.scene);
      await settle();
    },
    run: () => run(open.pass, direct.scene, OBJECTS),
    async after() {
      open.finish();
      await settle();
    },
  };
}

/** Long enough for a frame to be sent and executed. */
async function settle() {
  await turn();
  await turn();
}
