/**
 * The least that encoding can cost in JavaScript: words stored one after another, without conversion, check or default.
 * Records are those of the wire with no field left out: draw 20 bytes, setBindGroup 12, setVertexBuffer 28.
 */
export class BareEncoder {
  #words = new Uint32Array(16 << 10);
  #position = 0;

  /** @param {number} count */
  #record(count) {
    if (this.#position + count > this.#words.length) this.#position = 0;
    const start = this.#position;
    this.#position += count;
    return start;
  }

  /**
   * @param {number} vertexCount
   * @param {number} instanceCount
   * @param {number} firstVertex
   * @param {number} firstInstance
   */
  draw(vertexCount, instanceCount, firstVertex, firstInstance) {
    const at = this.#record(5);
    const words = this.#words;
    words[at] = 65 | (5 << 16);
    words[at + 1] = vertexCount;
    words[at + 2] = instanceCount;
    words[at + 3] = firstVertex;
    words[at + 4] = firstInstance;
  }

  /**
   * @param {number} index
   * @param {number} bindGroup
   */
  setBindGroup(index, bindGroup) {
    const at = this.#record(3);
    const words = this.#words;
    words[at] = 45 | (3 << 16);
    words[at + 1] = index;
    words[at + 2] = bindGroup;
  }

  /**
   * @param {number} slot
   * @param {number} buffer
   */
  setVertexBuffer(slot, buffer) {
    const at = this.#record(7);
    const words = this.#words;
    words[at] = 64 | (7 << 16);
    words[at + 1] = slot;
    words[at + 2] = buffer;
    words[at + 3] = 0;
    words[at + 4] = 0;
    words[at + 5] = 4096;
    words[at + 6] = 0;
  }
}

/**
 * The loops of `renderLoops` that have a target beside this.
 *
 * @type {Record<string, (encoder: BareEncoder, count: number) => void>}
 */
export const bareLoops = {
  draw(encoder, count) {
    for (let i = 0; i < count; i++) encoder.draw(3, 1, 0, 0);
  },
  'draw, 4 arguments'(encoder, count) {
    for (let i = 0; i < count; i++) encoder.draw(3, 1, 0, i);
  },
  setBindGroup(encoder, count) {
    for (let i = 0; i < count; i++) encoder.setBindGroup(0, i % 8);
  },
  'bind group + vertex buffer + draw'(encoder, count) {
    for (let i = 0; i < count; i++) {
      encoder.setBindGroup(0, i % 8);
      encoder.setVertexBuffer(0, i % 8);
      encoder.draw(3, 1, 0, 0);
    }
  },
};
