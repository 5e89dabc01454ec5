// The uniform buffers, laid out as shaders/frame.wgsl declares them.
import { LOOP_SECONDS, cameraAt } from './camera.mjs';
import { WATER_MIRROR, add, lookAt, multiply, orthographic, scale } from './math.mjs';
import { GLOW, KEY_LIGHT, LAMPS, occluders } from './stage.mjs';

/** Bytes from one view to the next: dynamic offsets are multiples of 256. */
export const VIEW_STRIDE = 256;
/** Bytes that the shaders' View takes. */
export const VIEW_BYTES = 144;
/** Bytes that the shaders' World takes. */
export const WORLD_BYTES = 336;

/** The views of a frame, in the order of their dynamic offsets. */
export const VIEW = Object.freeze({ main: 0, mirror: VIEW_STRIDE, light: 2 * VIEW_STRIDE });

/**
 * @param {number} time seconds
 * @param {[number, number]} viewport of the picture, pixels
 * @param {[number, number]} mirrorViewport of the mirror image, pixels
 * @returns {Float32Array<ArrayBuffer>} three views, VIEW_STRIDE bytes apart
 */
export function encodeViews(time, viewport, mirrorViewport) {
  const camera = cameraAt(time, viewport[0] / viewport[1]);
  const { eye, view, projection, viewProjection, lens } = camera;
  const views = new Float32Array((VIEW_STRIDE / 4) * 3);
  /** @type {(offset: number, matrix: Float32Array, flip: 1 | -1, size: [number, number]) => void} */
  const write = (offset, matrix, flip, size) => {
    const at = offset / 4;
    /** @type {(row: number, factor: number) => [number, number, number]} */
    const axis = (row, factor) => [view[row] * factor, view[4 + row] * factor * flip, view[8 + row] * factor];
    views.set(matrix, at);
    views.set([eye[0], eye[1] * flip, eye[2]], at + 16);
    views.set(axis(0, lens[0]), at + 20);
    views.set(axis(1, lens[1]), at + 24);
    views.set(axis(2, -1), at + 28);
    views.set(size, at + 32);
  };
  write(VIEW.main, viewProjection, 1, viewport);
  write(VIEW.mirror, multiply(projection, multiply(view, WATER_MIRROR)), -1, mirrorViewport);
  write(VIEW.light, lightViewProjection(), 1, viewport);
  return views;
}

/**
 * @param {number} time seconds
 * @returns {Float32Array<ArrayBuffer>}
 */
export function encodeWorld(time) {
  const world = new Float32Array(WORLD_BYTES / 4);
  world.set(lightViewProjection(), 0);
  world.set(KEY_LIGHT.direction, 16);
  world.set(KEY_LIGHT.color, 20);
  world.set(GLOW, 24);
  world[27] = (time / LOOP_SECONDS) % 1;
  for (const [i, { position, radius, color }] of LAMPS.entries()) {
    world.set([...position, radius, ...color], 28 + i * 8);
  }
  for (const [i, sphere] of occluders().entries()) world.set(sphere, 52 + i * 4);
  return world;
}

/** The key light is far away: parallel rays through a square that holds everything that casts a shadow. */
function lightViewProjection() {
  /** @type {import("./math.mjs").Vec3} */
  const middle = [0.2, 1.2, -1.2];
  const view = lookAt(add(middle, scale(KEY_LIGHT.direction, 14)), middle);
  return multiply(orthographic(6.6, 1, 28), view);
}
