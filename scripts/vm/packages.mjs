// Gets what Debian has for the guest, its kernel and busybox, without installing it: a download and an unpacked archive.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

import { cacheFolder, prune, touch } from './cache.mjs';
import { VmProblem } from './problem.mjs';

/** Always depends on the newest kernel for virtual machines: without drivers for real hardware. */
const KERNEL = 'linux-image-cloud-amd64';
const BUSYBOX = 'busybox-static';
/** Unpacked packages that are kept: of two kernels. */
const KEPT = 4;

/**
 * What a virtio-serial port needs, in the order of loading. A kernel may have some of them built in.
 * https://docs.kernel.org/driver-api/virtio/virtio.html
 */
const MODULES = [
  'virtio_ring',
  'virtio_pci_modern_dev',
  'virtio_pci_legacy_dev',
  'virtio',
  'virtio_pci',
  'virtio_console',
];

/**
 * @typedef {object} GuestSystem
 * @property {string} kernel path of the kernel
 * @property {string} release of the kernel
 * @property {string[]} modules paths, in the order of loading
 * @property {string} busybox path of the program
 */

/**
 * @param {string | undefined} folder that has the packages; undefined: apt-get downloads them, unless that was done before
 * @param {string} [cache] folder where they are kept
 * @returns {GuestSystem}
 * @throws {VmProblem}
 */
export function guestSystem(folder, cache = cacheFolder('packages')) {
  /** @param {() => string} name @param {RegExp} pattern */
  const folderOf = (name, pattern) =>
    folder === undefined ? downloaded(name(), cache) : unpackedOnce(packageIn(folder, pattern), cache);
  const kernel = folderOf(() => kernelPackage(cache), /^linux-image-.*-cloud-amd64_.*\.deb$/);
  const busybox = folderOf(() => BUSYBOX, /^busybox-static_.*\.deb$/);
  const system = { ...kernelIn(kernel), busybox: fileIn(busybox, ['bin/busybox', 'usr/bin/busybox']) };
  for (const used of [kernel, busybox]) touch(used);
  prune(cache, KEPT);
  return system;
}

/** The package that the one without a version stands for. @param {string} cache */
function kernelPackage(cache) {
  const { stdout } = run('apt-cache', ['depends', KERNEL], true);
  const [, name] = /Depends: (linux-image-\S+)/.exec(stdout) ?? [];
  if (name !== undefined) return name;
  // Without lists of packages, what was downloaded earlier still serves.
  const earlier = readdirSync(cache).find((folder) => folder.startsWith('linux-image-'));
  if (earlier !== undefined) return earlier;
  throw new VmProblem(
    `apt knows no package ${KERNEL}, the guest's kernel: run \`apt-get update\`, or name a folder that has it with --packages DIR`,
  );
}

/** @param {string} name @param {string} cache @returns {string} the folder with what is in it */
function downloaded(name, cache) {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const place = mkdtempSync(join(tmpdir(), 'vesper-vm-'));
  try {
    run('apt-get', ['download', name], false, place);
    const [file] = readdirSync(place).filter((found) => found.endsWith('.deb'));
    if (file === undefined) throw new VmProblem(`\`apt-get download ${name}\` brought no package`);
    return unpacked(join(place, file), folder);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** @param {string} folder @param {RegExp} pattern */
function packageIn(folder, pattern) {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => pattern.test(name)) : [];
  const newest = files.toSorted().at(-1);
  if (newest !== undefined) return resolve(folder, newest);
  throw new VmProblem(
    `--packages ${folder}: no file there is called like ${pattern.source}; it takes Debian's package`,
  );
}

/** @param {string} file @param {string} cache */
function unpackedOnce(file, cache) {
  const folder = join(cache, basename(file, '.deb'));
  return existsSync(folder) ? folder : unpacked(file, folder);
}

/** @param {string} file @param {string} folder that must not be there yet */
function unpacked(file, folder) {
  const partial = `${folder}.${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial);
  run('dpkg-deb', ['-x', file, partial], false);
  // Two may do this at a time: the later one finds it done.
  if (existsSync(folder)) rmSync(partial, { recursive: true, force: true });
  else renameSync(partial, folder);
  return folder;
}

/** @param {string} folder @returns {Pick<GuestSystem, 'kernel' | 'release' | 'modules'>} */
function kernelIn(folder) {
  const image = readdirSync(join(folder, 'boot')).find((name) => name.startsWith('vmlinuz-'));
  if (image === undefined) throw new VmProblem(`the package of the kernel has no boot/vmlinuz-*: ${folder}`);
  const release = image.slice('vmlinuz-'.length);
  const [library] = ['lib', 'usr/lib']
    .map((name) => join(folder, name, 'modules', release))
    .filter((name) => existsSync(name));
  if (library === undefined) throw new VmProblem(`the package of the kernel has no modules: ${folder}`);
  const files = readdirSync(library, { recursive: true, encoding: 'utf8' });
  const builtIn = readFileSync(join(library, 'modules.builtin'), 'utf8');
  const modules = MODULES.flatMap((name) => {
    const file = files.find((path) => new RegExp(`^${name}\\.ko(\\.xz)?$`).test(basename(path)));
    if (file !== undefined) return [join(library, file)];
    // Some came with a later version than others.
    if (builtIn.includes(`/${name}.ko`) || name === 'virtio_pci_legacy_dev' || name === 'virtio_pci_modern_dev')
      return [];
    throw new VmProblem(`the kernel ${release} has no module ${name}: give another package with --packages DIR`);
  });
  return { kernel: join(folder, 'boot', image), release, modules };
}

/** @param {string} folder @param {readonly string[]} names */
function fileIn(folder, names) {
  const found = names.map((name) => join(folder, name)).find((path) => existsSync(path));
  if (found === undefined) throw new VmProblem(`the package has no ${names[0]}: ${folder}`);
  return found;
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {boolean} mayFail
 * @param {string} [folder]
 */
function run(program, args, mayFail, folder) {
  const done = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
  if (done.error !== undefined && 'code' in done.error && done.error.code === 'ENOENT') {
    if (mayFail) return { ...done, stdout: '' };
    throw new VmProblem(
      `there is no ${program}, which gets the guest's kernel and busybox: on a system other than Debian, install ` +
        'dpkg and name a folder that has the packages linux-image-*-cloud-amd64 and busybox-static with --packages DIR',
    );
  }
  if (done.status === 0 || mayFail) return done;
  const why = done.stderr.trim().split('\n').at(-1) ?? '';
  throw new VmProblem(
    `\`${program} ${args.join(' ')}\` failed: ${why}\n` +
      'Run `apt-get update` and try again, or name a folder that has the packages with --packages DIR.',
  );
}
