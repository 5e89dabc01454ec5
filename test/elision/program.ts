/// <reference types="@webgpu/types" />
import type { Random } from '../golden/random.ts';

/** Random programs that set state again and again, mostly to what it is. */

const SIZE = 8;
const FORMAT = 'rgba8unorm';
const [COPY_SRC, COPY_DST, VERTEX, INDEX, UNIFORM, STORAGE, MAP_READ] = [4, 8, 32, 16, 64, 128, 1];
const [RENDER_ATTACHMENT, TEXTURE_COPY_SRC] = [16, 1];

const SHADER = /* wgsl */ `
  @group(0) @binding(0) var<uniform> color: vec4f;
  @group(1) @binding(0) var<uniform> offset: vec4f;
  @vertex fn vertex(@location(0) position: vec2f, @location(1) shift: vec2f) -> @builtin(position) vec4f {
    return vec4f(position + shift * 0.25 + offset.xy, 0, 1);
  }
  @fragment fn fragment() -> @location(0) vec4f { return color * 0.25; }
  @fragment fn other() -> @location(0) vec4f { return color * 0.5; }`;
const COMPUTE = /* wgsl */ `
  @group(0) @binding(0) var<storage, read_write> counts: array<u32, 4>;
  @compute @workgroup_size(1) fn one() { counts[0] += 1; counts[1] = counts[1] * 3 + 1; }
  @compute @workgroup_size(1) fn two() { counts[2] += 1; counts[1] = counts[1] * 3 + 2; }`;

/** Made once for each device. */
export type Scene = ReturnType<typeof makeScene>;

export function makeScene(device: GPUDevice) {
  const entry = (hasDynamicOffset: boolean): GPUBindGroupLayoutEntry => ({
    binding: 0,
    visibility: 3,
    buffer: { type: 'uniform', hasDynamicOffset },
  });
  const layout = device.createBindGroupLayout({ entries: [entry(false)] });
  const dynamicLayout = device.createBindGroupLayout({ entries: [entry(true)] });
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout, dynamicLayout] });
  const module = device.createShaderModule({ code: SHADER });
  const pipeline = (entryPoint: string, format: GPUTextureFormat): GPURenderPipeline =>
    device.createRenderPipeline({
      layout: pipelineLayout,
      vertex: {
        module,
        buffers: [0, 1].map((shaderLocation) => ({
          arrayStride: 8,
          attributes: [{ shaderLocation, offset: 0, format: 'float32x2' as const }],
        })),
      },
      fragment: {
        module,
        entryPoint,
        targets: [{ format, blend: { color: { dstFactor: 'one' }, alpha: { dstFactor: 'one' } } }],
      },
    });
  const filled = (usage: number, values: Float32Array | Uint16Array | Uint32Array): GPUBuffer => {
    const buffer = device.createBuffer({ size: Math.max(values.byteLength, 512), usage: usage | COPY_DST });
    device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  };
  const uniforms = filled(UNIFORM, new Float32Array(128).fill(1, 0, 4).fill(0.25, 64, 66));
  const red = filled(UNIFORM, new Float32Array([1, 0.1, 0.2, 1]));
  const group = (buffer: GPUBuffer, layout: GPUBindGroupLayout): GPUBindGroup =>
    device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer, size: 16 } }] });
  const computeModule = device.createShaderModule({ code: COMPUTE });
  const storageLayout = device.createBindGroupLayout({
    entries: [{ binding: 0, visibility: 4, buffer: { type: 'storage' } }],
  });
  const computeLayout = device.createPipelineLayout({ bindGroupLayouts: [storageLayout] });
  const compute = (entryPoint: string): GPUComputePipeline =>
    device.createComputePipeline({ layout: computeLayout, compute: { module: computeModule, entryPoint } });
  const counts = [0, 1].map(() => filled(STORAGE | COPY_SRC, new Uint32Array(4)));
  return {
    device,
    // The last of each list is invalid where it is used.
    pipelines: [pipeline('fragment', FORMAT), pipeline('other', FORMAT), pipeline('fragment', 'r8unorm')],
    groups: [group(red, layout), group(uniforms, layout), null],
    dynamicGroup: group(uniforms, dynamicLayout),
    vertices: [
      filled(VERTEX, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1])),
      filled(VERTEX, new Float32Array([0, 0, 1, 0, 0, 1, 0.5, 0.5])),
      filled(UNIFORM, new Float32Array(8)),
    ],
    indices: [filled(INDEX, new Uint16Array([0, 1, 2, 1, 2, 3])), filled(INDEX, new Uint16Array([2, 1, 0, 0]))],
    computePipelines: [compute('one'), compute('two')],
    counts,
    storageGroups: counts.map((buffer) => group16(device, storageLayout, buffer)),
  };
}

function group16(device: GPUDevice, layout: GPUBindGroupLayout, buffer: GPUBuffer): GPUBindGroup {
  return device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
}

type RenderEncoder = GPURenderPassEncoder | GPURenderBundleEncoder;

/** What programs are made of: those of one kind are valid, the others make mistakes now and then. */
class Choices {
  readonly random: Random;
  readonly isWild: boolean;

  constructor(random: Random) {
    this.random = random;
    this.isWild = random.chance(2);
  }

  /** Mostly the first, now and then the last, which is invalid. */
  of<T>(list: readonly T[]): T {
    if (this.errs(40)) return list.at(-1)!;
    return list[this.random.chance(3) ? 1 : 0]!;
  }

  /** Whether to make a mistake, where that is due one time in `oneIn`. */
  errs(oneIn: number): boolean {
    return this.isWild && this.random.chance(oneIn);
  }

  times(most: number): number[] {
    return Array.from({ length: this.random.below(most) }, (_, i) => i);
  }
}

function renderCommand(choices: Choices, encoder: RenderEncoder, scene: Scene): void {
  const { random } = choices;
  const slot = choices.errs(60) ? 9 : random.below(2);
  switch (random.below(11)) {
    case 0:
    case 1:
      return encoder.setPipeline(choices.of(scene.pipelines));
    case 2:
      return encoder.setBindGroup(0, choices.of(scene.groups));
    case 3:
      return encoder.setBindGroup(1, scene.dynamicGroup, choices.errs(60) ? [] : [random.pick([0, 256])]);
    case 4:
      return encoder.setVertexBuffer(slot, choices.of(scene.vertices));
    case 5:
      return encoder.setVertexBuffer(slot, scene.vertices[0]!, random.pick([0, 8]), random.pick([undefined, 32]));
    case 6:
      return encoder.setIndexBuffer(choices.of(scene.indices), choices.errs(9) ? 'uint32' : 'uint16');
    case 7:
      return encoder.drawIndexed(3);
    case 8:
      return choices.errs(8) ? encoder.popDebugGroup() : encoder.insertDebugMarker('a');
    default:
      return encoder.draw(3);
  }
}

function passCommand(choices: Choices, pass: GPURenderPassEncoder, scene: Scene, bundles: GPURenderBundle[]): void {
  const { random } = choices;
  switch (random.below(12)) {
    case 0:
      return pass.setViewport(0, 0, random.pick([SIZE, 4]), SIZE, 0, 1);
    case 1:
      return pass.setScissorRect(0, 0, SIZE, choices.errs(30) ? SIZE + 1 : random.pick([SIZE, 4]));
    case 2:
      return pass.setStencilReference(random.below(2));
    case 3:
      pass.executeBundles(random.chance(2) ? bundles : []);
      // Nothing is set behind it.
      if (!choices.errs(2)) setUp(pass, scene);
      return;
    default:
      return renderCommand(choices, pass, scene);
  }
}

/** What can be seen of a program: the error of each call, and what it drew and counted. */
export interface Outcome {
  errors: (string | null)[];
  pixels: string;
  counts: string;
}

/** Runs the program of a seed: a bundle, two passes side by side, a compute pass, calls behind their ends. */
export async function run(random: Random, scene: Scene): Promise<Outcome> {
  const { device } = scene;
  const choices = new Choices(random);
  const errors: Promise<string | null>[] = [];
  const scoped = <T>(act: () => T): T => {
    device.pushErrorScope('validation');
    try {
      return act();
    } finally {
      errors.push(device.popErrorScope().then((error) => error && error.message));
    }
  };
  const textures = [0, 1].map(() =>
    device.createTexture({ size: [SIZE, SIZE], format: FORMAT, usage: RENDER_ATTACHMENT | TEXTURE_COPY_SRC }),
  );
  for (const buffer of scene.counts) device.queue.writeBuffer(buffer, 0, new Uint32Array(4));

  const bundleEncoder = device.createRenderBundleEncoder({ colorFormats: [FORMAT] });
  setUp(bundleEncoder, scene);
  for (const _ of choices.times(12)) scoped(() => renderCommand(choices, bundleEncoder, scene));
  const bundles = [scoped(() => bundleEncoder.finish())];
  if (choices.errs(2)) {
    // Each of them is an error, also when another encoder was used meanwhile.
    const other = device.createCommandEncoder();
    for (const _ of choices.times(4)) {
      scoped(() => renderCommand(choices, bundleEncoder, scene));
      if (random.chance(2)) scoped(() => other.insertDebugMarker('b'));
      for (let i = 0; i < 2; i++) scoped(() => bundleEncoder.setPipeline(scene.pipelines[0]!));
    }
  }

  const encoders = textures.map(() => device.createCommandEncoder());
  const passes = textures.map((texture, i) =>
    encoders[i]!.beginRenderPass({
      colorAttachments: [{ view: texture.createView(), loadOp: 'clear', storeOp: 'store' }],
    }),
  );
  for (const pass of passes) setUp(pass, scene);
  let current = 0;
  for (const _ of choices.times(40)) {
    if (random.chance(8)) current = 1 - current;
    scoped(() => passCommand(choices, passes[current]!, scene, bundles));
  }
  for (const pass of passes) scoped(() => pass.end());
  if (choices.errs(2)) for (const _ of choices.times(4)) scoped(() => passCommand(choices, passes[0]!, scene, bundles));

  const computePass = encoders[0]!.beginComputePass();
  if (!choices.errs(4)) {
    computePass.setPipeline(scene.computePipelines[0]!);
    computePass.setBindGroup(0, scene.storageGroups[0]!);
  }
  for (const _ of choices.times(16)) {
    scoped(() => {
      if (random.chance(3)) computePass.setPipeline(random.pick(scene.computePipelines));
      else if (random.chance(2)) computePass.setBindGroup(0, random.pick(scene.storageGroups));
      else computePass.dispatchWorkgroups(1);
    });
  }
  scoped(() => computePass.end());
  for (const encoder of encoders) {
    const commands = scoped(() => encoder.finish());
    scoped(() => device.queue.submit([commands]));
  }
  const [pixels, counts] = await Promise.all([readTextures(device, textures), readBuffers(device, scene.counts)]);
  for (const texture of textures) texture.destroy();
  return { errors: await Promise.all(errors), pixels, counts };
}

/** Everything that a draw needs. */
function setUp(encoder: RenderEncoder, { pipelines, groups, dynamicGroup, vertices, indices }: Scene): void {
  encoder.setPipeline(pipelines[0]!);
  encoder.setBindGroup(0, groups[0]!);
  encoder.setBindGroup(1, dynamicGroup, [0]);
  encoder.setVertexBuffer(0, vertices[0]!);
  encoder.setVertexBuffer(1, vertices[1]!);
  encoder.setIndexBuffer(indices[0]!, 'uint16');
}

function readTextures(device: GPUDevice, textures: readonly GPUTexture[]): Promise<string> {
  const bytesPerRow = 256;
  return read(device, bytesPerRow * SIZE * textures.length, (encoder, buffer) => {
    for (const [i, texture] of textures.entries()) {
      encoder.copyTextureToBuffer({ texture }, { buffer, offset: i * bytesPerRow * SIZE, bytesPerRow }, [SIZE, SIZE]);
    }
  });
}

function readBuffers(device: GPUDevice, buffers: readonly GPUBuffer[]): Promise<string> {
  return read(device, 16 * buffers.length, (encoder, target) => {
    for (const [i, buffer] of buffers.entries()) encoder.copyBufferToBuffer(buffer, 0, target, i * 16, 16);
  });
}

async function read(
  device: GPUDevice,
  size: number,
  copy: (encoder: GPUCommandEncoder, buffer: GPUBuffer) => void,
): Promise<string> {
  const buffer = device.createBuffer({ size, usage: COPY_DST | MAP_READ });
  const encoder = device.createCommandEncoder();
  copy(encoder, buffer);
  device.queue.submit([encoder.finish()]);
  await buffer.mapAsync(MAP_READ);
  const text = Buffer.from(buffer.getMappedRange()).toString('hex');
  buffer.destroy();
  return text;
}
