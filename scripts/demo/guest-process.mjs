// Runs the demonstration's guest program as a process of this machine.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * Runs the guest program with a host's address.
 * @param {string} address
 * @param {{ out: string, frames: number, line: (text: string) => void }} options line: what it says on stderr, line by line
 * @returns {Promise<{ status: number, output: string }>} exit status, 128 + n for signal n, and its stdout
 */
export function runGuest(address, { out, frames, line }) {
  // Resolved from here, so that it is found wherever the demonstration is started.
  const register = import.meta.resolve('@vesper-gpu/register');
  const program = fileURLToPath(new URL('guest.mjs', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--import', register, program, '--out', resolve(out), '--frames', String(frames)],
    { env: { ...process.env, VESPER_ADDRESS: address }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  // A terminal sends Ctrl-C to the guest too; this process goes on to end the host in order.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  createInterface({ input: child.stderr }).on('line', line);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((settle, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      settle({ status: status ?? 128 + (signal === null ? 0 : constants.signals[signal]), output });
    });
  });
}
