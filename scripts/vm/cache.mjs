import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

import { root } from '../setup.mjs';

/** Folder for what can be made again; git ignores it. @param {string} name */
export function cacheFolder(name) {
  const folder = join(root, 'node_modules', '.cache', 'vesper-vm', name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Says that it is in use: what was used last is kept. @param {string} path */
export function touch(path) {
  const now = new Date();
  utimesSync(path, now, now);
}

/** Removes all but the newest files of a folder. @param {string} folder @param {number} kept */
export function prune(folder, kept) {
  const byAge = readdirSync(folder)
    .map((name) => ({ path: join(folder, name), time: statSync(join(folder, name)).mtimeMs }))
    .toSorted((a, b) => b.time - a.time);
  for (const { path } of byAge.slice(kept)) rmSync(path, { recursive: true, force: true });
}
