// Where the picture is taken from, and where a place of the world lies in it.
import { lookAt, multiply, perspective, subtract, transform } from './math.mjs';

/** Seconds after which the animation is back where it began. */
export const LOOP_SECONDS = 16;

const DISTANCE = 11.6;
const HEIGHT = 2.3;
const FIELD_OF_VIEW_DEGREES = 34;
/** The arc of the swing: further to the left, the evening star would leave the picture. */
const SWING_DEGREES = { middle: 4, reach: 8.5 };
/** @type {import("./math.mjs").Vec3} */
const TARGET = [0, 2.62, 0];

/**
 * @typedef {object} Camera
 * @property {import("./math.mjs").Vec3} eye
 * @property {import("./math.mjs").Mat4} view world to view
 * @property {import("./math.mjs").Mat4} projection view to clip
 * @property {import("./math.mjs").Mat4} viewProjection
 * @property {[number, number]} lens half the picture's width and height at distance 1: turns a pixel into a ray
 */

/**
 * The camera swings along an arc around the scene, there and back once a loop, so that the evening star stays in view.
 * @param {number} time seconds
 * @param {number} aspect width / height
 * @returns {Camera}
 */
export function cameraAt(time, aspect) {
  const { middle, reach } = SWING_DEGREES;
  // The animation begins and ends in front of the scene.
  const phase = (time / LOOP_SECONDS) * Math.PI * 2 - Math.asin(middle / reach);
  const angle = ((middle + Math.sin(phase) * reach) * Math.PI) / 180;
  /** @type {import("./math.mjs").Vec3} */
  const eye = [Math.sin(angle) * DISTANCE, HEIGHT, Math.cos(angle) * DISTANCE];
  const view = lookAt(eye, TARGET);
  const projection = perspective(FIELD_OF_VIEW_DEGREES, aspect, 0.5, 900);
  const halfHeight = 1 / projection[5];
  return { eye, view, projection, viewProjection: multiply(projection, view), lens: [halfHeight * aspect, halfHeight] };
}

/**
 * @param {Camera} camera
 * @param {{ width: number, height: number }} picture pixels
 * @param {import("./math.mjs").Vec3} point
 * @param {0 | 1} [w] 1 for a place, 0 for a direction infinitely far away
 * @returns {{ x: number, y: number, distance: number }} pixels from the top left corner; distance is to the eye
 */
export function project(camera, { width, height }, point, w = 1) {
  const [x, y, , clipW] = transform(camera.viewProjection, point, w);
  return {
    x: ((x / clipW) * 0.5 + 0.5) * width,
    y: (0.5 - (y / clipW) * 0.5) * height,
    distance: w === 0 ? Infinity : Math.hypot(...subtract(point, camera.eye)),
  };
}
