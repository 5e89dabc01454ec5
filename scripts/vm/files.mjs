import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** The working folder of programs in the guest. */
const WORK = '/work';
/** A guest may give files any name: only plain ones are written here. */
const PLAIN = /^[\w.-]+(\/[\w.-]+)*$/;

/**
 * Copies what programs wrote into their working folder.
 * @param {import('./control.mjs').Control} control
 * @param {string} folder here
 * @returns {Promise<string[]>} the paths here
 */
export async function takeFiles(control, folder) {
  const paths = [];
  for (const [file, content] of await control.get(WORK)) {
    const name = posix.relative(WORK, posix.normalize(file));
    if (!PLAIN.test(name) || name.split('/').includes('..')) continue;
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    paths.push(path);
  }
  return paths;
}
