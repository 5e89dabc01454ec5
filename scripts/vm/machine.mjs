// One virtual machine: QEMU with a kernel, a file system in memory and a virtio-serial device; no disk, no network.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Control } from './control.mjs';
import { VmProblem } from './problem.mjs';
import { Qmp } from './qmp.mjs';
import { hasKvm } from './requirements.mjs';

/** How long, in seconds, a boot may take: some 10 s without KVM, more on a busy machine. */
const BOOT_SECONDS = 150;
const KERNEL_ARGUMENTS = 'console=ttyS0 quiet panic=-1 tsc=reliable random.trust_cpu=on';
/** What is kept of the console, in UTF-16 units. */
const MAX_CONSOLE_LENGTH = 100_000;

/**
 * @typedef {object} MachineOptions
 * @property {import('./requirements.mjs').Qemu} qemu
 * @property {string} kernel
 * @property {string} image
 * @property {string} gpu path of the Unix socket where a host listens
 * @property {number} memoryMiB
 * @property {boolean} [isTcg] without KVM, though it is there
 * @property {boolean} [isShell] a shell on this terminal, and no agent
 * @property {boolean} [staysOff] a guest that resets itself, or panics, ends the machine
 */

/** @param {MachineOptions} options @param {string} folder for its sockets @returns {string[]} */
export function qemuArguments({ qemu, kernel, image, gpu, memoryMiB, isTcg, isShell, staysOff }, folder) {
  // A host that ends a session closes the socket: QEMU has to come back for the next one.
  const isOld = qemu.version[0] < 9 || (qemu.version[0] === 9 && qemu.version[1] < 2);
  const reconnect = isOld ? 'reconnect=1' : 'reconnect-ms=200';
  const socket = (/** @type {string} */ id, /** @type {string} */ path) => `socket,id=${id},path=${comma(path)}`;
  const options = [
    ['-machine', 'q35'],
    // The first that works.
    ...(isTcg || !hasKvm() ? [] : [['-accel', 'kvm']]),
    ['-accel', 'tcg,thread=multi'],
    ['-cpu', 'max', '-smp', '1', '-m', `${memoryMiB}`],
    ['-nodefaults', '-no-user-config', '-display', 'none'],
    staysOff ? ['-no-reboot'] : [],
    ['-kernel', kernel, '-initrd', image],
    ['-append', `${KERNEL_ARGUMENTS}${isShell ? ' vesper.shell' : ''}`],
    isShell ? ['-serial', 'mon:stdio'] : ['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ['-chardev', socket('qmp', join(folder, 'qmp')), '-mon', 'chardev=qmp,mode=control'],
    ['-device', 'virtio-serial-pci'],
    ['-chardev', `${socket('gpu', gpu)},${reconnect}`],
    ['-device', 'virtserialport,chardev=gpu,id=gpu,name=org.vesper.gpu.0'],
    ['-chardev', `${socket('control', join(folder, 'control'))},${reconnect}`],
    ['-device', 'virtserialport,chardev=control,id=control,name=org.vesper.control.0'],
  ];
  return options.flat();
}

/** In QEMU's options a comma ends a value. @param {string} path */
function comma(path) {
  return path.replaceAll(',', ',,');
}

export class Machine {
  /** Resolves when QEMU has ended. @type {Promise<{ status: number | null, signal: NodeJS.Signals | null }>} */
  ended;
  /** From the start of QEMU until the guest's agent was there, in milliseconds; a shell has none. */
  bootMs = NaN;
  /** @type {Qmp} */
  qmp;
  /** Programs and files of the guest. @type {Control} */
  control;
  #process;
  #console = '';
  #complaint = '';

  /**
   * Starts a machine and waits until its agent is there; with a shell, until QEMU runs.
   * @param {MachineOptions} options
   * @returns {Promise<Machine>}
   * @throws {VmProblem} when it does not boot
   */
  static async start(options) {
    const folder = mkdtempSync(join(tmpdir(), 'vesper-vm-'));
    try {
      const qmp = await Qmp.listen(join(folder, 'qmp'));
      const control = await Control.listen(join(folder, 'control'));
      const machine = new Machine(options, folder, qmp, control);
      try {
        if (options.isShell) await machine.#orEnd(qmp.connected);
        else await machine.#booted();
        return machine;
      } catch (error) {
        await machine.kill();
        throw error;
      }
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** @param {MachineOptions} options @param {string} folder @param {Qmp} qmp @param {Control} control */
  constructor(options, folder, qmp, control) {
    this.qmp = qmp;
    this.control = control;
    const child = spawn(options.qemu.program, qemuArguments(options, folder), {
      stdio: options.isShell ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    const killed = () => void child.kill('SIGKILL');
    process.once('exit', killed);
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.#console = (this.#console + text).slice(-MAX_CONSOLE_LENGTH);
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.#complaint = (this.#complaint + text).slice(-MAX_CONSOLE_LENGTH);
    });
    this.ended = new Promise((resolve) => {
      child.on('error', (error) => {
        this.#complaint ||= error.message;
        resolve({ status: null, signal: null });
      });
      child.on('close', (status, signal) => resolve({ status, signal }));
    });
    void this.ended.then(() => {
      process.off('exit', killed);
      qmp.close();
      control.close('the virtual machine has ended');
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /** What the guest's kernel and its first process wrote. */
  get console() {
    return this.#console;
  }

  async #booted() {
    const startedMs = performance.now();
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(
        () => reject(this.#problem(`it has not booted within ${BOOT_SECONDS} s`)),
        BOOT_SECONDS * 1000,
      );
    });
    try {
      await this.#orEnd(Promise.race([late, this.control.ready()]));
    } finally {
      clearTimeout(timer);
    }
    this.bootMs = performance.now() - startedMs;
  }

  /** @template T @param {Promise<T>} work @returns {Promise<T>} */
  #orEnd(work) {
    return Promise.race([
      work,
      this.ended.then(({ status, signal }) => {
        throw this.#problem(`QEMU ended with ${signal ?? `status ${status}`}`);
      }),
    ]);
  }

  /** @param {string} what happened @returns {VmProblem} with what is likely to be the reason */
  #problem(what) {
    const said = `${this.#complaint}\n${this.#console}`;
    if (/annot allocate memory|cannot set up guest memory/.test(said))
      return new VmProblem('too little memory on this machine for the guest: give it less with --memory MIB');
    if (/Out of memory|Initramfs unpacking failed|System is deadlocked on memory/.test(said))
      return new VmProblem('too little memory in the guest: give it more with --memory MIB');
    if (/not a valid device model name|unknown device/.test(said))
      return new VmProblem(
        `this QEMU has no virtio-serial device: install qemu-system-x86 (${lastLine(this.#complaint)})`,
      );
    const [, port] = /there is no port (\S+)/.exec(said) ?? [];
    if (port !== undefined)
      return new VmProblem(
        `the guest has no port ${port}: its kernel needs virtio_pci and virtio_console; give another kernel with --packages DIR`,
      );
    const hint = hasKvm() ? '; if KVM does not work on this machine, --tcg does without' : '';
    return new VmProblem(`the guest did not start: ${what}${hint}\n${tail(said)}`);
  }

  /** Waits for the agent of the next boot, after a reset. @returns {Promise<void>} */
  async reset() {
    const reset = this.qmp.event('RESET');
    await this.qmp.command('system_reset');
    await reset;
    this.control.reset('the guest was reset');
    await this.#booted();
  }

  /** Stops the guest's processors. */
  async pause() {
    await this.qmp.command('stop');
  }

  /** Lets them go on. */
  async resume() {
    await this.qmp.command('cont');
  }

  /** Ends it without a word to the guest. */
  async kill() {
    this.#process.kill('SIGKILL');
    await this.ended;
  }
}

/** @param {string} text */
function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? '';
}

/** @param {string} text */
function tail(text) {
  return text.trim().split('\n').slice(-15).join('\n').replaceAll(/^/gm, '    ');
}
