// The guest's file system, all of it in memory: node with its libraries, busybox, kernel modules, Vesper's guest side.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { root } from '../setup.mjs';
import { writeArchive } from './archive.mjs';
import { bundle, GUEST_ROOT, guestPath } from './bundle.mjs';
import { cacheFolder, prune, touch } from './cache.mjs';
import { VmProblem } from './problem.mjs';

/** @typedef {import('./archive.mjs').Entry} Entry */

/** Images that are kept, of some 100 MB each: machines that run have theirs in memory. */
const KEPT = 3;
/** The demonstration's program in the guest. */
export const DEMO = `${GUEST_ROOT}/demo.mjs`;
/** What `node --import` takes in the guest. */
export const REGISTER = `${GUEST_ROOT}/register.mjs`;

/**
 * The archive with the guest's file system. It is kept, and made anew when something that goes into it has changed.
 * @param {import('./packages.mjs').GuestSystem} system
 * @returns {Promise<{ path: string, isNew: boolean }>}
 */
export async function guestImage(system) {
  const entries = [
    ...systemFiles(system),
    ...(await program(join(root, 'packages/register/dist/index.js'), REGISTER)),
    ...(await program(join(root, 'scripts/demo/guest.mjs'), DEMO)),
    ...(await program(fileURLToPath(new URL('guest/agent.mjs', import.meta.url)), `${GUEST_ROOT}/agent.mjs`)),
    ...pump(),
  ];
  const folder = cacheFolder('images');
  const path = join(folder, `${digest(entries)}.cpio`);
  const isNew = !existsSync(path);
  if (isNew) {
    // Two may do this at a time, and one may be cut off.
    const partial = `${path}.${process.pid}`;
    writeArchive(partial, entries, ['proc', 'sys', 'dev', 'tmp', 'work']);
    renameSync(partial, path);
  }
  touch(path);
  prune(folder, KEPT);
  return { path, isNew };
}

/** @param {import('./packages.mjs').GuestSystem} system @returns {Entry[]} */
function systemFiles({ busybox, modules }) {
  const names = modules.map((path) => basename(path));
  return [
    { name: 'init', content: readFileSync(new URL('guest/init', import.meta.url)), isExecutable: true },
    { name: 'bin/busybox', content: readFileSync(busybox), isExecutable: true },
    { name: 'bin/node', content: readFileSync(process.execPath), isExecutable: true },
    ...libraries(process.execPath).map((path) => ({
      name: path.slice(1),
      content: readFileSync(path),
      isExecutable: true,
    })),
    ...modules.map((path) => ({ name: `modules/${basename(path)}`, content: readFileSync(path) })),
    { name: 'modules/order', content: Buffer.from(`${names.join('\n')}\n`) },
  ];
}

/** What a program is linked with, as the loader finds it. @param {string} path @returns {string[]} */
function libraries(path) {
  const { stdout, error } = spawnSync('ldd', [path], { encoding: 'utf8' });
  if (error !== undefined) throw new VmProblem('there is no ldd, which names the libraries of node: install libc-bin');
  if (stdout.includes('musl')) throw new VmProblem('this node is made for musl, and the guest has glibc');
  // "libc.so.6 => /lib/…/libc.so.6 (0x…)", or the loader: "/lib64/ld-linux-x86-64.so.2 (0x…)"
  return stdout.split('\n').flatMap((line) => /(?:=> |^\s+)(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

/** @param {string} source @param {string} path in the guest @returns {Promise<Entry[]>} */
async function program(source, path) {
  const { code, data } = await bundle(source);
  return [
    { name: path.slice(1), content: code },
    ...[...data].map(([file, content]) => ({ name: file.slice(1), content })),
  ];
}

/** The process that a device transport starts: see packages/transport. @returns {Entry[]} */
function pump() {
  const folder = join(root, 'packages/transport/pump');
  return readdirSync(folder).map((name) => {
    const path = join(folder, name);
    return { name: guestPath(path).slice(1), content: readFileSync(path) };
  });
}

/** @param {readonly Entry[]} entries */
function digest(entries) {
  const hash = createHash('sha256');
  // Whatever this file and the archive's writer do differently makes another image, too.
  for (const name of ['image.mjs', 'archive.mjs']) hash.update(readFileSync(new URL(name, import.meta.url)));
  for (const { name, content, isExecutable } of entries) {
    hash.update(`${name}\0${isExecutable === true}\0${content.byteLength}\0`);
    hash.update(content);
  }
  return hash.digest('hex').slice(0, 32);
}
