// The render pipelines of the scene.
import { DEPTH_FORMAT, LIGHT_FORMAT, PICTURE_FORMAT, SHADOW_FORMAT } from './formats.mjs';
import { INSTANCE_FLOATS } from './instances.mjs';
import { VERTEX_FLOATS } from './mesh.mjs';
import { STAR_FLOATS } from './stars.mjs';

/** @type {GPUVertexBufferLayout} */
const VERTICES = {
  arrayStride: VERTEX_FLOATS * 4,
  attributes: [
    { shaderLocation: 0, offset: 0, format: 'float32x3' },
    { shaderLocation: 1, offset: 12, format: 'float32x3' },
    { shaderLocation: 2, offset: 24, format: 'float32x2' },
  ],
};

/** @type {GPUVertexBufferLayout} */
const INSTANCES = {
  arrayStride: INSTANCE_FLOATS * 4,
  stepMode: 'instance',
  attributes: [3, 4, 5, 6, 7, 8].map((shaderLocation, i) => ({ shaderLocation, offset: i * 16, format: 'float32x4' })),
};

/** @type {GPUVertexBufferLayout} */
const STARS = {
  arrayStride: STAR_FLOATS * 4,
  stepMode: 'instance',
  attributes: [
    { shaderLocation: 0, offset: 0, format: 'float32x3' },
    { shaderLocation: 1, offset: 12, format: 'float32' },
    { shaderLocation: 2, offset: 16, format: 'float32x3' },
    { shaderLocation: 3, offset: 28, format: 'float32' },
  ],
};

/** Light behind light: what is there shines on, the brighter the less it shows. Fits squeezed colours. */
const SCREEN = /** @type {GPUBlendState} */ ({
  color: { srcFactor: 'one', dstFactor: 'one-minus-src', operation: 'add' },
  alpha: { srcFactor: 'one', dstFactor: 'one', operation: 'max' },
});

const ADD = /** @type {GPUBlendState} */ ({
  color: { srcFactor: 'one', dstFactor: 'one', operation: 'add' },
  alpha: { srcFactor: 'one', dstFactor: 'one', operation: 'max' },
});

/**
 * @param {GPUDevice} device
 * @param {Record<import("./shaders.mjs").ShaderName, GPUShaderModule>} shaders
 * @param {import("./bindings.mjs").Layouts} layouts
 * @param {number} samples a pixel
 */
export async function createPipelines(device, shaders, layouts, samples) {
  /** @type {(...bindGroupLayouts: GPUBindGroupLayout[]) => GPUPipelineLayout} */
  const layout = (...bindGroupLayouts) => device.createPipelineLayout({ bindGroupLayouts });
  const { frame, materials, shadow, image, tonemap } = layouts;

  /**
   * A pipeline that draws light into a multisampled target with depth.
   * @param {string} label
   * @param {GPUShaderModule} module
   * @param {GPUPipelineLayout} pipelineLayout
   * @param {object} [options]
   * @param {GPUVertexBufferLayout[]} [options.buffers]
   * @param {GPUPrimitiveState} [options.primitive]
   * @param {GPUBlendState} [options.blend]
   * @param {Record<string, number>} [options.constants] of the fragment shader
   * @param {boolean} [options.behind] drawn at the far end of the depth range, which it leaves as it is
   */
  const lit = (label, module, pipelineLayout, { buffers, primitive, blend, constants, behind = false } = {}) =>
    device.createRenderPipelineAsync({
      label,
      layout: pipelineLayout,
      vertex: { module, buffers },
      fragment: { module, constants, targets: [{ format: LIGHT_FORMAT, blend }] },
      primitive,
      depthStencil: {
        format: DEPTH_FORMAT,
        depthWriteEnabled: !behind,
        depthCompare: behind ? 'less-equal' : 'less',
      },
      multisample: { count: samples },
    });

  const solid = layout(frame, materials, shadow);
  const buffers = [VERTICES, INSTANCES];
  /** @type {(label: string, entryPoint: string, options?: { blend?: GPUBlendState, squeezed?: boolean }) => Promise<GPURenderPipeline>} */
  const glow = (label, entryPoint, { blend, squeezed = false } = {}) =>
    device.createRenderPipelineAsync({
      label,
      layout: layout(image),
      vertex: { module: shaders.bloom },
      fragment: {
        module: shaders.bloom,
        entryPoint,
        constants: { SQUEEZED: squeezed ? 1 : 0 },
        targets: [{ format: LIGHT_FORMAT, blend }],
      },
    });

  const [objects, mirroredObjects, water, sky, stars, shadows, firstShrink, shrink, grow, picture] = await Promise.all([
    lit('objects', shaders.object, solid, { buffers, primitive: { cullMode: 'back' } }),
    // A mirror turns triangles inside out.
    lit('mirrored objects', shaders.object, solid, {
      buffers,
      primitive: { cullMode: 'back', frontFace: 'cw' },
      constants: { MIRRORED: 1 },
    }),
    lit('water', shaders.water, layout(frame, materials, shadow, image), { primitive: { topology: 'triangle-strip' } }),
    lit('sky', shaders.sky, layout(frame, materials), { behind: true }),
    lit('stars', shaders.stars, layout(frame), {
      buffers: [STARS],
      primitive: { topology: 'triangle-strip' },
      blend: SCREEN,
      behind: true,
    }),
    device.createRenderPipelineAsync({
      label: 'shadows',
      layout: layout(frame),
      vertex: { module: shaders.shadow, buffers },
      primitive: { cullMode: 'back' },
      depthStencil: {
        format: SHADOW_FORMAT,
        depthWriteEnabled: true,
        depthCompare: 'less',
        // Slanted surfaces must not shade themselves.
        depthBias: 2,
        depthBiasSlopeScale: 2.5,
      },
    }),
    glow('glow first shrink', 'shrink', { squeezed: true }),
    glow('glow shrink', 'shrink'),
    glow('glow grow', 'grow', { blend: ADD }),
    device.createRenderPipelineAsync({
      label: 'tonemap',
      layout: layout(tonemap),
      vertex: { module: shaders.tonemap },
      fragment: { module: shaders.tonemap, targets: [{ format: PICTURE_FORMAT }] },
    }),
  ]);
  return { objects, mirroredObjects, water, sky, stars, shadows, firstShrink, shrink, grow, picture };
}

/** @typedef {Awaited<ReturnType<typeof createPipelines>>} Pipelines */
