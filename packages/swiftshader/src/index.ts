/**
 * SwiftShader, a Vulkan driver in software, for machines that have none: unpacked from an npm package, with no root, no
 * system package and no network at run time. Linux on x64.
 */
import { join } from 'node:path';

import { unpackArchive } from './archive.ts';
import { cachedFolder, type Environment } from './cache.ts';
import { icdFileName } from './contents.ts';
import { SwiftShaderError } from './errors.ts';

export { SwiftShaderError, type SwiftShaderErrorCode } from './errors.ts';
export type { Environment } from './cache.ts';

/** Where SwiftShader lies and how a process is made to use it. */
export interface SwiftShader {
  /** Absolute path of the folder with libvk_swiftshader.so, the loader libvulkan.so.1 and the manifest. */
  readonly directory: string;
  /** Absolute path of the manifest that tells the Vulkan loader of the driver. */
  readonly icdFile: string;
  /**
   * Variables that make a process use this driver. They must be there **when the process starts**: the dynamic linker
   * reads LD_LIBRARY_PATH once, before any JavaScript runs. An LD_LIBRARY_PATH that was set already is kept, behind.
   */
  readonly environment: { readonly LD_LIBRARY_PATH: string; readonly VK_DRIVER_FILES: string };
}

/**
 * Provides SwiftShader, unpacking it (about 0.2 s, 7 MB) into a cache folder of the user when it is not there yet or
 * damaged: `$XDG_CACHE_HOME/vesper`, else `~/.cache/vesper`, else a private folder under the one for temporary files.
 * The files are verified at every call (about 10 ms).
 *
 * @param environment variables to read XDG_CACHE_HOME, HOME, TMPDIR and LD_LIBRARY_PATH from
 * @throws SwiftShaderError with a stable `code`; see {@link SwiftShaderErrorCode}
 */
export function swiftShader(environment: Environment = process.env): SwiftShader {
  assertPlatform(process.platform, process.arch);
  const directory = cachedFolder(environment, unpackArchive);
  const icdFile = join(directory, icdFileName);
  const previous = environment['LD_LIBRARY_PATH'];
  const LD_LIBRARY_PATH = previous ? `${directory}:${previous}` : directory;
  return { directory, icdFile, environment: { LD_LIBRARY_PATH, VK_DRIVER_FILES: icdFile } };
}

/**
 * Checks that the archive's libraries can run here.
 *
 * @throws SwiftShaderError SWIFTSHADER_UNSUPPORTED_PLATFORM
 */
export function assertPlatform(platform: string, architecture: string): void {
  if (platform === 'linux' && architecture === 'x64') return;
  const remedy =
    platform === 'linux'
      ? 'Install a Vulkan driver (with Mesa, lavapipe is one in software).'
      : 'Use the native backend of this system, which needs no driver package.';
  throw new SwiftShaderError(
    'SWIFTSHADER_UNSUPPORTED_PLATFORM',
    `SwiftShader is packaged for Linux on x64 only, and this is ${platform} on ${architecture}. ${remedy}`,
  );
}
