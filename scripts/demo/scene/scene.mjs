// The evening star over calm water: set up once, then drawn frame by frame.
import { Readback } from '../readback.mjs';
import { createBindGroups, createLayouts } from './bindings.mjs';
import { recordBundles } from './bundles.mjs';
import { GLOW_LEVELS } from './formats.mjs';
import { Geometry, bufferOf } from './geometry.mjs';
import { createPipelines } from './pipelines.mjs';
import { loadShaders } from './shaders.mjs';
import { STAR_FLOATS, encodeStars } from './stars.mjs';
import { createTargets, destroyTargets } from './targets.mjs';
import { createTextures } from './textures.mjs';
import { encodeViews, encodeWorld } from './uniforms.mjs';

/**
 * @typedef {object} SceneOptions
 * @property {number} [width] pixels
 * @property {number} [height] pixels
 * @property {1 | 4} [samples] a pixel
 * @property {(step: string) => void} [progress] told what is being set up
 */

/**
 * Draws one frame.
 * @param {GPUDevice} device
 * @param {SceneOptions & { time?: number }} [options] time in seconds
 * @returns {Promise<Uint8Array<ArrayBuffer>>} rgba, 8 bits a channel, rows from the top without padding
 */
export async function renderScene(device, { time = 0, ...options } = {}) {
  const scene = await Scene.create(device, options);
  try {
    return await scene.render(time);
  } finally {
    scene.destroy();
  }
}

export class Scene {
  #device;
  #parts;

  /**
   * Use `Scene.create`.
   * @param {GPUDevice} device
   * @param {Awaited<ReturnType<typeof createParts>>} parts
   */
  constructor(device, parts) {
    this.#device = device;
    this.#parts = parts;
  }

  /**
   * @param {GPUDevice} device
   * @param {SceneOptions} [options]
   */
  static async create(device, { width = 1024, height = 768, samples = 4, progress = () => {} } = {}) {
    return new Scene(device, await createParts(device, { width, height, samples, progress }));
  }

  get width() {
    return this.#parts.targets.picture.width;
  }

  get height() {
    return this.#parts.targets.picture.height;
  }

  /**
   * Draws a frame and brings it back. One frame at a time: await each before the next.
   * @param {number} time seconds; repeats after LOOP_SECONDS
   * @returns {Promise<Uint8Array<ArrayBuffer>>} rgba, 8 bits a channel, rows from the top without padding
   */
  async render(time) {
    const { geometry, views, world, targets, readback } = this.#parts;
    const { width, height } = this;
    const { resolved: mirror } = targets.mirror;
    geometry.update(time);
    this.#device.queue.writeBuffer(views, 0, encodeViews(time, [width, height], [mirror.width, mirror.height]));
    this.#device.queue.writeBuffer(world, 0, encodeWorld(time));

    const encoder = this.#device.createCommandEncoder({ label: 'frame' });
    this.#drawShadows(encoder);
    this.#drawLight(encoder, 'mirror');
    this.#drawLight(encoder, 'main');
    this.#drawGlow(encoder);
    this.#drawPicture(encoder);
    readback.record(encoder);
    this.#device.queue.submit([encoder.finish()]);
    return readback.read();
  }

  destroy() {
    const { geometry, views, world, stars, textures, targets, readback } = this.#parts;
    geometry.destroy();
    readback.destroy();
    destroyTargets(targets);
    for (const resource of [views, world, stars, textures.surface, textures.relief, textures.noise]) resource.destroy();
  }

  /** @param {GPUCommandEncoder} encoder */
  #drawShadows(encoder) {
    const { targets, bundles } = this.#parts;
    const pass = encoder.beginRenderPass({
      label: 'shadow',
      colorAttachments: [],
      depthStencilAttachment: {
        view: targets.shadow.createView(),
        depthClearValue: 1,
        depthLoadOp: 'clear',
        depthStoreOp: 'store',
      },
    });
    pass.executeBundles([bundles.shadow]);
    pass.end();
  }

  /**
   * @param {GPUCommandEncoder} encoder
   * @param {"main" | "mirror"} name
   */
  #drawLight(encoder, name) {
    const { samples, depth, resolved } = this.#parts.targets[name];
    const target = resolved.createView();
    const pass = encoder.beginRenderPass({
      label: name,
      colorAttachments: [
        samples
          ? { view: samples.createView(), resolveTarget: target, loadOp: 'clear', storeOp: 'discard' }
          : { view: target, loadOp: 'clear', storeOp: 'store' },
      ],
      depthStencilAttachment: {
        view: depth.createView(),
        depthClearValue: 1,
        depthLoadOp: 'clear',
        depthStoreOp: 'discard',
      },
    });
    pass.executeBundles([this.#parts.bundles[name]]);
    pass.end();
  }

  /** @param {GPUCommandEncoder} encoder */
  #drawGlow(encoder) {
    const { pipelines, groups, targets } = this.#parts;
    /** @type {(level: number, pipeline: GPURenderPipeline, source: GPUBindGroup, loadOp: GPULoadOp) => void} */
    const step = (level, pipeline, source, loadOp) => {
      const pass = encoder.beginRenderPass({
        label: `glow ${level}`,
        colorAttachments: [{ view: targets.glowLevels[level], loadOp, storeOp: 'store' }],
      });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, source);
      pass.draw(3);
      pass.end();
    };
    step(0, pipelines.firstShrink, groups.light, 'clear');
    for (let level = 1; level < GLOW_LEVELS; level++) step(level, pipelines.shrink, groups.glow[level - 1], 'clear');
    for (let level = GLOW_LEVELS - 2; level >= 0; level--) step(level, pipelines.grow, groups.glow[level + 1], 'load');
  }

  /** @param {GPUCommandEncoder} encoder */
  #drawPicture(encoder) {
    const { pipelines, groups, targets } = this.#parts;
    const pass = encoder.beginRenderPass({
      label: 'picture',
      colorAttachments: [{ view: targets.picture.createView(), loadOp: 'clear', storeOp: 'store' }],
    });
    pass.setPipeline(pipelines.picture);
    pass.setBindGroup(0, groups.tonemap);
    pass.draw(3);
    pass.end();
  }
}

/**
 * @param {GPUDevice} device
 * @param {Required<SceneOptions>} options
 */
async function createParts(device, { width, height, samples, progress }) {
  progress('pipelines');
  const layouts = createLayouts(device);
  const pipelines = await createPipelines(device, await loadShaders(device), layouts, samples);

  progress('textures');
  const textures = createTextures(device);

  progress('geometry');
  const geometry = new Geometry(device);
  const starData = encodeStars();
  const stars = bufferOf(device, 'stars', GPUBufferUsage.VERTEX, starData);
  const views = bufferOf(device, 'views', GPUBufferUsage.UNIFORM, encodeViews(0, [width, height], [width, height]));
  const world = bufferOf(device, 'world', GPUBufferUsage.UNIFORM, encodeWorld(0));

  const targets = createTargets(device, { width, height, samples });
  const groups = createBindGroups(device, layouts, { views, world, textures, targets });
  const starCount = starData.length / STAR_FLOATS;
  const bundles = recordBundles(device, { pipelines, groups, geometry, stars, starCount, samples });
  const readback = new Readback(device, targets.picture);
  return { pipelines, textures, geometry, stars, views, world, targets, groups, bundles, readback };
}
