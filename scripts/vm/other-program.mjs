// Runs a program of this repository in a guest: `npm run vm -- PROGRAM ARGUMENT…`.
import { constants } from 'node:os';

import { bundle, GUEST_ROOT } from './bundle.mjs';
import { takeFiles } from './files.mjs';
import { REGISTER } from './image.mjs';

/**
 * @param {import('./run.mjs').Scene} scene
 * @returns {Promise<number>} the program's exit status; 128 + n when signal n ended it
 */
export async function otherProgram({ boot, progress, options }) {
  const [program = '', ...args] = options.command;
  const parts = await bundle(program);
  const machine = await boot();
  try {
    progress(`guest  up after ${(machine.bootMs / 1000).toFixed(1)} s; running ${program}`);
    const { control } = machine;
    const path = await putProgram(control, parts);
    const { status, signal } = await control.run(['node', '--import', REGISTER, path, ...args], {
      stdout: (text) => void process.stdout.write(text),
      stderr: (text) => void process.stderr.write(text),
    });
    for (const file of await takeFiles(control, options.out)) progress(`guest  wrote ${file}`);
    return status ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)];
  } finally {
    await machine.kill();
  }
}

/**
 * Puts a program and what it reads into the guest.
 * @param {import('./control.mjs').Control} control
 * @param {import('./bundle.mjs').Bundle} parts
 * @param {string} [name] of its file
 * @returns {Promise<string>} its path there
 */
export async function putProgram(control, { code, data }, name = 'program.mjs') {
  const path = `${GUEST_ROOT}/${name}`;
  await control.put(path, code);
  for (const [file, content] of data) await control.put(file, content);
  return path;
}
