// The command line of `npm run vm`.
import { parseArgs } from 'node:util';

export const HELP = `usage: npm run vm -- [options] [PROGRAM [ARGUMENT…]]

Boots a Linux guest under QEMU that has a virtio-serial port and nothing else, and runs the main job in it: a matrix
product that is checked against the CPU, and a picture that has to equal the one rendered without a VM.

  PROGRAM        another program of this repository to run in the guest, such as test/libraries/three.mjs, with its
                 arguments; what it writes into its working folder is copied to --out
  --shell        leave a shell on the serial console; power off with \`poweroff -f\`, or Ctrl-A X
  --out DIR      the folder for the pictures (default: out/vm)
  --memory MIB   memory of the guest in MiB (default: 1024)
  --packages DIR take Debian's packages (linux-image-*-cloud-amd64, busybox-static) from a folder, and not by apt-get
  --tcg          do not use KVM though it is there
  --driver NAME  the host's GPU driver: auto, system or swiftshader (default: VESPER_DRIVER, or auto)
  --help         this text`;

/**
 * @typedef {object} Options
 * @property {boolean} isHelp
 * @property {boolean} isShell
 * @property {string} out
 * @property {number} memoryMiB
 * @property {string | undefined} packages
 * @property {boolean} isTcg
 * @property {'auto' | 'system' | 'swiftshader' | undefined} driver
 * @property {string[]} command program and arguments; empty for the main job
 */

/** A wrong command line. */
export class UsageError extends Error {
  name = 'UsageError';
}

/**
 * @param {readonly string[]} args
 * @returns {Options}
 * @throws {UsageError}
 */
export function parseOptions(args) {
  // The options of the program in the guest are its own.
  const { own, command } = split(args);
  let values;
  try {
    ({ values } = parseArgs({
      args: own,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        shell: { type: 'boolean', default: false },
        out: { type: 'string', default: 'out/vm' },
        memory: { type: 'string', default: '1024' },
        packages: { type: 'string' },
        tcg: { type: 'boolean', default: false },
        driver: { type: 'string' },
      },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { shell, out, packages, tcg, driver } = values;
  if (driver !== undefined && driver !== 'auto' && driver !== 'system' && driver !== 'swiftshader')
    throw new UsageError(`--driver is auto, system or swiftshader, not "${driver}"`);
  if (shell && command.length > 0)
    throw new UsageError('--shell leaves a shell and runs nothing: leave the program out');
  return {
    isHelp: values.help,
    isShell: shell,
    out,
    memoryMiB: memory(values.memory),
    packages,
    isTcg: tcg,
    driver,
    command,
  };
}

const WITH_VALUE = new Set(['--out', '--memory', '--packages', '--driver']);

/** @param {readonly string[]} args */
function split(args) {
  let end = 0;
  for (;;) {
    const arg = args[end];
    if (arg === undefined || arg === '--' || !arg.startsWith('-')) break;
    end += WITH_VALUE.has(arg) ? 2 : 1;
  }
  const rest = args.slice(args[end] === '--' ? end + 1 : end);
  return { own: args.slice(0, end), command: rest[0] === 'node' ? rest.slice(1) : rest };
}

/** @param {string} text */
function memory(text) {
  const size = Number(text);
  if (!/^\d+$/.test(text) || size > 1 << 20) throw new UsageError(`--memory wants MiB, a whole number, not "${text}"`);
  return size;
}
