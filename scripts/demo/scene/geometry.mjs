// The stage's meshes and instances in GPU buffers, and how to draw them.
import { encodeInstances } from './instances.mjs';
import { pack } from './mesh.mjs';
import { stageObjects } from './stage.mjs';

export class Geometry {
  #objects = stageObjects();
  #device;
  #vertices;
  #indices;
  #instances;
  #draws;

  /** @param {GPUDevice} device */
  constructor(device) {
    const packed = pack(this.#objects.map(({ mesh }) => mesh));
    this.#device = device;
    this.#vertices = bufferOf(device, 'vertices', GPUBufferUsage.VERTEX, packed.vertices);
    this.#indices = bufferOf(device, 'indices', GPUBufferUsage.INDEX, packed.indices);
    this.#instances = bufferOf(device, 'instances', GPUBufferUsage.VERTEX, this.#encode(0));
    let firstInstance = 0;
    this.#draws = this.#objects.map(({ instances }, i) => {
      const draw = { ...packed.ranges[i], firstInstance, instanceCount: instances(0).length };
      firstInstance += draw.instanceCount;
      return draw;
    });
  }

  /**
   * Moves what moves.
   * @param {number} time seconds
   */
  update(time) {
    this.#device.queue.writeBuffer(this.#instances, 0, this.#encode(time));
  }

  /**
   * Draws every object with the pipeline and bind groups that are set.
   * @param {GPURenderPassEncoder | GPURenderBundleEncoder} encoder
   */
  draw(encoder) {
    encoder.setVertexBuffer(0, this.#vertices);
    encoder.setVertexBuffer(1, this.#instances);
    encoder.setIndexBuffer(this.#indices, 'uint32');
    for (const { indexCount, instanceCount, firstIndex, baseVertex, firstInstance } of this.#draws) {
      encoder.drawIndexed(indexCount, instanceCount, firstIndex, baseVertex, firstInstance);
    }
  }

  destroy() {
    for (const buffer of [this.#vertices, this.#indices, this.#instances]) buffer.destroy();
  }

  /** @param {number} time seconds */
  #encode(time) {
    return encodeInstances(this.#objects.flatMap(({ instances }) => instances(time)));
  }
}

/**
 * @param {GPUDevice} device
 * @param {string} label
 * @param {GPUBufferUsageFlags} usage
 * @param {Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>} data
 */
export function bufferOf(device, label, usage, data) {
  const buffer = device.createBuffer({ label, size: data.byteLength, usage: usage | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(buffer, 0, data);
  return buffer;
}
