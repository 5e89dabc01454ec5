// The parent's end of memory-process.mjs.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** @import { Figures, Task } from './memory-process.mjs' */

/**
 * @param {'direct' | 'remote'} side
 * @returns {Promise<{ perform(what: Task['what'], count: number): Promise<Figures>, close(): Promise<unknown> }>}
 */
export async function startMeasured(side) {
  const child = fork(fileURLToPath(new URL('memory-process.mjs', import.meta.url)), [side], {
    execArgv: ['--expose-gc'],
  });
  const exit = once(child, 'exit');
  const answer = async () => {
    const ended = exit.then(([status, signal]) => {
      throw new Error(`the process whose memory is measured ended with ${signal ?? `status ${status}`}`);
    });
    const [message] = await Promise.race([once(child, 'message'), ended]);
    return message;
  };
  await answer();
  return {
    perform(what, count) {
      child.send({ what, count });
      return answer();
    },
    close() {
      child.disconnect();
      return exit;
    },
  };
}
