// A frame of many objects as an engine draws it: sorted by pipeline, material and mesh, and only what changes is set.
// An object has its own place, in a bind group of its own; one in forty moves. (Not by a dynamic offset: lavapipe maps and
// unmaps memory for each, and nothing else would be measured.)
import {
  bufferOf,
  GPUBufferUsage,
  GPUShaderStage,
  GPUTextureUsage,
  pixels,
  randomNumbers,
  VERTEX_BUFFERS,
} from './kit.mjs';

/** @import { Gpu, Size, Workload } from './kit.mjs' */

const SIDE = 256;
const PIPELINES = 8;
const MATERIALS = 64;
const MESHES = 16;
/** What offsets of uniforms are a multiple of. */
const STRIDE_BYTES = 256;
const MOVING = 40;
/** Objects that share a buffer. */
const PER_BUFFER = 16;

const shader = /* wgsl */ `
override shade = 1.0;
@group(0) @binding(0) var<uniform> camera: mat4x4f;
@group(1) @binding(0) var<uniform> material: vec4f;
@group(2) @binding(0) var<uniform> place: vec4f;
@vertex fn vertex(@location(0) position: vec4f) -> @builtin(position) vec4f {
  return camera * vec4f(position.xyz * place.w + place.xyz, 1);
}
@fragment fn fragment() -> @location(0) vec4f { return material * shade; }`;

/**
 * @param {Gpu} gpu
 * @param {Size} size
 * @returns {Promise<Workload>}
 */
export async function open(gpu, size) {
  const { device, queue } = gpu;
  const objects = size === 'full' ? 10_000 : 400;
  const random = randomNumbers(1);
  const layouts = [0, 1, 2].map(() =>
    device.createBindGroupLayout({
      entries: [
        {
          binding: 0,
          visibility: GPUShaderStage.VERTEX | GPUShaderStage.FRAGMENT,
          buffer: { type: 'uniform' },
        },
      ],
    }),
  );
  const module = device.createShaderModule({ code: shader });
  const layout = device.createPipelineLayout({ bindGroupLayouts: layouts });
  const pipelines = await Promise.all(
    Array.from({ length: PIPELINES }, (_, i) =>
      device.createRenderPipelineAsync({
        layout,
        vertex: {
          module,
          entryPoint: 'vertex',
          buffers: VERTEX_BUFFERS,
        },
        fragment: {
          module,
          entryPoint: 'fragment',
          constants: { shade: (i + 1) / PIPELINES },
          targets: [{ format: 'rgba8unorm' }],
        },
        depthStencil: { format: 'depth24plus', depthWriteEnabled: true, depthCompare: 'less' },
      }),
    ),
  );
  /** @param {number} index @param {GPUBuffer} buffer @param {number} size @param {number} [offset] */
  const groupOf = (index, buffer, size, offset = 0) =>
    device.createBindGroup({ layout: layouts[index], entries: [{ binding: 0, resource: { buffer, offset, size } }] });
  const uniform = GPUBufferUsage.UNIFORM;
  const camera = bufferOf(gpu, new Float32Array(16), uniform);
  const cameraGroup = groupOf(0, camera, 64);
  const materials = Array.from({ length: MATERIALS }, () =>
    bufferOf(gpu, new Float32Array([random(), random(), random(), 1]), uniform),
  );
  const materialGroups = materials.map((buffer) => groupOf(1, buffer, 16));
  const meshes = Array.from({ length: MESHES }, (_, i) => ({
    vertices: bufferOf(gpu, ring(3 + (i % 4), random() * 6), GPUBufferUsage.VERTEX),
    indices: bufferOf(gpu, fan(3 + (i % 4)), GPUBufferUsage.INDEX),
    count: 3 * (3 + (i % 4)),
  }));
  const place = () => [random() * 2 - 1, random() * 2 - 1, random(), 0.004 + random() * 0.008];
  const placeBuffers = Array.from({ length: objects / PER_BUFFER }, () => {
    const data = new Float32Array((PER_BUFFER * STRIDE_BYTES) / 4);
    for (let i = 0; i < PER_BUFFER; i++) data.set(place(), (i * STRIDE_BYTES) / 4);
    return bufferOf(gpu, data, uniform);
  });
  const places = Array.from({ length: objects }, (_, i) => {
    const buffer = placeBuffers[Math.floor(i / PER_BUFFER)];
    const offset = (i % PER_BUFFER) * STRIDE_BYTES;
    return { buffer, offset, group: groupOf(2, buffer, 16, offset) };
  });
  const target = device.createTexture({
    size: [SIDE, SIDE],
    format: 'rgba8unorm',
    usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
  });
  const depth = device.createTexture({
    size: [SIDE, SIDE],
    format: 'depth24plus',
    usage: GPUTextureUsage.RENDER_ATTACHMENT,
  });
  const [view, depthView] = [target.createView(), depth.createView()];
  const moved = new Float32Array(4);
  let frame = 0;

  /** @param {GPURenderPassEncoder} pass */
  function draw(pass) {
    pass.setBindGroup(0, cameraGroup);
    let pipeline = -1;
    let material = -1;
    let mesh = -1;
    for (let i = 0; i < objects; i++) {
      // In the order that a sorted list has.
      const at = i / objects;
      const nextPipeline = Math.floor(at * PIPELINES);
      const nextMaterial = Math.floor(at * MATERIALS);
      const nextMesh = Math.floor(at * MATERIALS * MESHES) % MESHES;
      if (nextPipeline !== pipeline) pass.setPipeline(pipelines[(pipeline = nextPipeline)]);
      if (nextMaterial !== material) pass.setBindGroup(1, materialGroups[(material = nextMaterial)]);
      if (nextMesh !== mesh) {
        mesh = nextMesh;
        pass.setVertexBuffer(0, meshes[mesh].vertices);
        pass.setIndexBuffer(meshes[mesh].indices, 'uint16');
      }
      pass.setBindGroup(2, places[i].group);
      pass.drawIndexed(meshes[mesh].count);
    }
  }

  return {
    run() {
      frame++;
      const turn = frame / 50;
      const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
      queue.writeBuffer(camera, 0, new Float32Array([cos, sin, 0, 0, -sin, cos, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]));
      for (let i = frame % MOVING; i < objects; i += MOVING) {
        moved.set(place());
        queue.writeBuffer(places[i].buffer, places[i].offset, moved);
      }
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginRenderPass({
        colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store' }],
        depthStencilAttachment: {
          view: depthView,
          depthClearValue: 1,
          depthLoadOp: 'clear',
          depthStoreOp: 'discard',
        },
      });
      draw(pass);
      pass.end();
      queue.submit([encoder.finish()]);
      return queue.onSubmittedWorkDone();
    },
    result: () => pixels(gpu, target),
    resources: [
      target,
      depth,
      camera,
      ...placeBuffers,
      ...materials,
      ...meshes.flatMap(({ vertices, indices }) => [vertices, indices]),
    ],
  };
}

/**
 * Corners on a circle.
 *
 * @param {number} corners
 * @param {number} start an angle
 */
function ring(corners, start) {
  const angles = Array.from({ length: corners }, (_, i) => start + (i * 2 * Math.PI) / corners);
  return new Float32Array([0, 0, 0, 1, ...angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle), 0, 1])]);
}

/**
 * Triangles from the middle of a ring to its corners; an even number of indices, as writeBuffer wants whole words.
 *
 * @param {number} corners
 */
function fan(corners) {
  const indices = Array.from({ length: corners }, (_, i) => [0, 1 + i, 1 + ((i + 1) % corners)]).flat();
  return new Uint16Array(indices.length % 2 === 0 ? indices : [...indices, 0]);
}
