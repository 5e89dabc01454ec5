// The main job: the demonstration without a VM, then in one, on the same driver; the pictures have to be equal.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { basename, join } from 'node:path';
import { decode } from 'fast-png';

import { runGuest } from '../demo/guest-process.mjs';
import { bytes, milliseconds, summaryLines } from '../demo/summary.mjs';
import { bundle } from './bundle.mjs';
import { takeFiles } from './files.mjs';
import { DEMO, REGISTER } from './image.mjs';
import { putProgram } from './other-program.mjs';
import { VmProblem } from './problem.mjs';

/** @typedef {{ latencyMs: { least: number, median: number }, upBytesPerSecond: number, downBytesPerSecond: number }} Figures */

/**
 * @param {import('./run.mjs').Scene} scene
 * @param {number} startedMs when the whole began
 * @returns {Promise<number>} the exit status
 */
export async function mainJob({ broker, sessionEnd, boot, progress, options }, startedMs) {
  // One after the other: each has the machine for itself, and guest 2 is the one in the VM.
  const local = await runLocal(broker.address, options.out, progress);
  const machine = await boot();
  try {
    progress(`guest  up after ${(machine.bootMs / 1000).toFixed(1)} s`);
    const inVm = await runDemo(machine, (line) => progress(`guest  ${line}`));
    const session = await sessionEnd(2);
    const files = await takeFiles(machine.control, options.out);
    progress('guest  measuring the port …');
    const figures = await measure(machine);

    /** @type {import('../demo/guest.mjs').Summary} */
    const summary = JSON.parse(inVm.stdout.trim().split('\n').at(-1) ?? '');
    // They are here now.
    const frames = summary.frames.map(({ file, ...rest }) => ({
      ...rest,
      file: files.find((path) => basename(path) === basename(file)) ?? file,
    }));
    const differences = differingPixels(frames[0]?.file ?? '', local.frames[0]?.file ?? '');
    const totalMs = performance.now() - startedMs;
    const rows = vmRows(machine.bootMs, figures, differences);
    const { driver } = broker;
    const isRight = differences === 0;
    const lines = summaryLines({ ...summary, frames }, { driver, sessions: [session], totalMs, rows, isRight });
    console.log(`\n${lines.join('\n')}`);
    return isRight && inVm.status === 0 ? 0 : 1;
  } finally {
    await machine.kill();
  }
}

/**
 * The same program as a process of this machine, with the same host.
 * @param {string} address @param {string} out @param {(line: string) => void} progress
 * @returns {Promise<import('../demo/guest.mjs').Summary>}
 */
async function runLocal(address, out, progress) {
  const { status, output } = await runGuest(address, {
    out: join(out, 'local'),
    frames: 1,
    line: (line) => progress(`local  ${line}`),
  });
  if (status !== 0) throw new VmProblem('the program failed without a VM: `npm start` shows more');
  return JSON.parse(output);
}

/** @param {import('./machine.mjs').Machine} machine @param {(line: string) => void} line */
async function runDemo({ control }, line) {
  const ending = await control.run(['node', '--import', REGISTER, DEMO, '--out', '/work'], {
    stderr: (text) => text.trimEnd().split('\n').forEach(line),
  });
  if (ending.stdout.trim() !== '') return ending;
  throw new VmProblem(
    `the program in the guest ended with ${ending.signal ?? `status ${ending.status}`} and no result`,
  );
}

/** @param {import('./machine.mjs').Machine} machine @returns {Promise<Figures>} */
async function measure({ control }) {
  const program = fileURLToPath(new URL('guest/measure.mjs', import.meta.url));
  const path = await putProgram(control, await bundle(program));
  const { stdout, stderr, status } = await control.run(['node', '--import', REGISTER, path]);
  if (status !== 0) throw new VmProblem(`measuring the port failed in the guest: ${stderr.trim()}`);
  return JSON.parse(stdout);
}

/** @param {string} first @param {string} second paths of PNG files @returns {number} how many pixels differ */
function differingPixels(first, second) {
  const [a, b] = [first, second].map((path) => decode(readFileSync(path)));
  if (a === undefined || b === undefined || a.width !== b.width || a.height !== b.height || a.channels !== b.channels)
    return Infinity;
  let differing = 0;
  for (let i = 0; i < a.data.length; i += a.channels) {
    for (let channel = 0; channel < a.channels; channel++) {
      if (a.data[i + channel] === b.data[i + channel]) continue;
      differing++;
      break;
    }
  }
  return differing;
}

/** @param {number} bootMs @param {Figures} figures @param {number} differences @returns {[string, string][]} */
function vmRows(bootMs, { latencyMs, upBytesPerSecond, downBytesPerSecond }, differences) {
  return [
    ['boot', `${milliseconds(bootMs)} from the start of QEMU to the first program in the guest`],
    [
      'latency',
      `${latencyMs.least.toFixed(2)} ms a round trip through the port (median ${latencyMs.median.toFixed(2)} ms)`,
    ],
    ['bandwidth', `${bytes(upBytesPerSecond)}/s to the host, ${bytes(downBytesPerSecond)}/s to the guest`],
    [
      'without a VM',
      differences === 0 ? 'the same picture, pixel by pixel' : `DIFFERENT: ${differences} pixels are not the same`,
    ],
  ];
}
