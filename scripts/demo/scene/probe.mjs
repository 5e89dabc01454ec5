// Measures parts of a picture.

/**
 * @typedef {object} Picture
 * @property {number} width
 * @property {number} height
 * @property {Uint8Array} data rgba, 8 bits a channel
 */

/**
 * @typedef {object} Measure of a part of a picture; channels and luminance are 0 to 255
 * @property {number} red mean
 * @property {number} green mean
 * @property {number} blue mean
 * @property {number} luminance mean
 * @property {number} peak largest luminance
 * @property {number} spread standard deviation of the luminance
 */

/**
 * @param {Picture} picture
 * @param {{ left: number, top: number, right: number, bottom: number }} box pixels; clamped to the picture, never empty
 * @param {(x: number, y: number) => boolean} [inside] which pixels of the box count
 * @returns {Measure}
 */
export function measureBox({ width, height, data }, box, inside = () => true) {
  /** @type {(value: number, limit: number) => number} */
  const clamp = (value, limit) => Math.max(0, Math.min(limit - 1, Math.round(value)));
  let [count, red, green, blue, peak, squares] = [0, 0, 0, 0, 0, 0];
  for (let y = clamp(box.top, height); y <= clamp(box.bottom, height); y++) {
    for (let x = clamp(box.left, width); x <= clamp(box.right, width); x++) {
      if (!inside(x, y)) continue;
      const at = (y * width + x) * 4;
      const luminance = 0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2];
      count++;
      red += data[at];
      green += data[at + 1];
      blue += data[at + 2];
      squares += luminance * luminance;
      peak = Math.max(peak, luminance);
    }
  }
  const total = Math.max(1, count);
  const luminance = (0.2126 * red + 0.7152 * green + 0.0722 * blue) / total;
  const spread = Math.sqrt(Math.max(0, squares / total - luminance * luminance));
  return { red: red / total, green: green / total, blue: blue / total, luminance, peak, spread };
}

/**
 * @param {Picture} picture
 * @param {{ x: number, y: number }} centre
 * @param {number} outer radius, pixels
 * @param {number} [inner] what lies nearer to the centre does not count
 * @returns {Measure}
 */
export function measureRing(picture, { x, y }, outer, inner = 0) {
  const box = { left: x - outer, top: y - outer, right: x + outer, bottom: y + outer };
  return measureBox(picture, box, (px, py) => {
    const distance = Math.hypot(px - x, py - y);
    return distance <= Math.max(outer, 1) && distance >= inner;
  });
}

/** @param {Picture} picture */
export function countColors({ data }) {
  const seen = new Uint8Array(1 << 24);
  let colors = 0;
  for (let at = 0; at < data.length; at += 4) {
    const color = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
    colors += 1 - seen[color];
    seen[color] = 1;
  }
  return colors;
}
