// Soak test: guests connect, run a few commands and leave, one after the other; the daemon's memory and descriptors must
// stay where they were. Needs a build and Linux (/proc).   node scripts/soak/churn.mjs [--guests N]
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { connect } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';

/** Guests after which the daemon has warmed up: caches are filled, code is compiled. */
const WARM_UP_GUESTS = 100;
/** How much memory the daemon may gain behind the warm-up, in MiB: what a garbage collector leaves lying about. */
const ALLOWED_GROWTH_MIB = 20;
const REPORT_EVERY = 100;

const { values } = parseArgs({ options: { guests: { type: 'string', default: '1000' } } });
const guests = Number(values.guests);
if (!Number.isInteger(guests) || guests < 1) {
  console.error('churn.mjs: --guests wants a whole number');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'vesper-churn-'));
const address = `unix:${join(folder, 'gpu')}`;
const launcher = fileURLToPath(new URL('../../packages/cli/bin/vesper.js', import.meta.url));
const daemon = spawn(process.execPath, [launcher, 'serve', '--listen', address, '--log-level', 'warn'], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
const daemonEnd = new Promise((resolve) => daemon.on('exit', (status, signal) => resolve(signal ?? status)));

try {
  process.exitCode = await soak();
} finally {
  daemon.kill('SIGTERM');
  await daemonEnd;
  rmSync(folder, { recursive: true, force: true });
}

/** @returns {Promise<number>} the exit status */
async function soak() {
  await ready();
  const started = performance.now();
  const first = await measure();
  show(0, first, started);
  let warm = first;
  let last = first;
  for (let guest = 1; guest <= guests; guest++) {
    await visit();
    if (guest % REPORT_EVERY !== 0 && guest !== guests) continue;
    last = await measure();
    if (guest <= WARM_UP_GUESTS) warm = last;
    show(guest, last, started);
  }
  const growthMiB = last.rssMiB - warm.rssMiB;
  const problems = [];
  if (last.descriptors !== first.descriptors) {
    problems.push(`descriptors: ${first.descriptors} at the start, ${last.descriptors} at the end`);
  }
  if (growthMiB > ALLOWED_GROWTH_MIB) {
    problems.push(`memory grew by ${growthMiB.toFixed(1)} MiB after the warm-up, limit ${ALLOWED_GROWTH_MIB}`);
  }
  for (const problem of problems) console.error(`churn: ${problem}`);
  if (problems.length === 0) {
    console.log(`${guests} guests: descriptors as before, memory ${growthMiB.toFixed(1)} MiB since the warm-up`);
  }
  return problems.length === 0 ? 0 : 1;
}

/** Waits until the daemon lets a guest in. */
async function ready() {
  const giveUpAt = performance.now() + 30_000;
  for (;;) {
    try {
      await visit();
      return;
    } catch (error) {
      if (daemon.exitCode !== null || performance.now() > giveUpAt) throw error;
      await sleep(100);
    }
  }
}

/** One guest: a device, a buffer, 16 bytes to the GPU and back. */
async function visit() {
  const { gpu, globals, close } = await connect(await openTransport(address));
  const { GPUBufferUsage, GPUMapMode } = globals;
  const adapter = await gpu.requestAdapter();
  const device = await adapter.requestDevice();
  const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  device.queue.writeBuffer(buffer, 0, new Uint32Array([1, 2, 3, 4]));
  await buffer.mapAsync(GPUMapMode.READ);
  if (new Uint32Array(buffer.getMappedRange())[3] !== 4) throw new Error('the GPU gave back other data');
  await close();
}

/** The daemon's figures once only the executor that is kept ready is left. */
async function measure() {
  const children = () => readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8').trim().split(/\s+/);
  const giveUpAt = performance.now() + 15_000;
  do await sleep(500);
  while (children().length !== 1 && performance.now() < giveUpAt);
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8')) ?? [];
  return { rssMiB: Number(kib) / 1024, descriptors: readdirSync(`/proc/${daemon.pid}/fd`).length };
}

/**
 * @param {number} guest
 * @param {{ rssMiB: number, descriptors: number }} figures
 * @param {number} started
 */
function show(guest, { rssMiB, descriptors }, started) {
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `${String(guest).padStart(6)} guests ${rssMiB.toFixed(1).padStart(7)} MiB ${descriptors} descriptors ${seconds} s`,
  );
}
