// webgpu-utils and wgpu-matrix on the bare API: generated mipmaps of array and cube textures, a 3D texture, interleaved
// meshes, structured uniforms from WGSL reflection, a render bundle, an occlusion query, depth and MSAA.
import { mat4, vec3 } from 'wgpu-matrix';
import * as utils from 'webgpu-utils';
import { numbers, pixels, random, report } from './report.mjs';

const SIZE = 256;
const { BINDING, COPY_DST, COPY_SRC, TARGET } = {
  BINDING: GPUTextureUsage.TEXTURE_BINDING,
  COPY_DST: GPUTextureUsage.COPY_DST,
  COPY_SRC: GPUTextureUsage.COPY_SRC,
  TARGET: GPUTextureUsage.RENDER_ATTACHMENT,
};
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice({ requiredLimits: { maxBindGroups: adapter.limits.maxBindGroups } });
const errors = [];
device.addEventListener('uncapturederror', (event) => errors.push(event.error.message));

const code = /* wgsl */ `
struct Uniforms { world: mat4x4f, viewProjection: mat4x4f, light: vec3f, layer: u32 };
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var layers: texture_2d_array<f32>;
@group(0) @binding(2) var sky: texture_cube<f32>;
@group(0) @binding(3) var volume: texture_3d<f32>;
@group(0) @binding(4) var filtered: sampler;
struct V { @builtin(position) place: vec4f, @location(0) normal: vec3f, @location(1) uv: vec2f };
@vertex fn vs(@location(0) position: vec4f, @location(1) normal: vec3f, @location(2) uv: vec2f) -> V {
  return V(u.viewProjection * u.world * position, (u.world * vec4f(normal, 0)).xyz, uv);
}
@fragment fn fs(v: V) -> @location(0) vec4f {
  let n = normalize(v.normal);
  let base = textureSample(layers, filtered, v.uv * 4, u.layer).rgb;
  let ambient = textureSample(sky, filtered, n).rgb;
  let grain = textureSample(volume, filtered, vec3f(v.uv, 0.5)).r;
  return vec4f(base * (max(dot(n, u.light), 0) + 0.3 * ambient) + 0.1 * grain, 1);
}`;
const definitions = utils.makeShaderDataDefinitions(code);
const module = device.createShaderModule({ code });
const { messages } = await module.getCompilationInfo();

const next = random(9);
const noise = (count) => Uint8Array.from({ length: count }, () => next() * 256);
const texture = (size, usage, rest) => device.createTexture({ size, format: 'rgba8unorm', usage, ...rest });
function layered(size, count, viewDimension) {
  const mipLevelCount = utils.numMipLevels([size, size]);
  const made = texture([size, size, count], BINDING | COPY_DST | COPY_SRC | TARGET, { mipLevelCount });
  for (let z = 0; z < count; z++) {
    const to = { texture: made, origin: { z } };
    device.queue.writeTexture(to, noise(size * size * 4), { bytesPerRow: size * 4 }, [size, size]);
  }
  utils.generateMipmap(device, made, viewDimension);
  return made;
}
const layers = layered(64, 2, '2d-array');
const sky = layered(16, 6, 'cube');
const cells = { size: [8, 8, 8], format: 'r8unorm', dimension: '3d' };
const volume = utils.createTextureFromSource(device, noise(8 * 8 * 8), cells);

const { createSphereVertices, createTorusVertices, createCubeVertices } = utils.primitives;
const shapes = [
  createSphereVertices({ radius: 1.1 }),
  createTorusVertices({ thickness: 0.35 }),
  createCubeVertices(),
].map((vertices) => utils.createBuffersAndAttributesFromArrays(device, vertices));
const depthStencil = { format: 'depth24plus', depthWriteEnabled: true, depthCompare: 'less' };
const pipeline = device.createRenderPipeline({
  layout: 'auto',
  vertex: { module, buffers: shapes[0].bufferLayouts },
  fragment: { module, targets: [{ format: 'rgba8unorm' }] },
  primitive: { topology: 'triangle-list', cullMode: 'back' },
  depthStencil,
  multisample: { count: 4 },
});
const viewProjection = mat4.multiply(mat4.perspective(0.9, 1, 0.1, 30), mat4.lookAt([0, 2, 4.5], [0, 0, 0], [0, 1, 0]));
const sampler = device.createSampler({ magFilter: 'linear', minFilter: 'linear', mipmapFilter: 'linear' });
const groups = shapes.map((_, index) => {
  const values = utils.makeStructuredView(definitions.uniforms.u);
  const world = mat4.rotateY(mat4.translation([index * 1.6 - 1.6, 0, -index * 0.7]), index + 0.4);
  values.set({ world, viewProjection, light: vec3.normalize([1, 2, 3]), layer: index % 2 });
  const size = values.arrayBuffer.byteLength;
  const buffer = device.createBuffer({ size, usage: GPUBufferUsage.UNIFORM, mappedAtCreation: true });
  new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(values.arrayBuffer));
  buffer.unmap();
  const views = [layers.createView(), sky.createView({ dimension: 'cube' }), volume.createView()];
  const entries = [{ buffer }, ...views, sampler].map((resource, binding) => ({ binding, resource }));
  return device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
});
function draw(pass, index) {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, groups[index]);
  utils.setVertexAndIndexBuffers(pass, shapes[index]);
  utils.drawArrays(pass, shapes[index]);
}
const formats = { colorFormats: ['rgba8unorm'], depthStencilFormat: 'depth24plus', sampleCount: 4 };
const bundler = device.createRenderBundleEncoder(formats);
draw(bundler, 1);
const bundle = bundler.finish();

const many = { sampleCount: 4 };
const target = texture([SIZE, SIZE], TARGET | COPY_SRC);
const view = texture([SIZE, SIZE], TARGET, many).createView();
const depth = texture([SIZE, SIZE], TARGET, { ...many, format: 'depth24plus' }).createView();
const clear = { clearValue: { r: 0.1, g: 0.1, b: 0.2, a: 1 }, loadOp: 'clear', storeOp: 'discard' };
const occlusionQuerySet = device.createQuerySet({ type: 'occlusion', count: 2 });
const encoder = device.createCommandEncoder();
const pass = encoder.beginRenderPass({
  colorAttachments: [{ view, resolveTarget: target.createView(), ...clear }],
  depthStencilAttachment: { view: depth, depthClearValue: 1, depthLoadOp: 'clear', depthStoreOp: 'discard' },
  occlusionQuerySet,
});
pass.executeBundles([bundle]);
for (const query of [0, 1]) {
  pass.beginOcclusionQuery(query);
  draw(pass, query * 2);
  pass.endOcclusionQuery();
}
pass.end();
const queries = SIZE * SIZE * 4;
const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
const staging = device.createBuffer({ size: queries + 256 * 5, usage });
const resolved = device.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
encoder.resolveQuerySet(occlusionQuerySet, 0, 2, resolved, 0);
encoder.copyBufferToBuffer(resolved, 0, staging, queries, 16);
encoder.copyTextureToBuffer({ texture: target }, { buffer: staging, bytesPerRow: SIZE * 4 }, [SIZE, SIZE]);
const level = { texture: sky, mipLevel: 2, origin: { z: 5 } };
const row = { buffer: staging, offset: queries + 256, bytesPerRow: 256 };
encoder.copyTextureToBuffer(level, row, { width: 4, height: 1 });
device.queue.submit([encoder.finish()]);
await staging.mapAsync(GPUMapMode.READ);
const scene = pixels(new Uint8Array(staging.getMappedRange(0, queries)), SIZE, SIZE);
const visible = Array.from(new BigUint64Array(staging.getMappedRange(queries, 16)), (samples) => samples > 0n);
const mipmap = numbers(new Uint8Array(staging.getMappedRange(queries + 256, 16)));
const levels = [layers, sky, volume].map((texture) => texture.mipLevelCount);
report({ library: 'webgpu-utils', messages: messages.length, levels, mipmap, visible, scene, errors });
