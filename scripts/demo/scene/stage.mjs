// What stands where: the objects of the scene, their materials, and the lights. World units are metres; the water is
// y = 0.
import { LOOP_SECONDS } from './camera.mjs';
import { LAYER } from './materials.mjs';
import { direction, normalize, scale } from './math.mjs';
import { lathe, roundedBox, sphere, torusKnot } from './mesh.mjs';

/** @typedef {import("./math.mjs").Vec3} Vec3 */

/** Where the evening star stands: the scene's only fixed point in the sky. */
export const EVENING_STAR = direction(-15.2, 11.2);

/** Where the sun went down. */
export const GLOW = direction(-31, 0);

export const KNOT_CENTRE = /** @type {Vec3} */ ([0, 2.12, 0]);

/** The last warm light, from the left. */
export const KEY_LIGHT = Object.freeze({
  direction: normalize([-0.84, 0.44, 0.36]),
  color: /** @type {Vec3} */ ([7.6, 3.9, 1.75]),
});

/** Lamps: the star inside the knot, and two lanterns on the water. */
export const LAMPS = Object.freeze([
  { position: KNOT_CENTRE, radius: 0.2, color: /** @type {Vec3} */ ([5.8, 6.0, 7.2]), layer: LAYER.metal },
  {
    position: /** @type {Vec3} */ ([-3.2, 0.15, 2.2]),
    radius: 0.2,
    color: /** @type {Vec3} */ ([2.6, 1.15, 0.36]),
    layer: LAYER.marble,
  },
  {
    position: /** @type {Vec3} */ ([2.72, 0.12, 3.5]),
    radius: 0.16,
    color: /** @type {Vec3} */ ([1.9, 0.85, 0.27]),
    layer: LAYER.marble,
  },
]);

/**
 * @typedef {object} Instance
 * @property {Vec3} position
 * @property {number} [yaw] radians about the y axis
 * @property {number} [roll] radians about the z axis, first
 * @property {number} [scale]
 * @property {number} layer of the texture arrays
 * @property {Vec3} [tint] linear colour
 * @property {number} [glow] light of its own
 * @property {number} [metallic]
 * @property {number} [roughness] times the texture's
 * @property {number} [relief] strength of the texture's normals
 * @property {[number, number, number, number]} [tiling] scale and offset of the texture
 */

/**
 * @typedef {object} StageObject one mesh and the places where it is drawn
 * @property {import("./mesh.mjs").Mesh} mesh
 * @property {(time: number) => Instance[]} instances
 */

/** Height of the stone disc that the objects stand on. */
export const STONE_TOP = 0.4;

/** Places of the paving, for the checks: one in the key light, one behind the red ball. */
export const SHADOW_PROBES = Object.freeze({
  lit: /** @type {Vec3} */ ([0.3, STONE_TOP, 1.9]),
  shaded: /** @type {Vec3} */ ([-0.12, STONE_TOP, 1.28]),
});

/**
 * Spheres on the stone disc: they also keep the sky's light from it.
 * @type {readonly (Omit<Instance, "position"> & { x: number, z: number, radius: number, hue?: "red" | "blue" })[]}
 */
export const BALLS = Object.freeze([
  { x: -1.42, z: 0.62, radius: 0.44, layer: LAYER.marble, tiling: [2, 1, 0.1, 0.2] },
  {
    x: 1.5,
    z: 0.55,
    radius: 0.38,
    hue: 'blue',
    layer: LAYER.glaze,
    tint: [0.05, 0.2, 0.32],
    roughness: 0.7,
    tiling: [2, 1, 0, 0],
  },
  {
    x: 0.86,
    z: 1.42,
    radius: 0.2,
    layer: LAYER.metal,
    tint: [0.92, 0.93, 0.96],
    metallic: 1,
    roughness: 0.5,
    relief: 0,
  },
  {
    x: -0.62,
    z: 1.5,
    radius: 0.24,
    hue: 'red',
    layer: LAYER.glaze,
    tint: [0.5, 0.06, 0.035],
    roughness: 0.8,
    tiling: [2, 1, 0.3, 0.1],
  },
  {
    x: -1.02,
    z: 1.72,
    radius: 0.13,
    layer: LAYER.metal,
    tint: [1, 0.7, 0.36],
    metallic: 1,
    roughness: 0.9,
    relief: 0.5,
    tiling: [2, 1, 0, 0],
  },
]);

/** @returns {StageObject[]} */
export function stageObjects() {
  return [
    { mesh: torusKnot(0.58, 0.128), instances: knot },
    { mesh: sphere(1), instances: spheres },
    { mesh: roundedBox([0.98, 4.8, 0.56], 0.09), instances: monoliths },
    {
      mesh: lathe(DISC, 128),
      instances: () => [{ position: [0, 0, 0], layer: LAYER.paving, tiling: [6, 0.95, 0, 0.32] }],
    },
    {
      mesh: lathe(PEDESTAL, 96),
      instances: () => [{ position: [0, STONE_TOP, 0], layer: LAYER.marble, tiling: [2, 0.6, 0, 0] }],
    },
  ];
}

/** @type {[number, number][]} a stone disc of two steps, its foot under water */
const DISC = [
  [2.75, -0.5],
  [2.75, 0.12],
  [2.71, 0.16],
  [2.3, 0.16],
  [2.3, STONE_TOP - 0.05],
  [2.25, STONE_TOP],
  [0.3, STONE_TOP],
];

/** @type {[number, number][]} */
const PEDESTAL = [
  [0.66, 0],
  [0.66, 0.09],
  [0.63, 0.12],
  [0.5, 0.13],
  ...Array.from(
    { length: 13 },
    (_, i) => /** @type {[number, number]} */ ([0.31 + 0.17 * (1 - i / 12) ** 3, 0.14 + (i / 12) * 0.26]),
  ),
  ...Array.from(
    { length: 9 },
    (_, i) => /** @type {[number, number]} */ ([0.31 + 0.16 * (i / 8) ** 2, 0.42 + (i / 8) * 0.1]),
  ),
  [0.5, 0.54],
  [0.5, 0.6],
  [0.47, 0.63],
  [0, 0.63],
];

/** @returns {Instance[]} */
function knot(/** @type {number} */ time) {
  const turn = (time / LOOP_SECONDS) * Math.PI * 2;
  return [
    {
      position: KNOT_CENTRE,
      yaw: turn + 0.42,
      roll: 0.3,
      layer: LAYER.metal,
      tint: [1, 0.66, 0.3],
      metallic: 1,
      tiling: [14, 2, 0, 0],
      relief: 1.1,
      roughness: 1.5,
    },
  ];
}

/** @returns {Instance[]} */
function spheres() {
  const lamps = LAMPS.map(({ position, radius, color, layer }) => {
    const brightest = Math.max(...color);
    const tint = scale(color, 1 / brightest);
    return {
      position,
      scale: radius,
      layer,
      tint,
      glow: brightest * 0.9,
      relief: 0,
      roughness: 2,
      tiling: [2, 1, 0, 0],
    };
  });
  const balls = BALLS.map(({ x, z, radius, hue: _hue, ...material }, i) => ({
    position: [x, STONE_TOP + radius, z],
    yaw: i * 1.7,
    scale: radius,
    ...material,
  }));
  return /** @type {Instance[]} */ ([...lamps, ...balls]);
}

/** @returns {Instance[]} stones in an arc, standing in the water at different depths */
function monoliths() {
  const stones = [
    { angle: -66, distance: 5.6, top: 2.3 },
    { angle: -31, distance: 5.2, top: 3.35 },
    { angle: 29, distance: 5.4, top: 4.35 },
    { angle: 57, distance: 5.2, top: 3.2 },
    { angle: 86, distance: 5.0, top: 2.1 },
  ];
  return stones.map(({ angle, distance, top }, i) => {
    const [x, , z] = direction(angle, 0);
    return {
      position: [x * distance, top - 4.8, z * distance],
      // Turned to the left: their faces catch the light.
      yaw: -0.32 - 0.14 * (i % 3),
      layer: LAYER.slate,
      tint: [0.82, 0.94, 1.12],
      tiling: [0.29, 0.29, i * 0.37, i * 0.21],
    };
  });
}

/** @returns {[number, number, number, number][]} centre and radius */
export function occluders() {
  return [
    ...BALLS.map(
      ({ x, z, radius }) => /** @type {[number, number, number, number]} */ ([x, STONE_TOP + radius, z, radius]),
    ),
    [0, STONE_TOP + 0.1, 0, 0.55],
    [...KNOT_CENTRE, 0.62],
  ];
}
