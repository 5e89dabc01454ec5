// A product of two square matrices: both are uploaded, multiplied, and the product is read back. An invocation has a block
// of 4 × 4 elements; there is no memory that a workgroup shares, as its barriers are slow where a CPU computes.
import { GPUBufferUsage, GPUMapMode, randomNumbers } from './kit.mjs';

/** @import { Gpu, Size, Workload } from './kit.mjs' */

const BLOCK = 4;
const WORKGROUP = 8;

/** @param {number} n a multiple of both */
const shader = (n) => /* wgsl */ `
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> product: array<vec4f>;
const width = ${n / BLOCK}u;
@compute @workgroup_size(${WORKGROUP}, ${WORKGROUP}) fn multiply(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * ${BLOCK}u;
  var sums: mat4x4f;
  for (var k = 0u; k < width; k++) {
    let rows = mat4x4f(
      a[row * width + k], a[(row + 1u) * width + k], a[(row + 2u) * width + k], a[(row + 3u) * width + k]
    );
    let at = k * ${BLOCK}u * width + id.x;
    sums += mat4x4f(b[at], b[at + width], b[at + 2u * width], b[at + 3u * width]) * rows;
  }
  for (var i = 0u; i < ${BLOCK}u; i++) { product[(row + i) * width + id.x] = sums[i]; }
}`;

/**
 * @param {Gpu} gpu
 * @param {Size} size
 * @returns {Promise<Workload>}
 */
export async function open({ device, queue }, size) {
  const n = size === 'full' ? 1024 : 64;
  const byteLength = n * n * 4;
  const random = randomNumbers(3);
  const matrices = [0, 1].map(() => Float32Array.from({ length: n * n }, () => random() - 0.5));
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const inputs = matrices.map(() => device.createBuffer({ size: byteLength, usage }));
  const output = device.createBuffer({ size: byteLength, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const staging = device.createBuffer({ size: byteLength, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const module = device.createShaderModule({ code: shader(n) });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [...inputs, output].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  /** @type {Float32Array<ArrayBuffer>} */
  let product = new Float32Array(0);
  return {
    async run() {
      for (const [i, matrix] of matrices.entries()) queue.writeBuffer(inputs[i], 0, matrix);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      const workgroups = n / BLOCK / WORKGROUP;
      pass.dispatchWorkgroups(workgroups, workgroups);
      pass.end();
      encoder.copyBufferToBuffer(output, 0, staging, 0, byteLength);
      queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      product = new Float32Array(staging.getMappedRange().slice(0));
      staging.unmap();
    },
    async result() {
      assertProduct(product, matrices, n);
      return new Uint8Array(product.buffer);
    },
    resources: [...inputs, output, staging],
  };
}

/**
 * Some elements are computed anew: two sides could be equally wrong.
 *
 * @param {Float32Array} product
 * @param {readonly Float32Array[]} matrices
 * @param {number} n
 */
function assertProduct(product, [a, b], n) {
  for (let i = 0; i < n * n; i += Math.floor((n * n) / 37)) {
    const [y, x] = [Math.floor(i / n), i % n];
    let expected = 0;
    for (let k = 0; k < n; k++) expected += a[y * n + k] * b[k * n + x];
    if (!(Math.abs(product[i] - expected) < 1e-3)) {
      throw new Error(`element ${y}, ${x} of the product is ${product[i]}, not ${expected}`);
    }
  }
}
