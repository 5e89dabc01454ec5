import { lstatSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

import { contentHash, contents, sha256 } from './contents.ts';
import { SwiftShaderError } from './errors.ts';

/** Variables of a process, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns a folder that holds exactly the pinned files, unpacking them when they are not there or damaged.
 *
 * Safe against other processes that do the same at the same time: the files are written to a folder of their own, which
 * takes its final name in one rename, so that no process ever sees half of them.
 *
 * @param unpack yields the files; called only when they have to be written
 * @throws SwiftShaderError SWIFTSHADER_CACHE_UNUSABLE when no folder is usable; what `unpack` throws
 */
export function cachedFolder(environment: Environment, unpack: () => ReadonlyMap<string, Uint8Array>): string {
  const problems: string[] = [];
  for (const base of baseFolders(environment)) {
    const folder = join(base, `swiftshader-${contentHash}`);
    if (isIntact(folder)) return folder;
  }
  const files = unpack();
  for (const base of baseFolders(environment)) {
    try {
      return install(base, files);
    } catch (error) {
      problems.push(`${base}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new SwiftShaderError(
    'SWIFTSHADER_CACHE_UNUSABLE',
    `No folder can hold the SwiftShader libraries (7 MB). Set XDG_CACHE_HOME to a writable folder of this user whose ` +
      `path has neither ":" nor ";". Tried: ${problems.join('; ') || 'none'}`,
  );
}

/** Candidate folders, best first: the user's cache, then the folder for temporary files. */
function baseFolders(environment: Environment): string[] {
  const cacheHome = environment['XDG_CACHE_HOME'];
  const home = environment['HOME'] ?? homedir();
  const caches =
    // The XDG Base Directory Specification: a relative path is to be ignored.
    cacheHome !== undefined && isAbsolute(cacheHome) ? cacheHome : isAbsolute(home) ? join(home, '.cache') : undefined;
  return (
    [
      caches === undefined ? undefined : join(caches, 'vesper'),
      // The name has the user in it, as /tmp is shared; isPrivate() refuses a folder that somebody else made there.
      join(environment['TMPDIR'] ?? tmpdir(), `vesper-${userId()}`),
    ]
      .filter((folder) => folder !== undefined)
      // LD_LIBRARY_PATH and VK_DRIVER_FILES are lists with these separators and have no way to quote them.
      .filter((folder) => !/[:;]/.test(folder))
  );
}

/** Whether the folder is safe to load code from and its files are, byte for byte, the pinned ones. */
function isIntact(folder: string): boolean {
  try {
    if (!isPrivate(folder)) return false;
    return contents.every((file) => {
      const path = join(folder, file.name);
      const status = lstatSync(path);
      return status.isFile() && status.size === file.size && sha256(readFileSync(path)) === file.sha256;
    });
  } catch {
    return false;
  }
}

/** Not os.userInfo(), which throws in a container whose user has no entry in /etc/passwd. */
function userId(): number {
  return process.getuid?.() ?? -1;
}

/** Whether only this user, or root, can have put something into the folder. */
function isPrivate(folder: string): boolean {
  const status = lstatSync(folder);
  return status.isDirectory() && (status.uid === userId() || status.uid === 0) && (status.mode & 0o022) === 0;
}

/** Writes the files to `base` and returns their folder. */
function install(base: string, files: ReadonlyMap<string, Uint8Array>): string {
  mkdirSync(base, { recursive: true, mode: 0o700 });
  if (!isPrivate(base)) throw new Error('it belongs to another user, or others may write to it');
  const folder = join(base, `swiftshader-${contentHash}`);
  const fresh = mkdtempSync(join(base, '.unpack-')); // mode 0700
  try {
    for (const [name, bytes] of files) writeFileSync(join(fresh, name), bytes, { mode: 0o600, flag: 'wx' });
    publish(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

/**
 * Gives the finished folder its final name. A folder cannot be renamed onto one that has files in it: that one is either
 * another process's, finished just now and as good, or damaged and moved out of the way. The loop covers a third process
 * that gets in between. Processes that have the old files loaded keep them.
 */
function publish(fresh: string, folder: string): void {
  for (let attempt = 0; ; attempt++) {
    try {
      renameSync(fresh, folder);
      return;
    } catch (error) {
      if (isIntact(folder)) return;
      if (attempt === 5) throw error;
    }
    const damaged = `${fresh}-damaged-${attempt}`;
    try {
      renameSync(folder, damaged);
    } catch {
      continue; // another process has moved it already
    }
    rmSync(damaged, { recursive: true, force: true });
  }
}
