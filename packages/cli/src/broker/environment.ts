import type { Environment } from '@vesper-gpu/dawn';

/** Variables that drivers and the dynamic linker look at, by name. */
const NAMES = new Set([
  'DISPLAY',
  'HOME',
  'LANG',
  'LC_ALL',
  'LD_LIBRARY_PATH',
  'TMPDIR',
  'TZ',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  // Windows starts no process without the first two.
  'SystemRoot',
  'windir',
  'TEMP',
  'TMP',
  'APPDATA',
  'LOCALAPPDATA',
]);

/** Families of such variables: the Vulkan loader, Mesa and its drivers, NVIDIA, folders. */
const PREFIXES = /^(?:VK_|XDG_|MESA_|RADV_|AMD_|ANV_|INTEL_|LP_|NVIDIA_|CUDA_|DRI_|__(?:NV|GL|VK|EGL))/;

/**
 * What of `environment` an executor is started with: what a driver may need. Everything else stays here (tokens and
 * keys, NODE_OPTIONS), as an executor works for a stranger.
 */
export function executorEnvironment(environment: Environment): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && (NAMES.has(name) || PREFIXES.test(name))) kept[name] = value;
  }
  // What one guest's shaders left in a cache is not for the next one to find, or to time.
  return { ...kept, MESA_SHADER_CACHE_DISABLE: 'true', __GL_SHADER_DISK_CACHE: '0' };
}

/** Which drivers may be chosen: see `chooseDriver` of @vesper-gpu/dawn. */
export type DriverSetting = 'auto' | 'system' | 'swiftshader';

/**
 * The environment to choose a driver in: the executors' own, so that what was tried is what will run.
 * @param setting wins over the variable `VESPER_DRIVER`
 */
export function driverEnvironment(environment: Environment, setting?: DriverSetting): Record<string, string> {
  const value = setting ?? environment['VESPER_DRIVER'];
  return { ...executorEnvironment(environment), ...(value === undefined ? {} : { VESPER_DRIVER: value }) };
}
