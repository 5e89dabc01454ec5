// Calls the members of WebGPU as often as a real program was seen to, evenly spread, with little for the GPU to do.
import {
  bufferOf,
  contents,
  GPUBufferUsage,
  GPUMapMode,
  GPUTextureUsage,
  pixels,
  randomNumbers,
  VERTEX_BUFFERS,
} from './kit.mjs';
import { mixes } from './real-programs.mjs';

/** @import { Gpu, Size, Workload } from './kit.mjs' */
/** @import { Mix } from './real-programs.mjs' */

/** How many of each thing there are to change between. */
const VARIANTS = 8;
const SIDE = 64;
const ELEMENTS = 256;

const shader = /* wgsl */ `
@group(0) @binding(0) var<uniform> first: vec4f;
@group(1) @binding(0) var<uniform> second: vec4f;
override shade = 1.0;
@vertex fn vertex(@location(0) corner: vec4f) -> @builtin(position) vec4f { return vec4f(corner.xy + first.xy, 0, 1); }
@fragment fn one() -> @location(0) vec4f { return vec4f(first.zw, shade, 1); }
@fragment fn two() -> @location(0) vec4f { return vec4f(first.z, second.w, shade, 1); }

@group(0) @binding(1) var<storage, read_write> sums: array<f32, ${ELEMENTS}>;
@compute @workgroup_size(64) fn sum(@builtin(global_invocation_id) id: vec3u) {
  sums[id.x] = fract(sums[id.x] * 0.5 + first.x + f32(id.x) * shade);
}`;

/**
 * @param {Gpu} gpu
 * @param {Size} _size it is as large as the program that it stands for
 * @param {string} name of the mix
 * @returns {Promise<Workload>}
 */
export async function open(gpu, _size, name) {
  const { device, queue, classes } = gpu;
  const mix = mixes[name];
  const passes = share(mix);
  const random = randomNumbers(5);
  /** @type {GPUBuffer[]} */
  const resources = [];
  const keep = (/** @type {GPUBuffer} */ buffer) => {
    resources.push(buffer);
    return buffer;
  };
  const writeBytes = mix.writes === 0 ? 16 : Math.max(16, Math.ceil(mix.writtenBytes / mix.writes / 4) * 4);
  const uniforms = Array.from({ length: VARIANTS }, () =>
    keep(bufferOf(gpu, randomFloats(writeBytes / 4, random), GPUBufferUsage.UNIFORM)),
  );
  const vertices = Array.from({ length: VARIANTS }, () => {
    const [x, y] = [random() - 1, random() - 1];
    const corners = [x, y, 0, 1, x + 0.1, y, 0, 1, x, y + 0.1, 0, 1];
    return keep(bufferOf(gpu, new Float32Array(corners), GPUBufferUsage.VERTEX));
  });
  const indices = keep(bufferOf(gpu, new Uint16Array([0, 1, 2, 0]), GPUBufferUsage.INDEX));
  const sums = keep(
    device.createBuffer({ size: ELEMENTS * 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC }),
  );
  const staging =
    mix.maps === 0
      ? undefined
      : keep(
          device.createBuffer({
            size: Math.max(16, Math.ceil(mix.mappedBytes / mix.maps / 4) * 4),
            usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
          }),
        );
  const source =
    staging &&
    keep(device.createBuffer({ size: staging.size, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.STORAGE }));
  const target = device.createTexture({
    size: [SIDE, SIDE],
    format: 'rgba8unorm',
    usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
  });
  const view = target.createView();
  const slots = mix.kind === 'render' ? atOnce(passes, 'setBindGroup', 2) : 1;
  const bufferSlots = mix.kind === 'render' ? atOnce(passes, 'setBuffer', 3) : 0;
  const module = device.createShaderModule({ code: shader });
  const layouts = Array.from({ length: slots }, () =>
    device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: 7, buffer: {} },
        ...(mix.kind === 'compute'
          ? [{ binding: 1, visibility: 4, buffer: { type: /** @type {const} */ ('storage') } }]
          : []),
      ],
    }),
  );
  const layout = device.createPipelineLayout({ bindGroupLayouts: layouts });
  const shades = Array.from({ length: VARIANTS }, (_, i) => ({ shade: i / VARIANTS }));
  const renderPipelines =
    mix.kind === 'compute'
      ? []
      : shades.map((constants) =>
          device.createRenderPipeline({
            layout,
            vertex: {
              module,
              entryPoint: 'vertex',
              buffers: VERTEX_BUFFERS,
            },
            fragment: {
              module,
              entryPoint: slots === 2 ? 'two' : 'one',
              constants,
              targets: [{ format: 'rgba8unorm' }],
            },
          }),
        );
  const computePipelines =
    mix.kind === 'render'
      ? []
      : shades.map((constants) =>
          device.createComputePipeline({ layout, compute: { module, entryPoint: 'sum', constants } }),
        );
  const groupOf = (/** @type {GPUBuffer} */ buffer) =>
    device.createBindGroup({
      layout: layouts[0],
      entries: [buffer, ...(mix.kind === 'compute' ? [sums] : [])].map((buffer, binding) => ({
        binding,
        resource: binding === 0 ? { buffer, size: 16 } : { buffer },
      })),
    });
  const groups = uniforms.map(groupOf);
  const data = randomFloats(writeBytes / 4, random);

  /** Go on from run to run, so that not every run is the same. */
  const turns = { pipeline: 0, group: 0, buffer: 0, write: 0, made: 0 };
  let buffersDue = 0;
  let looks = 0;

  /** @param {Share} share */
  function look({ reads, instanceofs }) {
    for (let i = 0; i < reads; i++) looks += uniforms[i % VARIANTS].size;
    for (let i = 0; i < instanceofs; i++) looks += uniforms[i % VARIANTS] instanceof classes.GPUBuffer ? 1 : 0;
  }

  /** @param {Share} share */
  function write({ writes }) {
    for (let i = 0; i < writes; i++) {
      const turn = turns.write++;
      data[turn % 4] = (turn % 17) / 17;
      queue.writeBuffer(uniforms[turn % VARIANTS], 0, data);
    }
  }

  /** @param {Share} share @param {GPUBuffer[]} made */
  function make({ createBindGroup, createBuffer }, made) {
    for (buffersDue += createBuffer; buffersDue >= 1; buffersDue--) {
      made.push(device.createBuffer({ size: 1024, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST }));
    }
    for (let i = 0; i < createBindGroup; i++) {
      const turn = turns.made++ % VARIANTS;
      groups[turn] = groupOf(uniforms[turn]);
    }
  }

  /** @param {GPUCommandEncoder} encoder @param {Share} share */
  function render(encoder, share) {
    const pass = encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'load', storeOp: 'store' }] });
    for (let i = 0; i < share.calls; i++) {
      for (let n = due(share.setPipeline, i, share.calls); n > 0; n--) {
        pass.setPipeline(renderPipelines[turns.pipeline++ % VARIANTS]);
      }
      for (let n = due(share.setBindGroup, i, share.calls), slot = 0; n > 0; n--, slot++) {
        pass.setBindGroup(slot % slots, groups[turns.group++ % VARIANTS]);
      }
      for (let n = due(share.setBuffer, i, share.calls), slot = 0; n > 0; n--, slot++) {
        if (slot % bufferSlots === 1) pass.setIndexBuffer(indices, 'uint16');
        else pass.setVertexBuffer((slot % bufferSlots) >> 1, vertices[turns.buffer++ % VARIANTS]);
      }
      if (bufferSlots > 1) pass.drawIndexed(3);
      else pass.draw(3);
    }
    pass.end();
  }

  /** @param {GPUCommandEncoder} encoder @param {Share} share */
  function compute(encoder, share) {
    const pass = encoder.beginComputePass();
    for (let i = 0; i < share.calls; i++) {
      pass.setPipeline(computePipelines[turns.pipeline++ % VARIANTS]);
      pass.setBindGroup(0, groups[turns.group++ % VARIANTS]);
      pass.dispatchWorkgroups(ELEMENTS / 64);
    }
    pass.end();
  }

  const perSubmit = passes.length / mix.submits;
  return {
    async run() {
      /** @type {GPUBuffer[]} */
      const made = [];
      for (let submit = 0; submit < mix.submits; submit++) {
        const encoder = device.createCommandEncoder();
        for (const share of passes.slice(submit * perSubmit, (submit + 1) * perSubmit)) {
          look(share);
          write(share);
          make(share, made);
          if (mix.kind === 'render') render(encoder, share);
          else compute(encoder, share);
        }
        // The last one comes at the end: a program waits for its result.
        const maps = due(mix.maps, mix.submits - 1 - submit, mix.submits) > 0;
        if (maps && staging && source) encoder.copyBufferToBuffer(source, 0, staging, 0, staging.size);
        queue.submit([encoder.finish()]);
        if (maps && staging) {
          await staging.mapAsync(GPUMapMode.READ);
          looks += new Uint8Array(staging.getMappedRange()).at(-1) ?? 0;
          staging.unmap();
        }
      }
      for (const buffer of made) buffer.destroy();
      if (mix.maps === 0) await queue.onSubmittedWorkDone();
    },
    async result() {
      const seen = new Uint8Array(new Float64Array([looks]).buffer);
      return new Uint8Array([...seen, ...(await (mix.kind === 'render' ? pixels(gpu, target) : contents(gpu, sums)))]);
    },
    resources: [target, ...resources],
  };
}

/**
 * What of a mix comes within one pass.
 *
 * @typedef {Pick<Mix, 'calls' | 'setPipeline' | 'setBindGroup' | 'setBuffer' | 'writes' | 'createBindGroup'
 *   | 'createBuffer' | 'reads' | 'instanceofs'>} Share
 */

/**
 * @param {Mix} mix
 * @returns {Share[]} of each pass
 */
function share(mix) {
  const count = mix.passes ?? mix.submits;
  const names = /** @type {const} */ ([
    'calls',
    'setPipeline',
    'setBindGroup',
    'setBuffer',
    'writes',
    'createBindGroup',
    'reads',
    'instanceofs',
  ]);
  return Array.from({ length: count }, (_, pass) => ({
    .../** @type {Omit<Share, 'createBuffer'>} */ (
      Object.fromEntries(names.map((name) => [name, due(mix[name], pass, count)]))
    ),
    createBuffer: mix.createBuffer / count,
  }));
}

/**
 * How many of `total` things come in turn `turn` of `turns`, when they are evenly spread, and the first comes at once.
 *
 * @param {number} total
 * @param {number} turn
 * @param {number} turns
 */
function due(total, turn, turns) {
  return Math.ceil(((turn + 1) * total) / turns) - Math.ceil((turn * total) / turns);
}

/**
 * How many places of a kind the first draw of every pass finds set.
 *
 * @param {readonly Share[]} passes
 * @param {'setBindGroup' | 'setBuffer'} kind
 * @param {number} most
 */
function atOnce(passes, kind, most) {
  return Math.min(most, ...passes.map((share) => due(share[kind], 0, share.calls)));
}

/** @param {number} length @param {() => number} random */
function randomFloats(length, random) {
  return Float32Array.from({ length }, random);
}
