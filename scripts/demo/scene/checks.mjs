// Is the picture right? The camera says where each thing must be; the pixels there must look like that thing.
import { cameraAt, project } from './camera.mjs';
import { direction } from './math.mjs';
import { countColors, measureBox, measureRing } from './probe.mjs';
import { BALLS, EVENING_STAR, KNOT_CENTRE, LAMPS, SHADOW_PROBES, STONE_TOP } from './stage.mjs';

/**
 * @typedef {object} Check
 * @property {string} name what is looked at
 * @property {number} value what was measured
 * @property {string} expected what is right, in words
 * @property {boolean} ok
 */

/**
 * @param {import("./probe.mjs").Picture} picture
 * @param {number} time seconds, as it was rendered
 * @returns {Check[]}
 */
export function checkPicture(picture, time) {
  const camera = cameraAt(time, picture.width / picture.height);
  /** @type {(point: import("./math.mjs").Vec3, w?: 0 | 1) => { x: number, y: number, distance: number }} */
  const at = (point, w = 1) => project(camera, picture, point, w);
  /** Pixels that a metre takes at a distance. */
  const focal = picture.height / 2 / camera.lens[1];
  /** Sizes in the sky are given for a picture 768 pixels high. */
  const unit = picture.height / 768;

  return [
    ...checkWhole(picture),
    ...checkSky(picture, camera.eye, at),
    ...checkStar(picture, at(EVENING_STAR, 0), unit),
    ...checkKnot(picture, at(KNOT_CENTRE), focal),
    ...checkBalls(picture, at, focal),
    checkShadow(picture, at, unit),
  ];
}

/**
 * @param {string} name
 * @param {number} value
 * @param {number} least
 * @param {number} [most]
 * @returns {Check}
 */
function within(name, value, least, most = Infinity) {
  const expected = most === Infinity ? `at least ${least}` : `${least} to ${most}`;
  return { name, value: Math.round(value * 1000) / 1000, expected, ok: value >= least && value <= most };
}

/** @param {import("./probe.mjs").Picture} picture */
function checkWhole(picture) {
  const { width, height, data } = picture;
  const whole = measureBox(picture, { left: 0, top: 0, right: width, bottom: height });
  let opaque = 0;
  for (let at = 3; at < data.length; at += 4) opaque += data[at] === 255 ? 1 : 0;
  return [
    within('opaque pixels, share', opaque / (width * height), 1),
    within('whole picture, mean luminance', whole.luminance, 35, 140),
    within('whole picture, spread of luminance', whole.spread, 20),
    within('whole picture, colours a thousand pixels', (countColors(picture) / (width * height)) * 1000, 20),
  ];
}

/**
 * The sky is blue above and warm at the horizon, and the water mirrors it.
 * @param {import("./probe.mjs").Picture} picture
 * @param {import("./math.mjs").Vec3} eye
 * @param {(point: import("./math.mjs").Vec3, w?: 0 | 1) => { x: number, y: number }} at
 */
function checkSky(picture, eye, at) {
  // The camera looks at the middle of the scene.
  const heading = (Math.atan2(-eye[0], eye[2]) * 180) / Math.PI;
  /** @type {(elevation: number) => import("./probe.mjs").Measure} */
  const strip = (elevation) => {
    const { y } = at(direction(heading, elevation), 0);
    return measureBox(picture, { left: 0, right: picture.width, top: y - 2, bottom: y + 2 });
  };
  const [high, low, water] = [strip(16), strip(4), strip(-4)];
  return [
    within('sky above, luminance', high.luminance, 20, 120),
    within('sky above, blue / red', high.blue / high.red, 1.15),
    within('sky at the horizon, red / blue', low.red / low.blue, 0.95),
    within('water / sky, luminance', water.luminance / low.luminance, 0.3, 1.05),
  ];
}

/**
 * @param {import("./probe.mjs").Picture} picture
 * @param {{ x: number, y: number }} star
 * @param {number} unit
 */
function checkStar(picture, star, unit) {
  const core = measureRing(picture, star, 2 * unit);
  const around = measureRing(picture, star, 110 * unit, 95 * unit);
  return [
    within('evening star, luminance', core.luminance, 220),
    within('evening star / sky around it', core.luminance / around.luminance, 2),
  ];
}

/**
 * @param {import("./probe.mjs").Picture} picture
 * @param {{ x: number, y: number, distance: number }} centre
 * @param {number} focal
 */
function checkKnot(picture, centre, focal) {
  const metre = focal / centre.distance;
  const lamp = measureRing(picture, centre, LAMPS[0].radius * 0.3 * metre);
  const gold = measureRing(picture, centre, 0.9 * metre, LAMPS[0].radius * 1.6 * metre);
  return [
    // Parts of the knot pass in front of the lamp, so its brightest pixel counts.
    within(
      'lamp in the knot, brightest luminance',
      Math.max(lamp.peak, measureRing(picture, centre, LAMPS[0].radius * metre).peak),
      215,
    ),
    within('knot, spread of luminance', gold.spread, 25),
    within('knot, red / blue', gold.red / gold.blue, 1.02),
  ];
}

/**
 * Each glazed ball has its colour.
 * @param {import("./probe.mjs").Picture} picture
 * @param {(point: import("./math.mjs").Vec3) => { x: number, y: number, distance: number }} at
 * @param {number} focal
 */
function checkBalls(picture, at, focal) {
  return BALLS.filter((ball) => ball.hue !== undefined).map(({ x, z, radius, hue }) => {
    const centre = at([x, STONE_TOP + radius, z]);
    const { red, blue } = measureRing(picture, centre, (radius * 0.5 * focal) / centre.distance);
    return hue === 'red'
      ? within('red ball, red / blue', red / blue, 1.8)
      : within('blue ball, blue / red', blue / red, 1.1);
  });
}

/**
 * The paving is brighter in the key light than in the shadow of the red ball.
 * @param {import("./probe.mjs").Picture} picture
 * @param {(point: import("./math.mjs").Vec3) => { x: number, y: number }} at
 * @param {number} unit
 */
function checkShadow(picture, at, unit) {
  const [lit, shaded] = [SHADOW_PROBES.lit, SHADOW_PROBES.shaded].map((place) =>
    measureRing(picture, at(place), 4 * unit),
  );
  return within('paving in the light / in the shadow', lit.luminance / shaded.luminance, 1.2);
}
