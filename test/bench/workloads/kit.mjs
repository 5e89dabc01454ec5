// What the workloads have in common. Nothing in here is called often: what is hot has a copy for each side.
import { globals } from '@vesper-gpu/guest';

/** The flags are the same for every implementation. */
export const { GPUBufferUsage, GPUMapMode, GPUShaderStage, GPUTextureUsage } = /** @type {typeof globalThis} */ (
  globals
);

/** Four floats a vertex. @type {GPUVertexBufferLayout[]} */
export const VERTEX_BUFFERS = [
  { arrayStride: 16, attributes: [{ format: 'float32x4', offset: 0, shaderLocation: 0 }] },
];

/**
 * A side of a comparison, as a workload needs it.
 *
 * @typedef {object} Gpu
 * @property {GPUDevice} device
 * @property {GPUQueue} queue
 * @property {typeof globalThis} classes GPUBuffer and the others, for instanceof
 */

/**
 * Something that programs do, from the first call to the last result.
 *
 * @typedef {object} Workload
 * @property {() => Promise<unknown>} run does it once, until the GPU is done
 * @property {() => Promise<Uint8Array>} result depends on everything that was run
 * @property {readonly { destroy(): void }[]} resources
 */

/** @typedef {'full' | 'small'} Size */

/**
 * Numbers from 0 to 1 that are the same ones in each run.
 *
 * @param {number} seed
 */
export function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * @param {Gpu} gpu
 * @param {Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>} data
 * @param {number} usage COPY_DST is added
 */
export function bufferOf({ device, queue }, data, usage) {
  const buffer = device.createBuffer({ size: data.byteLength, usage: usage | GPUBufferUsage.COPY_DST });
  queue.writeBuffer(buffer, 0, data);
  return buffer;
}

/**
 * What stands in a buffer with COPY_SRC.
 *
 * @param {Gpu} gpu
 * @param {GPUBuffer} source
 */
export async function contents({ device, queue }, source) {
  const staging = device.createBuffer({ size: source.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, 0, staging, 0, source.size);
  queue.submit([encoder.finish()]);
  return taken(staging);
}

/**
 * What is in a texture of 4 bytes a texel, with COPY_SRC, whose rows are a multiple of 256 bytes.
 *
 * @param {Gpu} gpu
 * @param {GPUTexture} texture
 */
export async function pixels({ device, queue }, texture) {
  const { width, height } = texture;
  const size = width * height * 4;
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyTextureToBuffer({ texture }, { buffer: staging, bytesPerRow: width * 4 }, { width, height });
  queue.submit([encoder.finish()]);
  return taken(staging);
}

/** @param {GPUBuffer} staging */
async function taken(staging) {
  await staging.mapAsync(GPUMapMode.READ);
  const bytes = new Uint8Array(staging.getMappedRange()).slice();
  staging.destroy();
  return bytes;
}
