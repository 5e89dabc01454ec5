// The surfaces of the scene: for each material, what colour, how rough and how high every point is.
import { cellNoise, fractalNoise, valueNoise, waveField } from './noise.mjs';

/**
 * @typedef {object} Material
 * @property {number} relief how steep the surface's height makes its normals
 * @property {(u: number, v: number) => { color: import("./math.mjs").Vec3, roughness: number, height: number }} at
 *   color as the screen shows it (sRGB), everything of [0, 1]
 */

/** Layers of the texture arrays, in the order of `materials`. The water's has a height only. */
export const LAYER = Object.freeze({ slate: 0, metal: 1, marble: 2, glaze: 3, paving: 4, water: 5 });

/**
 * Made on call and not kept: the noise behind them is needed only while textures are computed.
 * @returns {Material[]}
 */
export function materials() {
  return [slate(), metal(), marble(), glaze(), paving(), water()];
}

/** @returns {Material} dark split stone with fine strata */
function slate() {
  const coarse = fractalNoise(5, 6, 7, 11);
  const strata = fractalNoise(8, 22, 5, 12);
  const cracks = fractalNoise(4, 5, 6, 13);
  return {
    relief: 9,
    at(u, v) {
      const rock = coarse(u, v);
      const layer = strata(u + rock * 0.08, v);
      const crack = vein(cracks(u, v + rock * 0.1) - 0.5, 0.012);
      const height = rock * 0.65 + layer * 0.35 - crack * 0.07;
      const tone = 0.37 + (height - 0.5) * 0.6 - crack * 0.04;
      return { color: [tone * 0.88, tone, tone * 1.14], roughness: 0.42 + (1 - layer) * 0.36, height };
    },
  };
}

/** @returns {Material} hammered metal; an object tints it */
function metal() {
  const dimples = cellNoise(7, 21);
  const wear = fractalNoise(6, 6, 5, 22);
  return {
    relief: 5,
    at(u, v) {
      const dimple = dimples(u, v);
      const patina = wear(u, v);
      const tone = 0.9 + (patina - 0.5) * 0.24;
      return { color: [tone, tone, tone], roughness: 0.2 + (patina - 0.5) * 0.22, height: dimple * dimple * 0.55 };
    },
  };
}

/** @returns {Material} polished, with veins where a warped pattern crosses zero */
function marble() {
  const cloud = fractalNoise(3, 3, 6, 31);
  const warp = fractalNoise(4, 4, 6, 32);
  const fine = fractalNoise(8, 8, 5, 33);
  return {
    relief: 0,
    at(u, v) {
      const bend = warp(u, v);
      const wide = vein(cloud(u + bend * 0.35, v + bend * 0.2) - 0.5, 0.035);
      const thin = vein(fine(u + bend * 0.2, v) - 0.5, 0.02) * 0.45;
      const dark = Math.min(1, wide * 0.85 + thin);
      const tone = 0.93 - (bend - 0.5) * 0.12;
      return {
        color: [tone - dark * 0.5, tone * 0.98 - dark * 0.47, tone * 0.95 - dark * 0.4],
        roughness: 0.16 + dark * 0.12,
        height: 0.5,
      };
    },
  };
}

/** @returns {Material} speckled pottery glaze */
function glaze() {
  const pooling = fractalNoise(4, 4, 4, 41);
  const specks = cellNoise(30, 42);
  const strength = valueNoise(30, 30, 43);
  return {
    relief: 1.2,
    at(u, v) {
      const speck = smoothstep(0.3, 0.16, specks(u, v)) * smoothstep(0.35, 0.8, strength(u, v));
      const tone = 0.8 + (pooling(u, v) - 0.5) * 0.35 - speck * 0.35;
      return { color: [tone, tone, tone], roughness: 0.24 + speck * 0.3, height: 0.5 + pooling(u, v) * 0.3 };
    },
  };
}

/** @returns {Material} courses of cut stone, every second one shifted by half a stone */
function paving() {
  const [across, courses] = [4, 4];
  const grain = fractalNoise(16, 16, 5, 51);
  const stain = fractalNoise(3, 3, 4, 52);
  const tones = valueNoise(across * 2, courses, 53);
  return {
    relief: 7,
    at(u, v) {
      const course = Math.floor(v * courses);
      const shifted = u * across + (course % 2) * 0.5;
      const [x, y] = [shifted - Math.floor(shifted), v * courses - course];
      const edge = Math.min(x, 1 - x, y, 1 - y);
      const stone = smoothstep(0.008, 0.04, edge);
      // Sampled at the lattice points, the noise is one random tone a stone.
      const own = tones(Math.floor(shifted) / (across * 2), course / courses);
      const rough = grain(u, v);
      const tone = (0.4 + own * 0.13 + (rough - 0.5) * 0.2 + (stain(u, v) - 0.5) * 0.16) * (0.45 + stone * 0.55);
      return {
        color: [tone * 1.04, tone, tone * 0.97],
        roughness: 0.42 + (rough - 0.5) * 0.3 + (1 - stone) * 0.3 - (stain(u, v) - 0.5) * 0.35,
        height: stone * 0.45 + rough * 0.2,
      };
    },
  };
}

/** @returns {Material} */
function water() {
  const waves = waveField(61);
  return { relief: 4.5, at: (u, v) => ({ color: [0, 0, 0], roughness: 0, height: waves(u, v) }) };
}

/**
 * @param {number} distance from the vein's middle
 * @param {number} width
 */
function vein(distance, width) {
  return 1 / (1 + (distance / width) ** 2);
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} x
 */
function smoothstep(from, to, x) {
  const t = Math.max(0, Math.min(1, (x - from) / (to - from)));
  return t * t * (3 - 2 * t);
}
