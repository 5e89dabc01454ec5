// Smaller and smaller versions of a texture, each a 2×2 average of the one before.

/** Light is added up linearly, so sRGB colours are averaged as the light that they stand for. */
const LIGHT_OF_BYTE = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255) ** 2.2);

/**
 * @param {Uint8Array<ArrayBuffer>} base rgba texels of a square whose side is a power of two
 * @param {number} size side of the square
 * @param {{ srgb: boolean }} options whether rgb is sRGB; alpha is always linear
 * @returns {Uint8Array<ArrayBuffer>[]} from the base down to one texel
 */
export function mipmaps(base, size, { srgb }) {
  const levels = [base];
  for (let side = size; side > 1; side /= 2) levels.push(halve(levels[levels.length - 1], side, srgb));
  return levels;
}

/**
 * @param {Uint8Array} source
 * @param {number} side
 * @param {boolean} srgb
 */
function halve(source, side, srgb) {
  const half = side / 2;
  const result = new Uint8Array(half * half * 4);
  for (let y = 0; y < half; y++) {
    for (let x = 0; x < half; x++) {
      const at = (y * 2 * side + x * 2) * 4;
      const corners = [at, at + 4, at + side * 4, at + side * 4 + 4];
      for (let channel = 0; channel < 4; channel++) {
        const light = srgb && channel < 3;
        let sum = 0;
        for (const corner of corners) sum += light ? LIGHT_OF_BYTE[source[corner + channel]] : source[corner + channel];
        result[(y * half + x) * 4 + channel] = Math.round(light ? (sum / 4) ** (1 / 2.2) * 255 : sum / 4);
      }
    }
  }
  return result;
}
