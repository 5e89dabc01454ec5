// A matrix product on the GPU, checked against the same product on the CPU.
import { readFile } from 'node:fs/promises';
import { randomSource } from './random.mjs';

/** Rows and columns of the product that one workgroup computes, as matmul.wgsl says. */
const TILE = 32;

/**
 * The largest absolute error that counts as right, for elements in [-1, 1). Rounding in f32 stays near 1e-5 at size
 * 512; one product left out or taken twice is wrong by about 0.25.
 */
export const TOLERANCE = 1e-3;

/**
 * @typedef {object} MatmulResult
 * @property {number} size rows and columns of each matrix
 * @property {number} maxError largest absolute difference from the CPU's product
 * @property {number} tolerance what maxError must stay below
 * @property {boolean} ok
 * @property {number} milliseconds from the upload of the inputs to the mapped result, pipeline compilation included
 */

/**
 * Multiplies two random square f32 matrices with a tiled compute shader and checks the result.
 * @param {GPUDevice} device
 * @param {{ size?: number }} [options]
 * @returns {Promise<MatmulResult>}
 */
export async function matmul(device, { size = 512 } = {}) {
  const random = randomSource(512);
  const a = Float32Array.from({ length: size * size }, () => random() * 2 - 1);
  const b = Float32Array.from({ length: size * size }, () => random() * 2 - 1);
  const code = await readFile(new URL('./matmul.wgsl', import.meta.url), 'utf8');

  const start = performance.now();
  const product = await multiplyOnGpu(device, code, size, a, b);
  const milliseconds = performance.now() - start;

  const maxError = largestError(product, multiplyOnCpu(size, a, b));
  return { size, maxError, tolerance: TOLERANCE, ok: maxError < TOLERANCE, milliseconds };
}

/**
 * @param {GPUDevice} device
 * @param {string} code
 * @param {number} size
 * @param {Float32Array<ArrayBuffer>} a
 * @param {Float32Array<ArrayBuffer>} b
 */
async function multiplyOnGpu(device, code, size, a, b) {
  const module = device.createShaderModule({ label: 'matmul', code });
  const pipeline = await device.createComputePipelineAsync({ label: 'matmul', layout: 'auto', compute: { module } });

  const { COPY_DST, COPY_SRC, MAP_READ, STORAGE, UNIFORM } = GPUBufferUsage;
  const bytes = a.byteLength;
  const uniform = device.createBuffer({ label: 'matmul size', size: 4, usage: UNIFORM | COPY_DST });
  const left = device.createBuffer({ label: 'matmul a', size: bytes, usage: STORAGE | COPY_DST });
  const right = device.createBuffer({ label: 'matmul b', size: bytes, usage: STORAGE | COPY_DST });
  const result = device.createBuffer({ label: 'matmul c', size: bytes, usage: STORAGE | COPY_SRC });
  const staging = device.createBuffer({ label: 'matmul readback', size: bytes, usage: MAP_READ | COPY_DST });
  device.queue.writeBuffer(uniform, 0, Uint32Array.of(size));
  device.queue.writeBuffer(left, 0, a);
  device.queue.writeBuffer(right, 0, b);

  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [uniform, left, right, result].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const encoder = device.createCommandEncoder({ label: 'matmul' });
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(Math.ceil(size / TILE), Math.ceil(size / TILE));
  pass.end();
  encoder.copyBufferToBuffer(result, 0, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);

  await staging.mapAsync(GPUMapMode.READ);
  const product = new Float32Array(staging.getMappedRange()).slice();
  staging.unmap();
  for (const buffer of [uniform, left, right, result, staging]) buffer.destroy();
  return product;
}

/**
 * Accumulates in f64, so that the reference's own rounding is negligible.
 * @param {number} size
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function multiplyOnCpu(size, a, b) {
  const product = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let k = 0; k < size; k++) {
      // Row by row through b, in memory order: several times faster than dot products down its columns.
      const factor = a[row * size + k];
      for (let column = 0; column < size; column++) product[row * size + column] += factor * b[k * size + column];
    }
  }
  return product;
}

/**
 * @param {Float32Array} actual
 * @param {Float64Array} expected
 */
function largestError(actual, expected) {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    // A NaN compares false with everything: it must count as the largest error, not be skipped.
    if (!(error <= largest)) largest = Number.isNaN(error) ? Infinity : error;
  }
  return largest;
}
