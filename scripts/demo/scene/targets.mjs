// The textures that the scene's passes draw into.
import { DEPTH_FORMAT, GLOW_LEVELS, LIGHT_FORMAT, PICTURE_FORMAT, SHADOW_FORMAT, SHADOW_SIZE } from './formats.mjs';

/**
 * @typedef {object} LightTarget a picture in the making: samples, their depth, and what they resolve to
 * @property {GPUTexture | undefined} samples absent where one sample a pixel is drawn straight into `resolved`
 * @property {GPUTexture} depth
 * @property {GPUTexture} resolved
 */

/** @typedef {ReturnType<typeof createTargets>} Targets */

/**
 * @param {GPUDevice} device
 * @param {{ width: number, height: number, samples: number }} options
 */
export function createTargets(device, { width, height, samples }) {
  const { COPY_SRC, RENDER_ATTACHMENT, TEXTURE_BINDING } = GPUTextureUsage;
  /** @type {(label: string, size: [number, number]) => LightTarget} */
  const lightTarget = (label, size) => ({
    samples:
      samples > 1
        ? device.createTexture({
            label: `${label} samples`,
            size,
            format: LIGHT_FORMAT,
            sampleCount: samples,
            usage: RENDER_ATTACHMENT,
          })
        : undefined,
    depth: device.createTexture({
      label: `${label} depth`,
      size,
      format: DEPTH_FORMAT,
      sampleCount: samples,
      usage: RENDER_ATTACHMENT,
    }),
    resolved: device.createTexture({
      label,
      size,
      format: LIGHT_FORMAT,
      usage: RENDER_ATTACHMENT | TEXTURE_BINDING,
    }),
  });

  const glow = device.createTexture({
    label: 'glow',
    size: [Math.max(1, width >> 1), Math.max(1, height >> 1)],
    format: LIGHT_FORMAT,
    mipLevelCount: GLOW_LEVELS,
    usage: RENDER_ATTACHMENT | TEXTURE_BINDING,
  });
  return {
    main: lightTarget('light', [width, height]),
    // Ripples blur the mirror image: half the size is enough.
    mirror: lightTarget('mirror', [Math.max(1, width >> 1), Math.max(1, height >> 1)]),
    shadow: device.createTexture({
      label: 'shadow map',
      size: [SHADOW_SIZE, SHADOW_SIZE],
      format: SHADOW_FORMAT,
      usage: RENDER_ATTACHMENT | TEXTURE_BINDING,
    }),
    glow,
    glowLevels: Array.from({ length: GLOW_LEVELS }, (_, baseMipLevel) =>
      glow.createView({ baseMipLevel, mipLevelCount: 1 }),
    ),
    picture: device.createTexture({
      label: 'picture',
      size: [width, height],
      format: PICTURE_FORMAT,
      usage: RENDER_ATTACHMENT | COPY_SRC,
    }),
  };
}

/** @param {Targets} targets */
export function destroyTargets({ main, mirror, shadow, glow, picture }) {
  for (const { samples, depth, resolved } of [main, mirror]) {
    samples?.destroy();
    depth.destroy();
    resolved.destroy();
  }
  for (const texture of [shadow, glow, picture]) texture.destroy();
}
