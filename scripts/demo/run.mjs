// The main job, `npm start`: a host in this process, a guest in another one, every byte between them over a Unix socket.
// Shows progress while the guest works, then a summary. Exits as the guest does.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { parseOptions } from './options.mjs';
import { summaryLines } from './summary.mjs';

const HELP = `usage: npm start -- [--frames N] [--out DIR]

Starts a host and, as a process of its own, a guest program that computes and renders on the host's GPU.

  --frames N   how many frames of the animation's loop to draw, 1 to 9999 (default: 1)
  --out DIR    the folder for the pictures (default: out)
  --help       this text`;

const started = performance.now();

/** @param {string} line */
function progress(line) {
  console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}`);
}

/**
 * Runs the guest program with the host's address and shows what it says on stderr.
 * @param {string} address
 * @param {{ out: string, frames: number }} options
 * @returns {Promise<{ status: number, output: string }>} exit status, 128 + n for signal n, and its stdout
 */
function runGuest(address, { out, frames }) {
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
  createInterface({ input: child.stderr }).on('line', (line) => progress(`guest  ${line}`));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((settle, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      settle({ status: status ?? 128 + (signal === null ? 0 : constants.signals[signal]), output });
    });
  });
}

/**
 * @param {{ out: string, frames: number }} options
 * @returns {Promise<number>} the exit status
 */
async function demonstrate(options) {
  const { createLogger, startPrivateBroker } = await import('@vesper-gpu/cli');
  progress('host   looking for a GPU driver …');
  /** @type {import('@vesper-gpu/cli').SessionReport[]} */
  const sessions = [];
  const broker = await startPrivateBroker({
    logger: createLogger('warn'),
    // There is one guest: the host of a second one is not to take its processor at the start.
    spareDelayMs: 60_000,
    sessionEnded: (report) => void sessions.push(report),
  });
  const { driver } = broker;
  progress(`host   ${driver.reason.at(-1)}`);
  let guest;
  try {
    guest = await runGuest(broker.address, options);
  } finally {
    await broker.close();
  }
  const last = guest.output.trim().split('\n').at(-1) ?? '';
  if (last === '') {
    console.error(`\nThe guest ended with status ${guest.status} and without a result.`);
    return guest.status || 1;
  }
  const totalMs = performance.now() - started;
  console.log(`\n${summaryLines(JSON.parse(last), { driver, sessions, totalMs }).join('\n')}`);
  return guest.status;
}

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  console.log(HELP);
} else {
  let options;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message.split('\n')[0] : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
  try {
    process.exitCode = await demonstrate(options);
  } catch (error) {
    // What the host says when it has no driver or cannot listen explains itself.
    const known = error instanceof Error && ['DriverError', 'ConnectionError'].includes(error.name);
    console.error(known ? error.message : error);
    process.exitCode = 1;
  }
}
