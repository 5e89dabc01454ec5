// The main job, `npm start`: a host in this process, a guest in another one, every byte between them over a Unix socket.
// Shows progress while the guest works, then a summary. Exits as the guest does.
import { runGuest } from './guest-process.mjs';
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
    guest = await runGuest(broker.address, { ...options, line: (line) => progress(`guest  ${line}`) });
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
