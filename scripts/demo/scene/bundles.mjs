// What a frame draws, recorded once: every frame only replays it, while the uniform buffers say what moved.
import { DEPTH_FORMAT, LIGHT_FORMAT, SHADOW_FORMAT } from './formats.mjs';
import { VIEW } from './uniforms.mjs';

/**
 * @param {GPUDevice} device
 * @param {object} parts
 * @param {import("./pipelines.mjs").Pipelines} parts.pipelines
 * @param {ReturnType<typeof import("./bindings.mjs").createBindGroups>} parts.groups
 * @param {import("./geometry.mjs").Geometry} parts.geometry
 * @param {GPUBuffer} parts.stars
 * @param {number} parts.starCount
 * @param {number} parts.samples a pixel
 */
export function recordBundles(device, { pipelines, groups, geometry, stars, starCount, samples }) {
  /** @type {(label: string, record: (encoder: GPURenderBundleEncoder) => void) => GPURenderBundle} */
  const lit = (label, record) => {
    const encoder = device.createRenderBundleEncoder({
      label,
      colorFormats: [LIGHT_FORMAT],
      depthStencilFormat: DEPTH_FORMAT,
      sampleCount: samples,
    });
    record(encoder);
    return encoder.finish({ label });
  };
  /** @type {(encoder: GPURenderBundleEncoder, pipeline: GPURenderPipeline, view: number) => void} */
  const drawSolids = (encoder, pipeline, view) => {
    encoder.setPipeline(pipeline);
    encoder.setBindGroup(0, groups.frame, [view]);
    encoder.setBindGroup(1, groups.materials);
    encoder.setBindGroup(2, groups.shadow);
    geometry.draw(encoder);
  };
  /** @type {(encoder: GPURenderBundleEncoder, view: number) => void} */
  const drawSky = (encoder, view) => {
    // After the solids: only the pixels that they left open are computed.
    encoder.setPipeline(pipelines.sky);
    encoder.setBindGroup(0, groups.frame, [view]);
    encoder.setBindGroup(1, groups.materials);
    encoder.draw(3);
    encoder.setPipeline(pipelines.stars);
    encoder.setVertexBuffer(0, stars);
    encoder.draw(4, starCount);
  };

  const shadowEncoder = device.createRenderBundleEncoder({
    label: 'shadow',
    colorFormats: [],
    depthStencilFormat: SHADOW_FORMAT,
  });
  shadowEncoder.setPipeline(pipelines.shadows);
  shadowEncoder.setBindGroup(0, groups.frame, [VIEW.light]);
  geometry.draw(shadowEncoder);

  return {
    shadow: shadowEncoder.finish({ label: 'shadow' }),
    mirror: lit('mirror', (encoder) => {
      drawSolids(encoder, pipelines.mirroredObjects, VIEW.mirror);
      drawSky(encoder, VIEW.mirror);
    }),
    main: lit('main', (encoder) => {
      drawSolids(encoder, pipelines.objects, VIEW.main);
      encoder.setPipeline(pipelines.water);
      encoder.setBindGroup(3, groups.mirror);
      encoder.draw(4);
      drawSky(encoder, VIEW.main);
    }),
  };
}
