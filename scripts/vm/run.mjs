// What `npm run vm` does: a real broker, a machine whose port is connected to it, and a program in that machine.
import { parseAddress } from '@vesper-gpu/transport';
import { createLogger, startPrivateBroker } from '@vesper-gpu/cli';

import { Machine } from './machine.mjs';
import { mainJob } from './main-job.mjs';
import { otherProgram } from './other-program.mjs';
import { prepare } from './prepare.mjs';

/** @typedef {import('@vesper-gpu/cli').SessionReport} SessionReport */
/**
 * @typedef {object} Scene where the jobs run
 * @property {import('@vesper-gpu/cli').PrivateBroker} broker
 * @property {(guest: number) => Promise<SessionReport>} sessionEnd how the session of a guest ended, counted from 1 as they come
 * @property {() => Promise<Machine>} boot
 * @property {(line: string) => void} progress
 * @property {import('./options.mjs').Options} options
 */

const startedMs = performance.now();

/** @param {string} line */
function progress(line) {
  console.log(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${line}`);
}

/**
 * @param {import('./options.mjs').Options} options
 * @returns {Promise<number>} the exit status
 * @throws {Error} a VmProblem, DriverError or ConnectionError explains itself
 */
export async function run(options) {
  progress('vm     preparing the guest …');
  const { release, isNew, ...parts } = await prepare(options);
  progress(`vm     kernel ${release}, image ${isNew ? 'made' : 'up to date'}`);
  const ends = new SessionEnds();
  const broker = await startPrivateBroker({
    logger: createLogger('warn'),
    ...(options.driver === undefined ? {} : { driver: options.driver }),
    sessionEnded: (report) => ends.add(report),
  });
  try {
    progress(`host   ${broker.driver.reason.at(-1)}`);
    const address = parseAddress(broker.address);
    if (address.kind !== 'unix') throw new Error('a private broker listens at a Unix socket');
    const boot = async () => {
      progress('vm     booting …');
      const { isShell, isTcg } = options;
      return Machine.start({ ...parts, gpu: address.path, isShell, isTcg, staysOff: true });
    };
    /** @type {Scene} */
    const scene = { broker, sessionEnd: (guest) => ends.of(guest), boot, progress, options };
    if (options.isShell) return await shell(scene);
    return await (options.command.length > 0 ? otherProgram(scene) : mainJob(scene, startedMs));
  } finally {
    await broker.close();
  }
}

/** The ends of sessions, for whoever waits for them. */
class SessionEnds {
  /** @type {Map<number, { promise: Promise<SessionReport>, resolve: (report: SessionReport) => void }>} */
  #ends = new Map();

  /** @param {SessionReport} report */
  add(report) {
    this.#end(report.guest).resolve(report);
  }

  /** @param {number} guest @returns {Promise<SessionReport>} */
  of(guest) {
    return this.#end(guest).promise;
  }

  /** @param {number} guest */
  #end(guest) {
    let end = this.#ends.get(guest);
    if (end === undefined) {
      /** @type {(report: SessionReport) => void} */
      let resolve = () => {};
      const promise = new Promise((settle) => (resolve = settle));
      end = { promise, resolve };
      this.#ends.set(guest, end);
    }
    return end;
  }
}

/** @param {Scene} scene */
async function shell({ boot }) {
  // The terminal's keys are the guest's.
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTSTP']) process.on(signal, () => {});
  const machine = await boot();
  const { status } = await machine.ended;
  return status ?? 1;
}
