// A host in a process of its own, with a folder for its sockets.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @param {URL} file the program: it sends a message once it listens, and ends with its channel
 * @param {(folder: string) => string[]} argsIn its arguments
 * @param {import('node:child_process').ForkOptions} [options]
 */
export async function forkHost(file, argsIn, options) {
  const folder = await mkdtemp(join(tmpdir(), 'vesper-bench-'));
  const host = fork(fileURLToPath(file), argsIn(folder), options);
  const stop = async () => {
    if (host.connected) {
      const exit = once(host, 'exit');
      host.disconnect();
      await exit;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [ready] = await Promise.race([
      once(host, 'message'),
      once(host, 'exit').then(([status, signal]) => {
        throw new Error(`the host process ended with ${signal ?? `status ${status}`} before it listened`);
      }),
    ]);
    return { host, ready, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
