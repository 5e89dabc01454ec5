// Writes a cpio archive in the "newc" format, which the Linux kernel unpacks as its first file system.
// Format: https://docs.kernel.org/driver-api/early-userspace/buffer-format.html
import { closeSync, openSync, writeSync } from 'node:fs';
import { posix } from 'node:path';

/**
 * @typedef {object} Entry
 * @property {string} name where it is in the archive, without a leading slash
 * @property {Uint8Array} content
 * @property {boolean} [isExecutable]
 */

const DIRECTORY = 0o040755;
const FILE = 0o100644;
const EXECUTABLE = 0o100755;
const ALIGNMENT_BYTES = 4;

/**
 * Writes files, and the folders that they are in. Everything belongs to root and has no time, so that equal input gives
 * equal bytes.
 * @param {string} path of the archive
 * @param {readonly Entry[]} entries
 * @param {readonly string[]} [folders] that are to be there though they are empty
 */
export function writeArchive(path, entries, folders = []) {
  const file = openSync(path, 'w');
  let inode = 1;
  /** @param {string} name @param {number} mode @param {Uint8Array} content */
  const write = (name, mode, content) => {
    for (const bytes of [header(inode++, name, mode, content.byteLength), content, padding(content.byteLength)]) {
      for (let offset = 0; offset < bytes.byteLength;) offset += writeSync(file, bytes, offset);
    }
  };
  try {
    const nothing = new Uint8Array(0);
    const parents = entries.flatMap(({ name }) => foldersAbove(name));
    const all = new Set([...parents, ...folders.flatMap((folder) => [...foldersAbove(folder), folder])]);
    // A folder sorts before what is in it.
    for (const folder of [...all].toSorted()) write(folder, DIRECTORY, nothing);
    for (const { name, content, isExecutable = false } of entries)
      write(name, isExecutable ? EXECUTABLE : FILE, content);
    write('TRAILER!!!', 0, nothing);
  } finally {
    closeSync(file);
  }
}

/** @param {string} name @returns {string[]} */
function foldersAbove(name) {
  const parent = posix.dirname(name);
  return parent === '.' ? [] : [...foldersAbove(parent), parent];
}

/** @param {number} inode @param {string} name @param {number} mode @param {number} size in bytes */
function header(inode, name, mode, size) {
  const nameBytes = Buffer.byteLength(name) + 1;
  // magic, then: inode, mode, owner, group, links, time, size, device (2), device of a special file (2), name, checksum
  const fields = [inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, nameBytes, 0];
  const text = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  const bytes = Buffer.from(text);
  return Buffer.concat([bytes, padding(bytes.byteLength)]);
}

/** @param {number} byteLength of what stands before it */
function padding(byteLength) {
  return Buffer.alloc(-byteLength & (ALIGNMENT_BYTES - 1));
}
