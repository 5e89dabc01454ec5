// Smooth random patterns that repeat without a seam: the raw material of the scene's textures.
import { randomSource } from '../random.mjs';

/** @typedef {(u: number, v: number) => number} Pattern of [0, 1)², repeating beyond it */

/**
 * Random values on a lattice, smoothly interpolated.
 * @param {number} columns
 * @param {number} rows
 * @param {number} seed
 * @returns {Pattern} values of [0, 1]
 */
export function valueNoise(columns, rows, seed) {
  const random = randomSource(seed);
  const lattice = Float32Array.from({ length: columns * rows }, random);
  return (u, v) => {
    const x = (u - Math.floor(u)) * columns;
    const y = (v - Math.floor(v)) * rows;
    const column = Math.floor(x);
    const row = Math.floor(y);
    const fx = smooth(x - column);
    const fy = smooth(y - row);
    const [left, right] = [column % columns, (column + 1) % columns];
    const [near, far] = [(row % rows) * columns, ((row + 1) % rows) * columns];
    const first = lattice[near + left] + (lattice[near + right] - lattice[near + left]) * fx;
    const second = lattice[far + left] + (lattice[far + right] - lattice[far + left]) * fx;
    return first + (second - first) * fy;
  };
}

/**
 * Octaves of noise, each twice as fine and half as strong.
 * @param {number} columns of the coarsest octave
 * @param {number} rows of the coarsest octave
 * @param {number} octaves
 * @param {number} seed
 * @returns {Pattern} values of [0, 1], mostly near 0.5
 */
export function fractalNoise(columns, rows, octaves, seed) {
  const layers = Array.from({ length: octaves }, (_, i) => valueNoise(columns << i, rows << i, seed + i * 101));
  const total = 2 - 2 ** (1 - octaves);
  return (u, v) => {
    let sum = 0;
    let weight = 1;
    for (const layer of layers) {
      sum += layer(u, v) * weight;
      weight /= 2;
    }
    return sum / total;
  };
}

/**
 * The distance to the nearest of points strewn over a grid, one a cell: dimples, dots, cells.
 * @param {number} cells along each axis
 * @param {number} seed
 * @returns {Pattern} 0 at a point, about 1 far from all
 */
export function cellNoise(cells, seed) {
  const random = randomSource(seed);
  const points = Float32Array.from({ length: cells * cells * 2 }, () => 0.15 + random() * 0.7);
  return (u, v) => {
    const x = (u - Math.floor(u)) * cells;
    const y = (v - Math.floor(v)) * cells;
    let nearest = 4;
    for (let row = Math.floor(y) - 1; row <= y + 1; row++) {
      for (let column = Math.floor(x) - 1; column <= x + 1; column++) {
        const cell = (((row + cells) % cells) * cells + ((column + cells) % cells)) * 2;
        const dx = column + points[cell] - x;
        const dy = row + points[cell + 1] - y;
        nearest = Math.min(nearest, dx * dx + dy * dy);
      }
    }
    return Math.sqrt(nearest);
  };
}

/**
 * Waves that run in many directions, as a wind over open water makes them.
 * @param {number} seed
 * @returns {Pattern} values around 0.5
 */
export function waveField(seed) {
  const random = randomSource(seed);
  const waves = Array.from({ length: 22 }, (_, i) => {
    // Whole waves along both axes, so that the pattern repeats; the wind blows more along u than along v.
    const length = 2 + i * 0.9;
    const angle = (random() - 0.5) * 2.6;
    const [x, y] = [Math.round(Math.cos(angle) * length), Math.round(Math.sin(angle) * length)];
    return { x, y, phase: random(), height: 0.5 / (1 + Math.hypot(x, y)) };
  });
  return (u, v) => {
    let sum = 0.5;
    for (const { x, y, phase, height } of waves) sum += height * Math.sin((u * x + v * y + phase) * Math.PI * 2);
    return sum;
  };
}

/** @param {number} t */
function smooth(t) {
  return t * t * t * (t * (t * 6 - 15) + 10);
}
