// TypeGPU: typed buffers and bind group layouts, a particle simulation in compute, its result drawn into a texture.
// oxlint-disable-next-line no-named-as-default -- as its documentation has it
import tgpu, { d } from 'typegpu';
import { numbers, pixels, random, report } from './report.mjs';

const COUNT = 256;
const SIZE = 128;
const Particle = d.struct({ position: d.vec2f, velocity: d.vec2f, colour: d.vec4f, age: d.u32 });
const Settings = d.struct({ step: d.f32, gravity: d.vec2f, bounce: d.f32 });
const root = await tgpu.init({ device: { label: 'particles' } });
const { device } = root;

const next = random(3);
const settings = root.createBuffer(Settings, { step: 0.05, gravity: d.vec2f(0, -0.6), bounce: 0.8 }).$usage('uniform');
const particles = root
  .createBuffer(
    d.arrayOf(Particle, COUNT),
    Array.from({ length: COUNT }, () => ({
      position: d.vec2f(next() * 2 - 1, next() * 2 - 1),
      velocity: d.vec2f(next() - 0.5, next()),
      colour: d.vec4f(next(), next(), next(), 1),
      age: 0,
    })),
  )
  .$usage('storage');
const histogram = root.createBuffer(d.arrayOf(d.atomic(d.u32), 8)).$usage('storage');

const computeLayout = tgpu.bindGroupLayout({
  settings: { uniform: Settings },
  particles: { storage: d.arrayOf(Particle), access: 'mutable' },
  histogram: { storage: d.arrayOf(d.atomic(d.u32), 8), access: 'mutable' },
});
const drawLayout = tgpu.bindGroupLayout({ particles: { storage: d.arrayOf(Particle), access: 'readonly' } });

const simulate = tgpu.computeFn({ in: { id: d.builtin.globalInvocationId }, workgroupSize: [64] })`{
  let p = &layout.$.particles[in.id.x];
  (*p).velocity += layout.$.settings.gravity * layout.$.settings.step;
  (*p).position += (*p).velocity * layout.$.settings.step;
  if ((*p).position.y < -1) {
    (*p).position.y = -2 - (*p).position.y;
    (*p).velocity.y *= -layout.$.settings.bounce;
  }
  (*p).age++;
  atomicAdd(&layout.$.histogram[u32(clamp(((*p).position.y + 1) * 4, 0, 7))], 1);
}`.$uses({ layout: computeLayout });

const computeGroup = root.createBindGroup(computeLayout, { settings, particles, histogram });
const step = root.createComputePipeline({ compute: simulate }).with(computeGroup);
for (let i = 0; i < 20; i++) step.dispatchWorkgroups(COUNT / 64);

const vertex = tgpu.vertexFn({
  in: { corner: d.builtin.vertexIndex, instance: d.builtin.instanceIndex },
  out: { place: d.builtin.position, colour: d.vec4f },
})`{
  let p = layout.$.particles[in.instance];
  let corners = array(vec2f(0, 1.5), vec2f(-1.3, -0.75), vec2f(1.3, -0.75));
  return Out(vec4f(p.position + corners[in.corner] * 0.05, f32(in.instance) / 256, 1), p.colour);
}`.$uses({ layout: drawLayout });
const fragment = tgpu.fragmentFn({ in: { colour: d.vec4f }, out: d.vec4f })`{
  return in.colour;
}`;

const target = device.createTexture({
  size: [SIZE, SIZE],
  format: 'rgba8unorm',
  usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
});
const depth = device.createTexture({
  size: [SIZE, SIZE],
  format: 'depth24plus',
  usage: GPUTextureUsage.RENDER_ATTACHMENT,
});
root
  .createRenderPipeline({
    vertex,
    fragment,
    targets: { format: 'rgba8unorm' },
    depthStencil: { format: 'depth24plus', depthWriteEnabled: true, depthCompare: 'less' },
  })
  .with(root.createBindGroup(drawLayout, { particles }))
  .withColorAttachment({ view: target.createView(), loadOp: 'clear', storeOp: 'store', clearValue: [0, 0, 0.2, 1] })
  .withDepthStencilAttachment({
    view: depth.createView(),
    depthClearValue: 1,
    depthLoadOp: 'clear',
    depthStoreOp: 'discard',
  })
  .draw(3, COUNT);

const staging = device.createBuffer({
  size: SIZE * SIZE * 4,
  usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
});
const encoder = device.createCommandEncoder();
encoder.copyTextureToBuffer({ texture: target }, { buffer: staging, bytesPerRow: SIZE * 4 }, [SIZE, SIZE]);
device.queue.submit([encoder.finish()]);
await staging.mapAsync(GPUMapMode.READ);
const image = new Uint8Array(staging.getMappedRange());

const simulated = await particles.read();
const places = Float32Array.from(simulated.flatMap(({ position, velocity }) => [...position, ...velocity]));
report({
  library: 'typegpu',
  age: simulated[0].age,
  places: numbers(places),
  histogram: await histogram.read(),
  scene: pixels(image, SIZE, SIZE),
});
