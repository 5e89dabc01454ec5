// A process in which memory is measured, as nothing else lies about in it: of Dawn called directly, or of a guest and its
// host. Does what its parent asks, one thing at a time: node --expose-gc memory-process.mjs direct|remote
import { openGPU } from '@vesper-gpu/dawn';
import { memoryBehindCollection, memoryNow } from '../memory.mjs';
import { openRemote } from '../remote.mjs';
import * as directCode from '../scene.mjs';

/** @import { Memory } from '../memory.mjs' */

/**
 * `commands` and `objects`: what so many take. `busy`: what is left behind frames of so many commands in all.
 *
 * @typedef {{ what: 'commands' | 'objects' | 'busy', count: number }} Task
 */

/** Of this process, and of the host's if there is one. @typedef {{ here: Memory, host: Memory | undefined }} Figures */

const COMMANDS_PER_FRAME = 3000;

const side = await openSide();
process.on('message', (/** @type {Task} */ task) => {
  void perform(task).then((figures) => process.send?.(figures));
});
process.on('disconnect', () => void side.close().then(() => process.exit()));
process.send?.('ready');

/** @returns {Promise<Pick<import('../remote.mjs').Remote, 'code' | 'scene' | 'close'> & { hostMemory(): Promise<Memory | undefined> }>} */
async function openSide() {
  if (process.argv[2] === 'remote') return openRemote();
  return {
    code: directCode,
    scene: await directCode.makeScene(openGPU()),
    hostMemory: async () => undefined,
    close: async () => {},
  };
}

/** @param {Task} task @returns {Promise<Figures>} */
async function perform({ what, count }) {
  const { code, scene, hostMemory } = side;
  if (what === 'commands') {
    const finish = code.openFrame(scene, count);
    // At this moment, they are all in a guest's queue.
    const here = memoryNow();
    await code.settled(scene);
    const host = await hostMemory();
    finish();
    return { here, host };
  }
  if (what === 'objects') {
    /** @type {{ destroy?(): void }[]} */
    const made = [];
    code.deviceLoops.createBuffer(scene, count, made);
    await code.settled(scene);
    const figures = { here: memoryNow(), host: await hostMemory() };
    for (const object of made) object.destroy?.();
    await code.settled(scene);
    return figures;
  }
  for (let done = 0; done < count; done += COMMANDS_PER_FRAME) await code.busyFrame(scene, COMMANDS_PER_FRAME);
  // What is collected here is released there, and then collected there.
  await memoryBehindCollection();
  await code.settled(scene);
  const host = await hostMemory();
  return { here: await memoryBehindCollection(), host };
}
