import { probe } from './probe.ts';
import { type DriverChoice, type Selection, selectDriver, type SwiftShaderFiles } from './select.ts';
import { type Environment, findIcdFiles, hasVulkanLoader, icdFolders } from './system.ts';

/**
 * Chooses the driver for a host process: what the user's VK_* variables name, else an installed Vulkan driver (hardware
 * before software), else SwiftShader out of the optional package @vesper-gpu/swiftshader; on macOS and Windows the
 * native backend. The choice is verified by opening an adapter in a child process (one, 0.2 s, in the normal case); what
 * fails is recorded in `reason` and the next is tried. Nothing is stored, except SwiftShader's unpacked files.
 *
 * `VESPER_DRIVER=auto|system|swiftshader` in `environment` limits the choice.
 *
 * @param environment the variables that the host process will be started with, before the choice's own are added
 * @throws DriverError DRIVER_NONE when nothing opens an adapter, with what was tried and advice; DRIVER_BAD_SETTING
 */
export async function chooseDriver(environment: Environment = process.env): Promise<DriverChoice> {
  return (await verifiedDriver(environment)).choice;
}

/** Like {@link chooseDriver}, with the whole report of the probe. */
export function verifiedDriver(environment: Environment): Promise<Selection> {
  return selectDriver(environment, {
    platform: process.platform,
    icdFolders: icdFolders(environment),
    findIcdFiles,
    hasVulkanLoader: () => hasVulkanLoader(environment),
    probe,
    swiftShader: () => swiftShaderFiles(environment),
  });
}

/** The package is optional, so that a machine with a GPU need not download it. */
async function swiftShaderFiles(environment: Environment): Promise<SwiftShaderFiles | string> {
  try {
    const { swiftShader } = await import('@vesper-gpu/swiftshader');
    return swiftShader(environment);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
      return 'The optional package @vesper-gpu/swiftshader is not installed.';
    }
    return error instanceof Error ? error.message : String(error);
  }
}
