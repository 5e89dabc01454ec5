// Soak test: guests and executors are killed at random points of their work, one after the other, beside guests that go
// on. The broker's memory, descriptors and processes must be what they were, the others' results right, and a guest must
// learn of its executor's end at once. Needs a build and Linux (/proc).
//   node scripts/soak/kills.mjs [--count N] [--survivors N] [--driver DRIVER] [--seed N]
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { startDaemon } from './daemon.mjs';
import { openGuest } from './guest.mjs';

/** The contract: how long, in milliseconds, device.lost may take. */
const ALLOWED_LOSS_MS = 500;
/** How much memory the broker may gain behind the warm-up, in MiB: what a garbage collector leaves lying about. */
const ALLOWED_GROWTH_MIB = 20;
/** Kills behind which caches are filled and code is compiled. */
const WARM_UP = 50;
/** A victim works for at most so long, in milliseconds, before it is killed. */
const MAX_WORK_MS = 80;
const REPORT_EVERY = 100;
const GUEST_FILE = fileURLToPath(new URL('guest.mjs', import.meta.url));

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    survivors: { type: 'string', default: '2' },
    driver: { type: 'string', default: 'auto' },
    seed: { type: 'string', default: '1' },
  },
});
const [count, survivorCount, seed] = [values.count, values.survivors, values.seed].map((text) => {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  console.error('kills.mjs: --count, --survivors and --seed want whole numbers');
  return process.exit(2);
});

/** Executors that took a guest, in the order of their guests. */
const executors = [];
const daemon = await startDaemon(['--driver', values.driver], ({ msg, pid }) => {
  if (/^guest \d+ connected/.test(msg)) executors.push(pid);
});
let state = seed;
/** A number from 0 to 1; the same ones in each run. */
function random() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

const lossMs = [];
const kinds = { executor: 0, connection: 0, process: 0 };
try {
  process.exitCode = await soak();
} finally {
  await daemon.stop();
}

/** @returns {Promise<number>} the exit status */
async function soak() {
  const survivors = [];
  for (let i = 0; i < survivorCount; i++) survivors.push(await startProcess('survive'));
  const started = performance.now();
  let warm = await measure(survivorCount);
  const first = warm;
  show(0, first, started);
  let last = first;
  for (let done = 1; done <= count; done++) {
    await killOne();
    if (done % REPORT_EVERY !== 0 && done !== count && done !== WARM_UP) continue;
    last = await measure(survivorCount);
    if (done <= WARM_UP) warm = last;
    show(done, last, started);
  }
  const rounds = await Promise.all(survivors.map((survivor) => survivor.finish()));
  lossMs.sort((a, b) => a - b);
  const slowest = lossMs.at(-1) ?? 0;
  console.log(
    `${count} kills: ${kinds.executor} executors, ${kinds.connection} connections, ${kinds.process} guest processes; ` +
      `device.lost after ${(lossMs[lossMs.length >> 1] ?? 0).toFixed(1)} ms in the median, ${slowest.toFixed(1)} ms at most; ` +
      `survivors verified ${rounds.join(' and ')} results; memory ${(last.rssMiB - warm.rssMiB).toFixed(1)} MiB since the warm-up`,
  );
  const problems = [];
  for (const name of ['descriptors', 'processes']) {
    if (last[name] !== first[name]) problems.push(`${name}: ${first[name]} at the start, ${last[name]} at the end`);
  }
  if (last.rssMiB - warm.rssMiB > ALLOWED_GROWTH_MIB) problems.push('the memory of the broker grew');
  if (slowest > ALLOWED_LOSS_MS) problems.push(`device.lost took ${slowest.toFixed(0)} ms`);
  for (const [i, verified] of rounds.entries()) {
    if (!(verified > 0)) problems.push(`survivor ${i + 1} did not survive: ${verified}`);
  }
  for (const problem of problems) console.error(`kills: ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

/** One guest, from its first word to its violent end. */
async function killOne() {
  const kind = random() < 0.5 ? 'executor' : random() < 0.6 ? 'connection' : 'process';
  const workMs = random() * MAX_WORK_MS;
  kinds[kind]++;
  if (kind === 'process') {
    const victim = await startProcess('work');
    await sleep(workMs);
    victim.child.kill('SIGKILL');
    await victim.ended;
    return;
  }
  const known = executors.length;
  const guest = await openGuest(daemon.address);
  while (executors.length === known) await sleep(1);
  const pid = executors[known];
  const working = guest.workUntilLost();
  await sleep(workMs);
  const killedMs = performance.now();
  if (kind === 'connection') guest.cut();
  else process.kill(pid, 'SIGKILL');
  await guest.device.lost;
  if (kind === 'executor') lossMs.push(performance.now() - killedMs);
  await working;
}

/** @param {'survive' | 'work'} what */
async function startProcess(what) {
  const child = fork(GUEST_FILE, [what, daemon.address], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = new Promise((resolve) => child.once('exit', (status, signal) => resolve(signal ?? status)));
  const messages = [];
  child.on('message', (message) => messages.push(message));
  await Promise.race([new Promise((resolve) => child.once('message', resolve)), ended]);
  return {
    child,
    ended,
    /** @returns {Promise<number | string>} how many results it verified, or how it ended */
    async finish() {
      const result = new Promise((resolve) => child.on('message', resolve));
      if (child.connected) child.send('finish');
      const first = await Promise.race([result, ended]);
      await ended;
      return first;
    },
  };
}

/** The broker's figures once only the survivors' executors and the one that is kept ready are left. */
async function measure(guests) {
  await daemon.settled(guests);
  return { rssMiB: daemon.rssMiB(), descriptors: daemon.descriptors(), processes: descendants(daemon.pid) };
}

/** @returns {number} how many processes a process has below it */
function descendants(pid) {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? 0 : text.split(' ').reduce((sum, child) => sum + 1 + descendants(child), 0);
}

function show(done, { rssMiB, descriptors, processes }, started) {
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `${String(done).padStart(6)} kills ${rssMiB.toFixed(1).padStart(7)} MiB ${descriptors} descriptors ${processes} processes ${seconds} s`,
  );
}
