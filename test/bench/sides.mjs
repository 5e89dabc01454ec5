// The two sides of most comparisons, in this process and on the same driver: Dawn called directly, and a guest of a host.
import { openGPU } from '@vesper-gpu/dawn';
import { connect } from '@vesper-gpu/guest';
import { serveGuest } from '@vesper-gpu/host';
import { collectGarbage, hostMemory } from './collector.mjs';
import * as directCode from './scene.mjs?direct';
import * as guestCode from './scene.mjs?guest';
import { Loopback } from './loopback.mjs';
import { turn } from './measure.mjs';

/**
 * A GPU, what was made with it, and the copy of the code that works with it.
 *
 * @typedef {object} Side
 * @property {typeof guestCode} code
 * @property {guestCode.Scene} scene
 * @property {() => Promise<unknown>} idle waits until what was given to the queue is done
 */

/**
 * @typedef {object} Sides
 * @property {Loopback} loopback between the guest and its host
 * @property {import('@vesper-gpu/host').Session} session
 * @property {import('@vesper-gpu/guest').GuestConnection} connection
 * @property {Side} guest
 * @property {Side} direct
 */

/**
 * @param {import('@vesper-gpu/guest').ConnectOptions} [options] of the guest
 * @returns {Promise<Sides>}
 */
export async function openSides(options) {
  const gpu = openGPU();
  const directScene = await directCode.makeScene(gpu);
  const loopback = new Loopback();
  // What is fed to it has been executed behind that, however long it takes.
  const session = serveGuest(loopback.host, { gpu, memory: hostMemory, turnMs: Infinity });
  const connection = await connect(loopback.guest, { collectGarbage, ...options });
  const guestScene = await guestCode.makeScene(connection.gpu);
  return {
    loopback,
    session,
    connection,
    guest: { code: guestCode, scene: guestScene, idle: turn },
    direct: {
      code: directCode,
      scene: directScene,
      idle() {
        directScene.queue.submit([]);
        return directScene.queue.onSubmittedWorkDone();
      },
    },
  };
}
