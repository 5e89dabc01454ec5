// Computes the materials' texels and uploads them with all their mip levels.
import { materials } from './materials.mjs';
import { mipmaps } from './mipmaps.mjs';
import { fractalNoise } from './noise.mjs';

const SIZE = 512;
const LEVELS = Math.log2(SIZE) + 1;

/**
 * @typedef {object} SceneTextures
 * @property {GPUTexture} surface one layer a material: colour, and roughness in alpha
 * @property {GPUTexture} relief one layer a material: normal, and height in alpha
 * @property {GPUTexture} noise soft noise for clouds and hills
 */

/**
 * @param {GPUDevice} device
 * @returns {SceneTextures}
 */
export function createTextures(device) {
  const layers = materials();
  const surface = createTexture(device, 'surface', 'rgba8unorm-srgb', layers.length);
  const relief = createTexture(device, 'relief', 'rgba8unorm', layers.length);
  for (const [layer, material] of layers.entries()) {
    const { colors, heights } = sample(material);
    upload(device, surface, layer, mipmaps(colors, SIZE, { srgb: true }));
    upload(device, relief, layer, mipmaps(normals(heights, material.relief), SIZE, { srgb: false }));
  }
  const noise = createTexture(device, 'noise', 'rgba8unorm', 1);
  upload(device, noise, 0, mipmaps(noiseTexels(), SIZE, { srgb: false }));
  return { surface, relief, noise };
}

/**
 * @param {GPUDevice} device
 * @param {string} label
 * @param {GPUTextureFormat} format
 * @param {number} layers
 */
function createTexture(device, label, format, layers) {
  return device.createTexture({
    label,
    format,
    size: [SIZE, SIZE, layers],
    mipLevelCount: LEVELS,
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
  });
}

/**
 * @param {GPUDevice} device
 * @param {GPUTexture} texture
 * @param {number} layer
 * @param {Uint8Array<ArrayBuffer>[]} levels
 */
function upload(device, texture, layer, levels) {
  for (const [mipLevel, texels] of levels.entries()) {
    const side = SIZE >> mipLevel;
    device.queue.writeTexture(
      { texture, mipLevel, origin: [0, 0, layer] },
      texels,
      { bytesPerRow: side * 4 },
      { width: side, height: side },
    );
  }
}

/** @param {import("./materials.mjs").Material} material */
function sample(material) {
  const colors = new Uint8Array(SIZE * SIZE * 4);
  const heights = new Float32Array(SIZE * SIZE);
  for (let i = 0; i < heights.length; i++) {
    const { color, roughness, height } = material.at((i % SIZE) / SIZE, Math.floor(i / SIZE) / SIZE);
    for (let channel = 0; channel < 3; channel++) colors[i * 4 + channel] = toByte(color[channel]);
    colors[i * 4 + 3] = toByte(roughness);
    heights[i] = height;
  }
  return { colors, heights };
}

/**
 * @param {Float32Array} heights
 * @param {number} steepness
 */
function normals(heights, steepness) {
  const texels = new Uint8Array(SIZE * SIZE * 4);
  const last = SIZE - 1;
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const row = y * SIZE;
      // The textures repeat, so the neighbour of the last texel is the first.
      const dx = heights[row + ((x + 1) & last)] - heights[row + ((x - 1) & last)];
      const dy = heights[((y + 1) & last) * SIZE + x] - heights[((y - 1) & last) * SIZE + x];
      const [nx, ny] = [-dx * steepness, -dy * steepness];
      const length = Math.hypot(nx, ny, 1);
      const at = (row + x) * 4;
      texels[at] = toByte(nx / length / 2 + 0.5);
      texels[at + 1] = toByte(ny / length / 2 + 0.5);
      texels[at + 2] = toByte(1 / length / 2 + 0.5);
      texels[at + 3] = toByte(heights[row + x]);
    }
  }
  return texels;
}

/** Two independent patterns: clouds in red, hills in green. */
function noiseTexels() {
  const clouds = fractalNoise(4, 4, 7, 71);
  const hills = fractalNoise(8, 4, 6, 72);
  const texels = new Uint8Array(SIZE * SIZE * 4);
  for (let i = 0; i < SIZE * SIZE; i++) {
    const [u, v] = [(i % SIZE) / SIZE, Math.floor(i / SIZE) / SIZE];
    texels[i * 4] = toByte(clouds(u, v));
    texels[i * 4 + 1] = toByte(hills(u, v));
    texels[i * 4 + 3] = 255;
  }
  return texels;
}

/** @param {number} value of [0, 1] */
function toByte(value) {
  return Math.max(0, Math.min(255, Math.round(value * 255)));
}
