// What the benchmarks do with a GPU, whoever provides it. Each side imports a copy of its own (`scene.mjs?direct`):
// in one copy, V8 would compile each loop for the objects of both sides, and make both slow.
import { globals } from '@vesper-gpu/guest';

const { GPUBufferUsage, GPUMapMode, GPUShaderStage, GPUTextureUsage } = /** @type {typeof globalThis} */ (globals);

/** How many bind groups and vertex buffers there are to change between. */
const VARIANTS = 8;

const shader = /* wgsl */ `
@group(0) @binding(0) var<uniform> frame: vec4f;
@group(1) @binding(0) var<uniform> material: vec4f;
@group(2) @binding(0) var<uniform> object: vec4f;
@vertex fn vertex(@location(0) position: vec4f) -> @builtin(position) vec4f {
  return position * frame + material + object;
}
@fragment fn fragment() -> @location(0) vec4f { return vec4f(1); }
@compute @workgroup_size(1) fn compute() { }`;

const workShader = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(64) fn work(@builtin(global_invocation_id) id: vec3u) {
  var x = f32(id.x);
  for (var i = 0; i < 256; i++) { x = fract(x * 1.25 + 0.5); }
  result[id.x] = x;
}`;

/**
 * Objects to work with. All buffers hold zeros, so that every triangle is empty: what is measured is the commands.
 *
 * @typedef {Awaited<ReturnType<typeof makeScene>>} Scene
 */

/** @param {GPU} gpu */
export async function makeScene(gpu) {
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error('there is no adapter');
  const device = await adapter.requestDevice();
  /** @type {string[]} */
  const errors = [];
  device.onuncapturederror = (event) => {
    event.preventDefault();
    errors.push(event.error.message);
  };
  const uniformLayout = (hasDynamicOffset = false) =>
    device.createBindGroupLayout({
      entries: [{ binding: 0, visibility: GPUShaderStage.VERTEX, buffer: { type: 'uniform', hasDynamicOffset } }],
    });
  const layout = uniformLayout();
  const dynamicLayout = uniformLayout(true);
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.VERTEX | GPUBufferUsage.INDEX | GPUBufferUsage.COPY_DST;
  const buffers = Array.from({ length: VARIANTS }, () => device.createBuffer({ size: 4096, usage }));
  const entries = buffers.map((buffer) => [{ binding: 0, resource: { buffer, size: 16 } }]);
  const groups = entries.map((entries) => device.createBindGroup({ layout, entries }));
  const dynamicGroup = device.createBindGroup({ layout: dynamicLayout, entries: entries[0] });
  const pipelineDescriptor = typicalPipelineDescriptor(
    device.createShaderModule({ code: shader }),
    device.createPipelineLayout({ bindGroupLayouts: [layout, layout, dynamicLayout] }),
  );
  const pipeline = device.createRenderPipeline(pipelineDescriptor);
  const pipelines = [pipeline, device.createRenderPipeline(pipelineDescriptor)];
  const computePipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: pipelineDescriptor.vertex.module, entryPoint: 'compute' },
  });
  const texture = device.createTexture({
    size: [4, 4],
    format: 'rgba8unorm',
    usage: GPUTextureUsage.RENDER_ATTACHMENT,
  });
  const view = texture.createView();
  const mappable = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  return {
    // Dawn for Node crashes when the adapter is collected.
    adapter,
    device,
    queue: device.queue,
    layout,
    buffers,
    entries,
    groups,
    dynamicGroup,
    pipelineDescriptor,
    pipeline,
    pipelines,
    computePipeline,
    view,
    mappable,
    /** @throws {Error} when WebGPU reported an error: then something else was measured than was meant */
    async assertNoError() {
      device.pushErrorScope('validation');
      const error = await device.popErrorScope();
      if (error !== null) errors.push(error.message);
      if (errors.length > 0) throw new Error(`WebGPU reported an error during the benchmark: ${errors[0]}`);
    },
  };
}

/**
 * A render pipeline as programs describe one. (The layout of the vertices is what the shader of `makeScene` wants.)
 *
 * @param {GPUShaderModule} module
 * @param {GPUPipelineLayout} layout
 * @returns {GPURenderPipelineDescriptor}
 */
function typicalPipelineDescriptor(module, layout) {
  return {
    label: 'opaque',
    layout,
    vertex: {
      module,
      entryPoint: 'vertex',
      buffers: [{ arrayStride: 16, attributes: [{ format: 'float32x4', offset: 0, shaderLocation: 0 }] }],
    },
    primitive: { topology: 'triangle-list', cullMode: 'back' },
    fragment: {
      module,
      entryPoint: 'fragment',
      targets: [
        {
          format: 'rgba8unorm',
          blend: {
            color: { srcFactor: 'src-alpha', dstFactor: 'one-minus-src-alpha', operation: 'add' },
            alpha: { srcFactor: 'one', dstFactor: 'one-minus-src-alpha', operation: 'add' },
          },
        },
      ],
    },
    multisample: { count: 1 },
  };
}

/**
 * A render pass in which every command of this file is valid.
 *
 * @param {Scene} scene
 */
export function beginPass(scene) {
  const encoder = scene.device.createCommandEncoder();
  const pass = encoder.beginRenderPass({
    colorAttachments: [{ view: scene.view, loadOp: 'clear', storeOp: 'store' }],
  });
  pass.setPipeline(scene.pipeline);
  pass.setBindGroup(0, scene.groups[0]);
  pass.setBindGroup(1, scene.groups[0]);
  pass.setBindGroup(2, scene.dynamicGroup, [0]);
  pass.setVertexBuffer(0, scene.buffers[0]);
  pass.setIndexBuffer(scene.buffers[0], 'uint16');
  return {
    pass,
    /** @returns {GPUCommandBuffer} */
    finish() {
      pass.end();
      return encoder.finish();
    },
  };
}

/**
 * Draws for a pass of this scene, encoded once; each has other vertices and another bind group.
 *
 * @param {Scene} scene
 * @param {number} draws
 */
export function makeBundle({ device, pipeline, groups, dynamicGroup, buffers }, draws) {
  const bundle = device.createRenderBundleEncoder({ colorFormats: ['rgba8unorm'] });
  bundle.setPipeline(pipeline);
  bundle.setBindGroup(1, groups[0]);
  bundle.setBindGroup(2, dynamicGroup, [0]);
  for (let i = 0; i < draws; i++) {
    bundle.setBindGroup(0, groups[i % VARIANTS]);
    bundle.setVertexBuffer(0, buffers[i % VARIANTS]);
    bundle.draw(3);
  }
  return bundle.finish();
}

/**
 * A frame that replays a bundle, until the GPU has done it.
 *
 * @param {Scene} scene
 * @param {GPURenderBundle} bundle
 */
export async function replayFrame(scene, bundle) {
  const { pass, finish } = beginPass(scene);
  pass.executeBundles([bundle]);
  scene.queue.submit([finish()]);
  await scene.queue.onSubmittedWorkDone();
}

/** @param {Scene} scene */
export function beginComputePass(scene) {
  const encoder = scene.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(scene.computePipeline);
  return {
    pass,
    finish() {
      pass.end();
      return encoder.finish();
    },
  };
}

/**
 * Commands of a render pass, each as a loop of its own.
 *
 * @type {Record<string, (pass: GPURenderPassEncoder, scene: Scene, count: number) => void>}
 */
export const renderLoops = {
  draw(pass, scene, count) {
    for (let i = 0; i < count; i++) pass.draw(3);
  },
  'draw, 4 arguments'(pass, scene, count) {
    for (let i = 0; i < count; i++) pass.draw(3, 1, 0, i);
  },
  setBindGroup(pass, { groups }, count) {
    for (let i = 0; i < count; i++) pass.setBindGroup(0, groups[i % VARIANTS]);
  },
  'setBindGroup + 1 dynamic offset'(pass, { dynamicGroup }, count) {
    for (let i = 0; i < count; i++) pass.setBindGroup(2, dynamicGroup, [(i % VARIANTS) * 256]);
  },
  setVertexBuffer(pass, { buffers }, count) {
    for (let i = 0; i < count; i++) pass.setVertexBuffer(0, buffers[i % VARIANTS]);
  },
  setIndexBuffer(pass, { buffers }, count) {
    for (let i = 0; i < count; i++) pass.setIndexBuffer(buffers[i % VARIANTS], 'uint16');
  },
  setPipeline(pass, { pipelines }, count) {
    for (let i = 0; i < count; i++) pass.setPipeline(pipelines[i % 2]);
  },
  drawIndexed(pass, scene, count) {
    for (let i = 0; i < count; i++) pass.drawIndexed(3);
  },
  'bind group + vertex buffer + draw': withoutRedundancy,
};

/**
 * Every command changes something: another bind group and other vertices for each draw. Three commands an object.
 *
 * @param {GPURenderPassEncoder} pass
 * @param {Scene} scene
 * @param {number} count objects
 */
function withoutRedundancy(pass, { groups, buffers }, count) {
  for (let i = 0; i < count; i++) {
    pass.setBindGroup(0, groups[i % VARIANTS]);
    pass.setVertexBuffer(0, buffers[i % VARIANTS]);
    pass.draw(3);
  }
}

/**
 * What an engine sends that sets everything for each object: objects come sorted by material, eight of each, and share
 * pipeline and geometry. Six commands an object.
 *
 * @param {GPURenderPassEncoder} pass
 * @param {Scene} scene
 * @param {number} count objects
 */
function redundant(pass, { groups, buffers, pipeline }, count) {
  for (let i = 0; i < count; i++) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, groups[0]);
    pass.setBindGroup(1, groups[(i >> 3) % VARIANTS]);
    pass.setVertexBuffer(0, buffers[0]);
    pass.setIndexBuffer(buffers[0], 'uint16');
    pass.drawIndexed(3);
  }
}

/** Streams of commands, as many objects as asked for. */
export const streams = {
  'no redundancy': { commandsPerObject: 3, run: withoutRedundancy },
  'typical redundant': { commandsPerObject: 6, run: redundant },
};

/**
 * @param {GPUComputePassEncoder} pass
 * @param {number} count
 */
export function dispatchLoop(pass, count) {
  for (let i = 0; i < count; i++) pass.dispatchWorkgroups(1);
}

/**
 * Something to compute, in pieces.
 *
 * @param {Scene} scene
 * @returns {(pieces: number) => Promise<unknown>} until the GPU has done it
 */
export function makeWork({ device, queue }) {
  const invocations = 1 << 16;
  const module = device.createShaderModule({ code: workShader });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const buffer = device.createBuffer({ size: invocations * 4, usage: GPUBufferUsage.STORAGE });
  const layout = pipeline.getBindGroupLayout(0);
  const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
  return (pieces) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < pieces; i++) pass.dispatchWorkgroups(invocations / 64);
    pass.end();
    queue.submit([encoder.finish()]);
    return queue.onSubmittedWorkDone();
  };
}

/**
 * Calls of the device and the queue, each as a loop of its own. What they make is put into `made`.
 *
 * @type {Record<string, (scene: Scene, count: number, made: { destroy?(): void }[]) => void>}
 */
export const deviceLoops = {
  createBuffer({ device }, count, made) {
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    for (let i = 0; i < count; i++) made.push(device.createBuffer({ size: 256, usage }));
  },
  createBindGroup({ device, layout, entries }, count, made) {
    for (let i = 0; i < count; i++) {
      made.push(device.createBindGroup({ layout, entries: entries[i % VARIANTS] }));
    }
  },
  'empty encoder + finish + submit'({ device, queue }, count) {
    for (let i = 0; i < count; i++) queue.submit([device.createCommandEncoder().finish()]);
  },
  'writeBuffer 16 B': writeBufferLoop(16),
  'writeBuffer 256 B': writeBufferLoop(256),
  'writeBuffer 4096 B': writeBufferLoop(4096),
};

/** @param {number} byteLength */
function writeBufferLoop(byteLength) {
  const data = new Uint8Array(byteLength);
  return (/** @type {Scene} */ { queue, buffers }, /** @type {number} */ count) => {
    for (let i = 0; i < count; i++) queue.writeBuffer(buffers[i % VARIANTS], 0, data);
  };
}

/**
 * Encodes a pass, and waits until WebGPU has judged it. It is not submitted: software rendering would take many times
 * as long as all commands do, and hide what they cost.
 *
 * @param {Scene} scene
 * @param {keyof typeof streams} stream
 * @param {number} objects
 */
export async function encodeFrame(scene, stream, objects) {
  scene.device.pushErrorScope('validation');
  const { pass, finish } = beginPass(scene);
  streams[stream].run(pass, scene, objects);
  finish();
  const error = await scene.device.popErrorScope();
  if (error !== null) throw new Error(error.message);
}

/**
 * Waits until everything that was called has been executed, and judged.
 *
 * @param {Scene} scene
 */
export async function settled({ device }) {
  device.pushErrorScope('validation');
  const error = await device.popErrorScope();
  if (error !== null) throw new Error(error.message);
}

/**
 * A pass of so many commands that stays open: what it takes is what commands take.
 *
 * @param {Scene} scene
 * @param {number} commands
 */
export function openFrame(scene, commands) {
  const { pass, finish } = beginPass(scene);
  const { run, commandsPerObject } = streams['no redundancy'];
  run(pass, scene, Math.round(commands / commandsPerObject));
  return finish;
}

/**
 * A frame of everything that may leave something behind: commands, data, objects that are destroyed and that are dropped.
 *
 * @param {Scene} scene
 * @param {number} commands in its pass
 */
export async function busyFrame(scene, commands) {
  const { queue } = scene;
  /** @type {{ destroy?(): void }[]} */
  const made = [];
  for (const loop of ['writeBuffer 256 B', 'createBuffer', 'createBindGroup']) deviceLoops[loop](scene, 4, made);
  queue.submit([openFrame(scene, commands)()]);
  for (const object of made) object.destroy?.();
  await queue.onSubmittedWorkDone();
}

/**
 * The shortest waits for a host.
 *
 * @type {Record<string, (scene: Scene) => Promise<unknown>>}
 */
export const roundTrips = {
  'submit + onSubmittedWorkDone'({ queue }) {
    queue.submit([]);
    return queue.onSubmittedWorkDone();
  },
  popErrorScope({ device }) {
    device.pushErrorScope('validation');
    return device.popErrorScope();
  },
  'mapAsync 4 B'({ mappable }) {
    return mappable.mapAsync(GPUMapMode.READ, 0, 4);
  },
};

/**
 * A buffer to write to and to read from.
 *
 * @param {Scene} scene
 * @param {number} size in bytes
 */
export function makeMappable({ device }, size) {
  return device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
}

/**
 * Writes and waits until it is done.
 *
 * @param {Scene} scene
 * @param {GPUBuffer} buffer
 * @param {Uint8Array<ArrayBuffer>} data
 */
export async function upload({ queue }, buffer, data) {
  queue.writeBuffer(buffer, 0, data);
  await queue.onSubmittedWorkDone();
}

/**
 * Maps a buffer and makes it an array.
 *
 * @param {GPUBuffer} buffer
 */
export async function readBack(buffer) {
  await buffer.mapAsync(GPUMapMode.READ);
  return new Uint8Array(buffer.getMappedRange());
}
