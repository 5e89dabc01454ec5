import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

import { archivePackage, contents, sha256 } from './contents.ts';
import { SwiftShaderError } from './errors.ts';
import { readTar } from './tar.ts';

/** More than the archive unpacks to (15 MB), so that a damaged one cannot fill the memory. */
const maxArchiveBytes = 64 * 1024 * 1024;

/**
 * Unpacks the archive in memory and checks every file against the pinned contents.
 *
 * @returns name → contents
 * @throws SwiftShaderError SWIFTSHADER_ARCHIVE_MISSING, SWIFTSHADER_ARCHIVE_CHANGED
 */
export function unpackArchive(): Map<string, Buffer> {
  const path = findArchive();
  let files: Map<string, Buffer>;
  try {
    const archive = brotliDecompressSync(readFileSync(path), { maxOutputLength: maxArchiveBytes });
    files = readTar(archive, new Set(contents.map((file) => file.name)));
  } catch (cause) {
    throw changed(`cannot be read (${cause instanceof Error ? cause.message : String(cause)})`, cause);
  }
  for (const file of contents) {
    const bytes = files.get(file.name);
    if (bytes === undefined) throw changed(`lacks ${file.name}`);
    if (bytes.length !== file.size || sha256(bytes) !== file.sha256) {
      throw changed(`holds another ${file.name} (${bytes.length} bytes, SHA-256 ${sha256(bytes)})`);
    }
  }
  return files;
}

function changed(what: string, cause?: unknown): SwiftShaderError {
  return new SwiftShaderError(
    'SWIFTSHADER_ARCHIVE_CHANGED',
    `The SwiftShader archive of ${archivePackage.name} ${what}. ` +
      `Vesper loads only the files it was reviewed with: install ${archivePackage.name}@${archivePackage.version} again.`,
    { cause },
  );
}

/** The package's `exports` hides its `bin` folder, so this walks up from its entry point to its package.json. */
function findArchive(): string {
  const missing = (what: string, cause?: unknown) =>
    new SwiftShaderError(
      'SWIFTSHADER_ARCHIVE_MISSING',
      `${what} Install ${archivePackage.name}@${archivePackage.version}, or install a Vulkan driver.`,
      { cause },
    );
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(archivePackage.name);
  } catch (cause) {
    throw missing(`The npm package ${archivePackage.name}, which carries SwiftShader, is not installed.`, cause);
  }
  let folder = dirname(entry);
  while (!isPackageRoot(folder)) {
    const parent = dirname(folder);
    if (parent === folder) throw missing(`The folder of the npm package ${archivePackage.name} was not found.`);
    folder = parent;
  }
  const archive = join(folder, 'bin', 'swiftshader.tar.br');
  if (!existsSync(archive)) throw missing(`${archive} does not exist.`);
  return archive;
}

/** A package may hold further package.json files (to mark a folder as CommonJS): only the named one is the root. */
function isPackageRoot(folder: string): boolean {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return (
      typeof manifest === 'object' && manifest !== null && 'name' in manifest && manifest.name === archivePackage.name
    );
  } catch {
    return false;
  }
}
