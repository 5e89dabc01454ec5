// Puts a program of this repository, and all modules that it imports, into one file that runs in a guest without them.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { build } from 'esbuild';

import { root } from '../setup.mjs';
import { VmProblem } from './problem.mjs';

/** Where the guest has what is in this repository; a module there finds the files beside it as it does here. */
export const GUEST_ROOT = '/vesper';
/** What a program reads of its folder: beyond this, it belongs to something else. In bytes. */
const MAX_DATA_BYTES = 32 << 20;
const CODE = /\.([cm]?[jt]s|map|tsbuildinfo)$/;

/**
 * @typedef {object} Bundle
 * @property {Uint8Array} code
 * @property {Map<string, Uint8Array>} data files that its modules may read, by their path in the guest
 */

/**
 * @param {string} program path of its first module
 * @returns {Promise<Bundle>}
 * @throws {VmProblem} when there is no such program, or it cannot be put into one file
 */
export async function bundle(program) {
  if (statSync(program, { throwIfNoEntry: false })?.isFile() !== true)
    throw new VmProblem(`there is no program ${program}: name a module of this repository`);
  /** Folders of modules that ask where they are. */
  const folders = new Set();
  const { outputFiles } = await build({
    entryPoints: [resolve(program)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
    // Packages that are CommonJS ask for node's own modules in their way.
    banner: {
      js: "import { createRequire as vesperRequire } from 'node:module'; const require = vesperRequire(import.meta.url);",
    },
    plugins: [keepPlaces(folders)],
  }).catch((error) => {
    const [first] = error.errors ?? [];
    const place = first?.location ? ` (${first.location.file}:${first.location.line})` : '';
    throw new VmProblem(`${program} cannot be put into one file: ${first?.text ?? error.message}${place}`);
  });
  const [code] = outputFiles;
  if (code === undefined) throw new Error('a bundle is one file');
  return { code: code.contents, data: dataIn(folders) };
}

/**
 * A module that asks for its own address gets the one that it has in the guest.
 * @param {Set<string>} folders @returns {import('esbuild').Plugin}
 */
function keepPlaces(folders) {
  return {
    name: 'keep-places',
    setup({ onLoad }) {
      onLoad({ filter: /\.[cm]?[jt]s$/ }, ({ path }) => {
        const place = relative(root, path);
        if (place.startsWith('..') || place.split(sep).includes('node_modules')) return undefined;
        const text = readFileSync(path, 'utf8');
        if (!text.includes('import.meta.url')) return undefined;
        folders.add(dirname(path));
        return {
          contents: text.replaceAll('import.meta.url', JSON.stringify(`file://${guestPath(path)}`)),
          loader: path.endsWith('ts') ? 'ts' : 'js',
          resolveDir: dirname(path),
        };
      });
    },
  };
}

/** Where a file of this repository is in the guest. @param {string} path */
export function guestPath(path) {
  return `${GUEST_ROOT}/${relative(root, path).split(sep).join('/')}`;
}

/** @param {Set<string>} folders */
function dataIn(folders) {
  /** @type {Bundle['data']} */
  const data = new Map();
  let byteLength = 0;
  for (const folder of folders) {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const path = join(folder, name);
      if (CODE.test(name) || name.split(sep).includes('node_modules') || !statSync(path).isFile()) continue;
      const content = readFileSync(path);
      byteLength += content.byteLength;
      if (byteLength > MAX_DATA_BYTES)
        throw new VmProblem(`${folder} has more than ${MAX_DATA_BYTES >> 20} MiB of files: too many for a guest`);
      data.set(guestPath(path), content);
    }
  }
  return data;
}
