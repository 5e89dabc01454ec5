import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Variables of a process, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A manifest that tells the Vulkan loader of a driver ("installable client driver"). */
export interface IcdFile {
  readonly path: string;
  /** Whether the driver computes on the CPU: Mesa's lavapipe, SwiftShader. */
  readonly software: boolean;
}

/** Variables by which a user names drivers to the Vulkan loader; VK_ICD_FILENAMES is the old name of the first. */
export const driverVariables = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'] as const;

/**
 * Folders in which the Vulkan loader looks for manifests, in its order, then the one of a system that patches its loader.
 *
 * @see https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md#driver-discovery-on-linux
 */
export function icdFolders(environment: Environment): string[] {
  const home = environment['HOME'] ?? homedir();
  const list = (name: string, otherwise: string) => (environment[name] || otherwise).split(':').filter(Boolean);
  const roots = [
    environment['XDG_CONFIG_HOME'] || join(home, '.config'),
    ...list('XDG_CONFIG_DIRS', '/etc/xdg'),
    '/usr/local/etc',
    '/etc',
    environment['XDG_DATA_HOME'] || join(home, '.local', 'share'),
    ...list('XDG_DATA_DIRS', '/usr/local/share:/usr/share'),
    '/run/opengl-driver/share', // NixOS
  ];
  return [...new Set(roots.map((root) => join(root, 'vulkan', 'icd.d')))];
}

/** Finds the manifests in these folders; each file name once, as the earlier folder wins. */
export function findIcdFiles(folders: readonly string[]): IcdFile[] {
  const found = new Map<string, IcdFile>();
  for (const folder of folders) {
    let names: string[];
    try {
      names = readdirSync(folder).toSorted();
    } catch {
      continue; // most of these folders do not exist
    }
    for (const name of names) {
      if (!name.endsWith('.json') || found.has(name)) continue;
      const path = join(folder, name);
      found.set(name, { path, software: isSoftware(path) });
    }
  }
  return [...found.values()];
}

function isSoftware(path: string): boolean {
  const pattern = /lvp|lavapipe|swiftshader|swrast/i;
  if (pattern.test(path)) return true;
  try {
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as { ICD?: { library_path?: unknown } };
    return pattern.test(String(manifest.ICD?.library_path));
  } catch {
    return false; // the loader will say what is wrong with it
  }
}

/** File name by which Dawn asks the dynamic linker for the Vulkan loader on Linux. */
const loaderName = 'libvulkan.so.1';

/**
 * Whether the dynamic linker would find a Vulkan loader: in LD_LIBRARY_PATH, in its cache, or in its default folders.
 * A guess that spares a probe; the probe has the last word.
 */
export function hasVulkanLoader(environment: Environment): boolean {
  const multiarch = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch as string];
  const folders = [
    ...(environment['LD_LIBRARY_PATH'] ?? '').split(/[:;]/).filter(Boolean),
    '/lib',
    '/usr/lib',
    '/lib64',
    '/usr/lib64',
    '/usr/local/lib',
    ...(multiarch === undefined ? [] : [`/lib/${multiarch}`, `/usr/lib/${multiarch}`]),
  ];
  if (folders.some((folder) => existsSync(join(folder, loaderName)))) return true;
  try {
    // The cache is a table of NUL-terminated strings: name, then path. A stale entry still has to exist as a file.
    const strings = readFileSync('/etc/ld.so.cache').toString('latin1').split('\0');
    return strings.some((text) => text.endsWith(`/${loaderName}`) && existsSync(text));
  } catch {
    return false; // musl has no such file
  }
}
