// What has to be on this machine before a guest can boot, found out before anything is downloaded or started.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';

import { VmProblem } from './problem.mjs';

/** Less does not hold the guest's file system twice, which is what unpacking it takes, and node. In MiB. */
export const MIN_MEMORY_MIB = 512;

/** @typedef {{ program: string, version: readonly [number, number] }} Qemu */

/** How long, in milliseconds, a machine may take that is ended before it runs. */
const KVM_TRIAL_MS = 10_000;

const PROGRAM = 'qemu-system-x86_64';
const INSTALL = 'install it with `apt-get install --no-install-recommends qemu-system-x86`';

/**
 * @param {NodeJS.ProcessEnv} [environment] PATH is looked at
 * @returns {Qemu}
 * @throws {VmProblem} when there is none, or this machine cannot make a guest of its own node
 */
export function findQemu(environment = process.env) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new VmProblem(
      `the guest runs this machine's node, so this has to be Linux on x64, and it is ${process.platform} on ${process.arch}`,
    );
  }
  const { stdout, error, status } = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8', env: environment });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT')
    throw new VmProblem(`there is no QEMU (${PROGRAM}): ${INSTALL}`);
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  if (error !== undefined || status !== 0 || major === undefined)
    throw new VmProblem(`QEMU does not work: \`${PROGRAM} --version\` failed; ${INSTALL} again`);
  return { program: PROGRAM, version: [Number(major), Number(minor)] };
}

/** @type {boolean | undefined} */
let isKvmWorking;

/**
 * Whether KVM works here: a machine that does not start is tried. QEMU goes on to its next accelerator where there is no KVM,
 * but ends itself where a host within a virtual machine refuses what its processor is to have.
 */
export function hasKvm() {
  isKvmWorking ??= triesKvm();
  return isKvmWorking;
}

function triesKvm() {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return false;
  }
  const options = ['-accel', 'kvm', '-cpu', 'max', '-S', '-nodefaults', '-no-user-config', '-display', 'none'];
  return spawnSync(PROGRAM, [...options, '-monitor', 'stdio'], { input: 'quit\n', timeout: KVM_TRIAL_MS }).status === 0;
}

/**
 * @param {number} memoryMiB
 * @throws {VmProblem} when that is too little for a guest, or more than this machine has to give
 */
export function checkMemory(memoryMiB) {
  if (memoryMiB < MIN_MEMORY_MIB)
    throw new VmProblem(
      `too little memory: the guest needs ${MIN_MEMORY_MIB} MiB or more; give it that with --memory MIB`,
    );
  const [, kib] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  const availableMiB = Math.floor(Number(kib ?? Infinity) / 1024);
  if (availableMiB >= memoryMiB) return;
  throw new VmProblem(
    `too little memory: the guest is to have ${memoryMiB} MiB, and this machine has ${availableMiB} MiB left; ` +
      'end other programs, or give less with --memory MIB',
  );
}
