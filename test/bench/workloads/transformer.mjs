// A small transformer that says one token after the other, as an inference library runs it: a few dozen dispatches in one
// submit, then the scores of all tokens are read back, since the next token depends on them.
import { bufferOf, GPUBufferUsage, GPUMapMode, randomNumbers } from './kit.mjs';

/** @import { Gpu, Size, Workload } from './kit.mjs' */

const WIDTH = 128;
const HEADS = 4;
const HEAD_WIDTH = WIDTH / HEADS;
const INNER_WIDTH = 4 * WIDTH;
const TOKENS = 256;
/** How many tokens it looks back; then it starts anew. */
const CONTEXT = 64;

const stepShader = /* wgsl */ `
struct Step { token: u32, position: u32 }`;

const embedShader = /* wgsl */ `${stepShader}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> embeddings: array<f32>;
@group(0) @binding(2) var<storage, read_write> state: array<f32>;
@compute @workgroup_size(${WIDTH}) fn embed(@builtin(local_invocation_index) i: u32) {
  let angle = f32(step.position) * pow(0.001, f32(i / 2u) / ${WIDTH / 2}.0);
  state[i] = embeddings[step.token * ${WIDTH}u + i] + 0.1 * select(cos(angle), sin(angle), i % 2u == 0u);
}`;

const normalizeShader = /* wgsl */ `
@group(0) @binding(0) var<storage, read> state: array<f32>;
@group(0) @binding(1) var<storage, read_write> normal: array<f32>;
var<workgroup> squares: array<f32, ${WIDTH}>;
@compute @workgroup_size(${WIDTH}) fn normalize(@builtin(local_invocation_index) i: u32) {
  squares[i] = state[i] * state[i];
  for (var half = ${WIDTH / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (i < half) { squares[i] += squares[i + half]; }
  }
  workgroupBarrier();
  normal[i] = state[i] * inverseSqrt(squares[0] / ${WIDTH}.0 + 1e-5);
}`;

/** @param {string} store what becomes of a sum, \`sum\`, in element \`row\` of \`result\` */
const matrixShader = (store) => /* wgsl */ `
override columns: u32;
@group(0) @binding(0) var<storage, read> matrix: array<f32>;
@group(0) @binding(1) var<storage, read> vector: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(32) fn multiply(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  var sum = 0.0;
  for (var i = 0u; i < columns; i++) { sum += matrix[row * columns + i] * vector[i]; }
  ${store}
}`;

const attentionShader = /* wgsl */ `${stepShader}
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> query: array<f32>; // and key, and value
@group(0) @binding(2) var<storage, read_write> cache: array<f32>; // keys, then values
@group(0) @binding(3) var<storage, read_write> result: array<f32>;
var<workgroup> scores: array<f32, ${CONTEXT}>;
@compute @workgroup_size(${HEAD_WIDTH}) fn attend(
  @builtin(workgroup_id) head: vec3u, @builtin(local_invocation_index) i: u32
) {
  let at = head.x * ${HEAD_WIDTH}u;
  cache[step.position * ${WIDTH}u + at + i] = query[${WIDTH}u + at + i];
  cache[${CONTEXT * WIDTH}u + step.position * ${WIDTH}u + at + i] = query[${2 * WIDTH}u + at + i];
  storageBarrier();
  for (var past = i; past <= step.position; past += ${HEAD_WIDTH}u) {
    var sum = 0.0;
    for (var k = 0u; k < ${HEAD_WIDTH}u; k++) { sum += query[at + k] * cache[past * ${WIDTH}u + at + k]; }
    scores[past] = sum * ${1 / Math.sqrt(HEAD_WIDTH)};
  }
  workgroupBarrier();
  var highest = scores[0];
  for (var past = 1u; past <= step.position; past++) { highest = max(highest, scores[past]); }
  var total = 0.0;
  var mix = 0.0;
  for (var past = 0u; past <= step.position; past++) {
    let weight = exp(scores[past] - highest);
    total += weight;
    mix += weight * cache[${CONTEXT * WIDTH}u + past * ${WIDTH}u + at + i];
  }
  result[at + i] = mix / total;
}`;

/**
 * @param {Gpu} gpu
 * @param {Size} size
 * @returns {Promise<Workload>}
 */
export async function open(gpu, size) {
  const { device, queue } = gpu;
  const layers = size === 'full' ? 6 : 1;
  const random = randomNumbers(4);
  /** @type {GPUBuffer[]} */
  const buffers = [];
  const keep = (/** @type {GPUBuffer} */ buffer) => {
    buffers.push(buffer);
    return buffer;
  };
  const weights = (/** @type {number} */ rows, /** @type {number} */ columns) =>
    keep(
      bufferOf(
        gpu,
        Float32Array.from({ length: rows * columns }, () => ((random() - 0.5) * 4) / Math.sqrt(columns)),
        GPUBufferUsage.STORAGE,
      ),
    );
  const vector = (/** @type {number} */ length) =>
    keep(device.createBuffer({ size: length * 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC }));
  const pipelineOf = (/** @type {string} */ code, /** @type {Record<string, number>} */ constants = {}) =>
    device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }), constants },
    });
  const [put, add, gate] = [
    'result[row] = sum;',
    'result[row] += sum;',
    'result[row] = sum / (1.0 + exp(-sum)); // SiLU',
  ].map(matrixShader);
  const [embed, normalize, attend, project, mixIn, widen, narrow] = await Promise.all([
    pipelineOf(embedShader),
    pipelineOf(normalizeShader),
    pipelineOf(attentionShader),
    pipelineOf(put, { columns: WIDTH }),
    pipelineOf(add, { columns: WIDTH }),
    pipelineOf(gate, { columns: WIDTH }),
    pipelineOf(add, { columns: INNER_WIDTH }),
  ]);
  const step = keep(device.createBuffer({ size: 8, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST }));
  const embeddings = weights(TOKENS, WIDTH);
  const [state, normal, query, attended] = [WIDTH, WIDTH, 3 * WIDTH, WIDTH].map(vector);
  const [inner, scores] = [INNER_WIDTH, TOKENS].map(vector);
  const call = (
    /** @type {GPUComputePipeline} */ pipeline,
    /** @type {number} */ workgroups,
    /** @type {GPUBuffer[]} */ ...bound
  ) => ({
    pipeline,
    workgroups,
    group: device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: bound.map((buffer, binding) => ({ binding, resource: { buffer } })),
    }),
  });
  const calls = [
    call(embed, 1, step, embeddings, state),
    ...Array.from({ length: layers }, () => [
      call(normalize, 1, state, normal),
      call(project, (3 * WIDTH) / 32, weights(3 * WIDTH, WIDTH), normal, query),
      call(attend, HEADS, step, query, vector(2 * CONTEXT * WIDTH), attended),
      call(mixIn, WIDTH / 32, weights(WIDTH, WIDTH), attended, state),
      call(normalize, 1, state, normal),
      call(widen, INNER_WIDTH / 32, weights(INNER_WIDTH, WIDTH), normal, inner),
      call(narrow, WIDTH / 32, weights(WIDTH, INNER_WIDTH), inner, state),
    ]).flat(),
    call(normalize, 1, state, normal),
    call(project, TOKENS / 32, embeddings, normal, scores),
  ];
  const staging = keep(
    device.createBuffer({ size: scores.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }),
  );
  let token = 1;
  let said = 0;
  /** @type {Float32Array<ArrayBuffer>} */
  let latest = new Float32Array(0);
  const history = new Uint32Array(CONTEXT);
  return {
    async run() {
      queue.writeBuffer(step, 0, new Uint32Array([token, said % CONTEXT]));
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (const { pipeline, group, workgroups } of calls) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(workgroups);
      }
      pass.end();
      encoder.copyBufferToBuffer(scores, 0, staging, 0, scores.size);
      queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      latest = new Float32Array(staging.getMappedRange().slice(0));
      staging.unmap();
      history[said++ % CONTEXT] = token;
      token = latest.indexOf(Math.max(...latest));
      // NaN is equal to nothing.
      if (token < 0) throw new Error('the scores of the tokens are no numbers');
    },
    async result() {
      return new Uint8Array([...new Uint8Array(latest.buffer), ...new Uint8Array(history.buffer)]);
    },
    resources: buffers,
  };
}
