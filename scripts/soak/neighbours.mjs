// Soak test: a healthy guest beside one that attacks the host in each way of the table of hostile inputs, as fast as it
// is let. What the healthy one waits for is compared with what it waits for alone, in turns.
//   node scripts/soak/neighbours.mjs [--seconds N] [--only ATTACK] [--driver DRIVER]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { connect } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';
import { ProcessorGroups } from '../../packages/cli/dist/broker/processor-groups.js';
import { startDaemon } from './daemon.mjs';
import { at, roundTrips } from './round-trips.mjs';

/** The contract: how much longer the slowest hundredth of a healthy guest's round trips may take. */
const ALLOWED_RATIO = 2;
const ROUNDS = 4;
/** Where the hostile guest itself may compute: a virtual machine of one processor. What the host does for it may be anywhere. */
const LAST_PROCESSOR = String(availableParallelism() - 1);
const HOSTILE = fileURLToPath(new URL('hostile-guest.mjs', import.meta.url));
const ATTACKS = [
  // Not one: what any other program at the lowest priority does to a healthy guest here.
  'control: computes and allocates for itself',
  'endless shader',
  'compile bomb',
  'refused compile bomb',
  'long WGSL',
  'mapped memory',
  'written memory',
  'long labels',
  'errors',
  'garbage',
];
/** What the hostile guest is held to. */
const POLICY = {
  vesperPolicy: 1,
  roles: {
    guest: {
      allow: ['@transfer', '@compute', '@render', '@debug', '@query'],
      wgsl: { compileMs: 2000 },
      budget: { gpuMemory: '512MiB', processMemory: '2GiB', hangMs: 2000 },
    },
  },
};

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '16' },
    only: { type: 'string' },
    driver: { type: 'string', default: 'auto' },
  },
});
const seconds = Number(values.seconds);
if (!Number.isInteger(seconds) || seconds < 1) {
  console.error('neighbours.mjs: --seconds wants a whole number');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'vesper-policy-'));
const policyFile = join(folder, 'policy.json');
writeFileSync(policyFile, JSON.stringify(POLICY));
const groups = ProcessorGroups.open();
const daemon = await startDaemon(['--driver', values.driver, '--policy', policyFile]);
try {
  process.exitCode = await soak();
} finally {
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** @returns {Promise<number>} the exit status */
async function soak() {
  const connection = await connect(await openTransport(daemon.address));
  const adapter = await connection.gpu.requestAdapter();
  const device = await adapter.requestDevice();
  await roundTrips(device, 2); // code is compiled, caches are filled
  let worst = 0;
  for (const attack of ATTACKS.filter((one) => values.only === undefined || one === values.only)) {
    const ratio = await beside(attack, device);
    if (!attack.startsWith('control')) worst = Math.max(worst, ratio);
  }
  await connection.close();
  if (worst <= ALLOWED_RATIO) return 0;
  console.error(`neighbours: p99 of a healthy guest ${worst.toFixed(2)} times as long`);
  return 1;
}

/**
 * @param {string} attack
 * @param {GPUDevice} device of the healthy guest
 * @returns {Promise<number>} how many times as long its slowest hundredth takes
 */
async function beside(attack, device) {
  const [quiet, during] = [[], []];
  let losses = 0;
  for (let round = 0; round < ROUNDS; round++) {
    quiet.push(...(await roundTrips(device, seconds / ROUNDS)));
    const hostile = spawn('taskset', ['-c', LAST_PROCESSOR, process.execPath, HOSTILE, daemon.address, attack], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    // What a guest itself computes is for its virtual machine to limit: only what the host does for it is of interest.
    const group = groups?.add([hostile.pid]);
    if (group?.setIdle(true) !== true) writeFileSync(`/proc/${hostile.pid}/autogroup`, '19');
    hostile.stdout.on('data', (text) => (losses += String(text).split('\n').length - 1));
    const ended = new Promise((resolve) => hostile.once('exit', resolve));
    await sleep(1000);
    during.push(...(await roundTrips(device, seconds / ROUNDS)));
    hostile.kill('SIGKILL');
    await ended;
    if (group !== undefined) groups?.remove(group);
    await daemon.settled(1);
  }
  const ratio = at(during, 0.99) / at(quiet, 0.99);
  console.log(
    `${attack}: healthy p99 ${at(quiet, 0.99).toFixed(2)} -> ${at(during, 0.99).toFixed(2)} ms (${ratio.toFixed(2)}x), ` +
      `median ${at(quiet, 0.5).toFixed(2)} -> ${at(during, 0.5).toFixed(2)} ms; the hostile one lost its device ${losses} times; ` +
      `broker ${daemon.rssMiB().toFixed(0)} MiB`,
  );
  return ratio;
}
