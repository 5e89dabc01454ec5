// Loads the WGSL files; several make one shader module, since WGSL has no imports.
import { readFile } from 'node:fs/promises';

/** Which files each module is made of. */
const MODULES = Object.freeze({
  sky: ['frame', 'squeeze', 'air', 'sky'],
  stars: ['frame', 'squeeze', 'stars'],
  object: ['frame', 'squeeze', 'air', 'light', 'object'],
  shadow: ['frame', 'shadow'],
  water: ['frame', 'squeeze', 'air', 'water'],
  bloom: ['squeeze', 'bloom'],
  tonemap: ['squeeze', 'tonemap'],
});

/** @typedef {keyof typeof MODULES} ShaderName */

/**
 * @param {GPUDevice} device
 * @returns {Promise<Record<ShaderName, GPUShaderModule>>}
 */
export async function loadShaders(device) {
  const modules = await Promise.all(
    Object.entries(MODULES).map(async ([label, names]) => {
      const parts = await Promise.all(
        names.map((name) => readFile(new URL(`./shaders/${name}.wgsl`, import.meta.url), 'utf8')),
      );
      return [label, device.createShaderModule({ label, code: parts.join('\n') })];
    }),
  );
  return Object.fromEntries(modules);
}
