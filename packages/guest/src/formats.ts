import type { api } from '@vesper-gpu/protocol/guest';

const TIER1 = new Set(['r16unorm', 'r16snorm', 'rg16unorm', 'rg16snorm', 'rgba16unorm', 'rgba16snorm']);

/** The feature without which a format does not exist. https://www.w3.org/TR/webgpu/#texture-format-caps */
function featureOf(format: string): api.GPUFeatureName | undefined {
  if (format.startsWith('bc')) return 'texture-compression-bc';
  if (format.startsWith('etc2') || format.startsWith('eac')) return 'texture-compression-etc2';
  if (format.startsWith('astc')) return 'texture-compression-astc';
  if (format === 'depth32float-stencil8') return 'depth32float-stencil8';
  return TIER1.has(format) ? 'texture-formats-tier1' : undefined;
}

/**
 * Validates that a device knows a format.
 * https://www.w3.org/TR/webgpu/#abstract-opdef-validate-texture-format-required-features
 * @throws TypeError when the format needs a feature that the device does not have.
 */
export function requireFormat(
  features: ReadonlySet<string>,
  format: api.GPUTextureFormat | null | undefined,
  context: string,
): void {
  if (format === null || format === undefined) return;
  const feature = featureOf(format);
  if (feature !== undefined && !features.has(feature)) {
    throw new TypeError(
      `${context}: format "${format}" needs the feature "${feature}", which the device does not have`,
    );
  }
}
