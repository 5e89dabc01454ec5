// The stars of the sky, strewn at random, and the evening star.
import { randomSource } from '../random.mjs';
import { EVENING_STAR } from './stage.mjs';

/** Floats a star: direction (3), radius in pixels (1), colour (3), whether it is the evening star (1). */
export const STAR_FLOATS = 8;

const COUNT = 760;

/** @returns {Float32Array<ArrayBuffer>} */
export function encodeStars() {
  const random = randomSource(1610);
  /** @type {number[]} */
  const stars = [...EVENING_STAR, 76, 1, 0.93, 0.82, 1];
  for (let i = 1; i < COUNT; i++) {
    // Even over the part of the sphere that the camera ever sees: height and compass angle are each even.
    const height = 0.1 + random() * 0.4;
    const angle = (random() - 0.5) * 1.6;
    const flat = Math.sqrt(1 - height * height);
    // Many faint ones, few bright ones; all drown in the glow near the horizon.
    const brightness = (0.06 + 0.95 * random() ** 8) * Math.min(1, Math.max(0, (height - 0.12) * 3.2));
    const warmth = random();
    const color = [0.85 + warmth * 0.25, 0.92, 1.15 - warmth * 0.3].map((channel) => channel * brightness);
    stars.push(Math.sin(angle) * flat, height, -Math.cos(angle) * flat, 1.9 + brightness * 1.6, ...color, 0);
  }
  return Float32Array.from(stars);
}
