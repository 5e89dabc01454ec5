// The little linear algebra that the scene needs. Matrices are column-major 4×4, as WGSL stores them; clip space depth
// runs from 0 to 1.

/** @typedef {readonly [number, number, number]} Vec3 */
/** @typedef {Float32Array<ArrayBuffer>} Mat4 */

/** @type {(a: Vec3, b: Vec3) => Vec3} */
export const add = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
/** @type {(a: Vec3, b: Vec3) => Vec3} */
export const subtract = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
/** @type {(a: Vec3, factor: number) => Vec3} */
export const scale = (a, factor) => [a[0] * factor, a[1] * factor, a[2] * factor];
/** @type {(a: Vec3, b: Vec3) => number} */
export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
/** @type {(a: Vec3, b: Vec3) => Vec3} */
export const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
/** @type {(a: Vec3) => Vec3} */
export const normalize = (a) => scale(a, 1 / Math.hypot(...a));

/**
 * The unit vector at a compass angle and a height above the horizon; azimuth 0 is -z, positive to the right (+x).
 * @param {number} azimuthDegrees
 * @param {number} elevationDegrees
 * @returns {Vec3}
 */
export function direction(azimuthDegrees, elevationDegrees) {
  const azimuth = (azimuthDegrees * Math.PI) / 180;
  const elevation = (elevationDegrees * Math.PI) / 180;
  const flat = Math.cos(elevation);
  return [Math.sin(azimuth) * flat, Math.sin(elevation), -Math.cos(azimuth) * flat];
}

/**
 * @param {Mat4} a
 * @param {Mat4} b
 * @returns {Mat4} a · b
 */
export function multiply(a, b) {
  const result = new Float32Array(16);
  for (let column = 0; column < 4; column++) {
    for (let row = 0; row < 4; row++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += a[k * 4 + row] * b[column * 4 + k];
      result[column * 4 + row] = sum;
    }
  }
  return result;
}

/**
 * @param {Vec3} eye
 * @param {Vec3} target
 * @returns {Mat4} world to view, y up
 */
export function lookAt(eye, target) {
  const back = normalize(subtract(eye, target));
  const right = normalize(cross([0, 1, 0], back));
  const up = cross(back, right);
  // prettier-ignore
  return Float32Array.of(
    right[0], up[0], back[0], 0,
    right[1], up[1], back[1], 0,
    right[2], up[2], back[2], 0,
    -dot(right, eye), -dot(up, eye), -dot(back, eye), 1,
  );
}

/**
 * @param {number} verticalDegrees field of view
 * @param {number} aspect width / height
 * @param {number} near
 * @param {number} far
 * @returns {Mat4} view to clip
 */
export function perspective(verticalDegrees, aspect, near, far) {
  const focal = 1 / Math.tan((verticalDegrees * Math.PI) / 360);
  const depth = far / (near - far);
  return Float32Array.of(focal / aspect, 0, 0, 0, 0, focal, 0, 0, 0, 0, depth, -1, 0, 0, depth * near, 0);
}

/**
 * @param {number} halfSize of the square that is seen
 * @param {number} near
 * @param {number} far
 * @returns {Mat4} view to clip
 */
export function orthographic(halfSize, near, far) {
  const depth = 1 / (near - far);
  return Float32Array.of(1 / halfSize, 0, 0, 0, 0, 1 / halfSize, 0, 0, 0, 0, depth, 0, 0, 0, depth * near, 1);
}

/** Mirrors the world at the water, the plane y = 0. */
export const WATER_MIRROR = Float32Array.of(1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);

/**
 * @param {Mat4} matrix
 * @param {Vec3} point
 * @param {number} [w] 1 for a place, 0 for a direction infinitely far away
 * @returns {[number, number, number, number]} clip coordinates
 */
export function transform(matrix, point, w = 1) {
  const [x, y, z] = point;
  /** @type {(row: number) => number} */
  const component = (row) => matrix[row] * x + matrix[4 + row] * y + matrix[8 + row] * z + matrix[12 + row] * w;
  return [component(0), component(1), component(2), component(3)];
}
