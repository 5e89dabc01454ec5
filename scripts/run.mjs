import { spawn } from 'node:child_process';

import { root } from './setup.mjs';

/**
 * Runs a node script in the repository with this process's terminal, and waits for it.
 *
 * @param {readonly string[]} args script and its arguments; a relative script counts from the repository
 * @returns {Promise<number>} its exit status; 128 + n when signal n ended it, as shells have it
 */
export function runNode(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    // A terminal sends Ctrl-C to both: the child decides, this process reports. Other signals are passed on.
    const passOn = (signal) => child.kill(signal);
    const ignore = () => {};
    process.on('SIGINT', ignore);
    process.on('SIGTERM', passOn);
    child.on('error', reject);
    child.on('close', (status, signal) => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', passOn);
      resolve(
        status ?? 128 + ({ SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }[signal] ?? 0),
      );
    });
  });
}
