// The bind group layouts and the bind groups of the scene. Groups: 0 the frame, 1 the materials, 2 the shadow map,
// 3 the mirror image.
import { VIEW_BYTES, WORLD_BYTES } from './uniforms.mjs';

/** @typedef {ReturnType<typeof createLayouts>} Layouts */

/** @param {GPUDevice} device */
export function createLayouts(device) {
  const { FRAGMENT, VERTEX } = GPUShaderStage;
  /** @type {(label: string, entries: Omit<GPUBindGroupLayoutEntry, "binding">[]) => GPUBindGroupLayout} */
  const layout = (label, entries) =>
    device.createBindGroupLayout({ label, entries: entries.map((entry, binding) => ({ binding, ...entry })) });
  return {
    frame: layout('frame', [
      { visibility: VERTEX | FRAGMENT, buffer: { hasDynamicOffset: true, minBindingSize: VIEW_BYTES } },
      { visibility: VERTEX | FRAGMENT, buffer: { minBindingSize: WORLD_BYTES } },
    ]),
    materials: layout('materials', [
      { visibility: FRAGMENT, texture: { viewDimension: '2d-array' } },
      { visibility: FRAGMENT, texture: { viewDimension: '2d-array' } },
      { visibility: FRAGMENT, texture: {} },
      { visibility: FRAGMENT, sampler: {} },
      { visibility: FRAGMENT, sampler: {} },
    ]),
    shadow: layout('shadow', [
      { visibility: FRAGMENT, texture: { sampleType: 'depth' } },
      { visibility: FRAGMENT, sampler: { type: 'comparison' } },
    ]),
    // One texture and a sampler: the water's mirror image, and each step of the glow.
    image: layout('image', [
      { visibility: FRAGMENT, texture: {} },
      { visibility: FRAGMENT, sampler: {} },
    ]),
    tonemap: layout('tonemap', [
      { visibility: FRAGMENT, texture: {} },
      { visibility: FRAGMENT, texture: {} },
      { visibility: FRAGMENT, sampler: {} },
    ]),
  };
}

/**
 * @param {GPUDevice} device
 * @param {Layouts} layouts
 * @param {object} resources
 * @param {GPUBuffer} resources.views
 * @param {GPUBuffer} resources.world
 * @param {import("./textures.mjs").SceneTextures} resources.textures
 * @param {import("./targets.mjs").Targets} resources.targets
 */
export function createBindGroups(device, layouts, { views, world, textures, targets }) {
  /** @type {GPUSamplerDescriptor} */
  const repeating = {
    addressModeU: 'repeat',
    addressModeV: 'repeat',
    magFilter: 'linear',
    minFilter: 'linear',
    mipmapFilter: 'linear',
  };
  // Paving and water are seen at a flat angle: filtering along it keeps them sharp. Clouds have nothing to keep sharp.
  const smoothSampler = device.createSampler({ label: 'materials', ...repeating, maxAnisotropy: 4 });
  const noiseSampler = device.createSampler({ label: 'noise', ...repeating });
  const imageSampler = device.createSampler({ label: 'image', magFilter: 'linear', minFilter: 'linear' });
  const shadowSampler = device.createSampler({
    label: 'shadow',
    compare: 'less',
    magFilter: 'linear',
    minFilter: 'linear',
  });
  /** @type {(layout: GPUBindGroupLayout, resources: GPUBindingResource[]) => GPUBindGroup} */
  const group = (layout, resources) =>
    device.createBindGroup({ layout, entries: resources.map((resource, binding) => ({ binding, resource })) });
  const { surface, relief, noise } = textures;
  return {
    frame: group(layouts.frame, [{ buffer: views, size: VIEW_BYTES }, { buffer: world }]),
    materials: group(layouts.materials, [
      surface.createView({ dimension: '2d-array' }),
      relief.createView({ dimension: '2d-array' }),
      noise.createView(),
      smoothSampler,
      noiseSampler,
    ]),
    shadow: group(layouts.shadow, [targets.shadow.createView(), shadowSampler]),
    mirror: group(layouts.image, [targets.mirror.resolved.createView(), imageSampler]),
    /** What the first step of the glow shrinks. */
    light: group(layouts.image, [targets.main.resolved.createView(), imageSampler]),
    /** What each further step reads: one group a level. */
    glow: targets.glowLevels.map((view) => group(layouts.image, [view, imageSampler])),
    tonemap: group(layouts.tonemap, [targets.main.resolved.createView(), targets.glowLevels[0], imageSampler]),
  };
}
