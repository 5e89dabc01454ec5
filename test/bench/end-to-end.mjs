// Whole frames: encoded, sent, decoded, executed, and their outcome waited for.
import { HOSTS, raceFrames } from './measure.mjs';
import { openRemote } from './remote.mjs';
import { row } from './rows.mjs';
import { targets } from './targets.mjs';

/** @import { Remote } from './remote.mjs' */
/** @import { Sides } from './sides.mjs' */
/** @import { Effort } from './measure.mjs' */
/** @import { Row } from './rows.mjs' */

const OBJECTS = 10_000;
const streams = { 'no redundancy': targets.endToEndDistinct, 'typical redundant': targets.endToEndRedundant };

/**
 * @param {Sides} sides
 * @param {Remote} remote
 * @param {Effort} effort
 * @returns {Promise<Row[]>}
 */
export async function measureEndToEnd({ loopback, guest, direct }, remote, effort) {
  /** @type {Row[]} */
  const rows = [];
  loopback.mode = 'deliver';
  // They end with this process.
  const others = await Promise.all(Array.from({ length: HOSTS - 1 }, openRemote));
  const remotes = [remote, ...others];
  for (const [name, target] of Object.entries(streams)) {
    const stream = /** @type {keyof typeof streams} */ (name);
    const ms = await raceFrames(
      {
        direct: [() => direct.code.encodeFrame(direct.scene, stream, OBJECTS)],
        'in-process': [() => guest.code.encodeFrame(guest.scene, stream, OBJECTS)],
        'Unix socket': remotes.map(
          ({ code, scene }) =>
            () =>
              code.encodeFrame(scene, stream, OBJECTS),
        ),
      },
      effort,
    );
    const commands = OBJECTS * direct.code.streams[stream].commandsPerObject;
    const perSecond = (/** @type {keyof typeof ms} */ side) => (commands * 1000) / ms[side];
    for (const side of /** @type {const} */ (['in-process', 'Unix socket'])) {
      rows.push(
        row(
          `end to end: 10k draws, ${name}, ${side}`,
          perSecond(side),
          'commands/s',
          'direct',
          perSecond('direct'),
          target,
        ),
      );
    }
  }
  for (const { scene } of [direct, guest, ...remotes]) await scene.assertNoError();
  return rows;
}
