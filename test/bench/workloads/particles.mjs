// A simulation of particles that bodies attract: one pass computes, the next draws them, and nothing is uploaded but time.
import { bufferOf, GPUBufferUsage, GPUTextureUsage, pixels, randomNumbers } from './kit.mjs';

/** @import { Gpu, Size, Workload } from './kit.mjs' */

const SIDE = 256;
const BODIES = 16;

const shader = /* wgsl */ `
struct Particle { position: vec2f, velocity: vec2f }
struct Step { seconds: f32, count: u32 }
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> bodies: array<vec4f, ${BODIES}>;
@group(0) @binding(2) var<storage, read> before: array<Particle>;
@group(0) @binding(3) var<storage, read_write> behind: array<Particle>;

@compute @workgroup_size(64) fn advance(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= step.count) { return; }
  var particle = before[id.x];
  for (var i = 0u; i < ${BODIES}u; i++) {
    let way = bodies[i].xy - particle.position;
    let distance = dot(way, way) + 0.01;
    particle.velocity += way * (bodies[i].w * step.seconds * inverseSqrt(distance) / distance);
  }
  particle.position += particle.velocity * step.seconds;
  behind[id.x] = particle;
}

@vertex fn vertex(@location(0) position: vec2f) -> @builtin(position) vec4f { return vec4f(position, 0, 1); }
@fragment fn fragment() -> @location(0) vec4f { return vec4f(0.2, 0.1, 0.05, 1); }`;

/**
 * @param {Gpu} gpu
 * @param {Size} size
 * @returns {Promise<Workload>}
 */
export async function open(gpu, size) {
  const { device, queue } = gpu;
  const count = size === 'full' ? 32_768 : 1024;
  const random = randomNumbers(2);
  const signed = () => random() * 2 - 1;
  const module = device.createShaderModule({ code: shader });
  const compute = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const additive = { srcFactor: 'one', dstFactor: 'one' };
  const render = device.createRenderPipeline({
    layout: 'auto',
    vertex: {
      module,
      buffers: [{ arrayStride: 16, attributes: [{ format: 'float32x2', offset: 0, shaderLocation: 0 }] }],
    },
    primitive: { topology: 'point-list' },
    fragment: {
      module,
      targets: [{ format: 'rgba8unorm', blend: /** @type {GPUBlendState} */ ({ color: additive, alpha: additive }) }],
    },
  });
  const storage = GPUBufferUsage.STORAGE;
  const step = device.createBuffer({ size: 8, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  const bodies = Float32Array.from({ length: BODIES * 4 }, (_, i) => (i % 4 === 3 ? 0.01 + random() * 0.02 : signed()));
  const bodyBuffer = bufferOf(gpu, bodies, storage);
  const start = Float32Array.from({ length: count * 4 }, (_, i) => signed() * (i % 4 < 2 ? 1 : 0.1));
  const particles = [start, new Float32Array(count * 4)].map((data) =>
    bufferOf(gpu, data, storage | GPUBufferUsage.VERTEX),
  );
  const groups = [0, 1].map((from) =>
    device.createBindGroup({
      layout: compute.getBindGroupLayout(0),
      entries: [step, bodyBuffer, particles[from], particles[1 - from]].map((buffer, binding) => ({
        binding,
        resource: { buffer },
      })),
    }),
  );
  const target = device.createTexture({
    size: [SIDE, SIDE],
    format: 'rgba8unorm',
    usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
  });
  const view = target.createView();
  const stepData = new ArrayBuffer(8);
  new Uint32Array(stepData)[1] = count;
  let steps = 0;
  return {
    run() {
      const from = steps++ % 2;
      new Float32Array(stepData)[0] = 0.01 + 0.001 * (steps % 7);
      queue.writeBuffer(step, 0, stepData);
      const encoder = device.createCommandEncoder();
      const moving = encoder.beginComputePass();
      moving.setPipeline(compute);
      moving.setBindGroup(0, groups[from]);
      moving.dispatchWorkgroups(Math.ceil(count / 64));
      moving.end();
      const drawing = encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store' }] });
      drawing.setPipeline(render);
      drawing.setVertexBuffer(0, particles[1 - from]);
      drawing.draw(count);
      drawing.end();
      queue.submit([encoder.finish()]);
      return queue.onSubmittedWorkDone();
    },
    result: () => pixels(gpu, target),
    resources: [target, step, bodyBuffer, ...particles],
  };
}
