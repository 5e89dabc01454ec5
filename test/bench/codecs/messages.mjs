// The messages of the comparison of codecs: plain data with ids in place of objects, as an application would define them.

/**
 * @typedef {object} Draw
 * @property {number} vertexCount
 * @property {number} instanceCount
 * @property {number} firstVertex
 * @property {number} firstInstance
 *
 * @typedef {object} SetBindGroup
 * @property {number} index
 * @property {number} bindGroup an id
 *
 * @typedef {object} CreateRenderPipeline
 * @property {number} device an id
 * @property {number} newRenderPipeline an id
 * @property {Parameters<typeof import('@vesper-gpu/protocol/guest').encodeDeviceCreateRenderPipeline>[3]} descriptor
 *
 * @typedef {{ draw: Draw, setBindGroup: SetBindGroup, createRenderPipeline: CreateRenderPipeline }} Messages
 */

/**
 * What receives decoded messages, whichever codec they came through.
 *
 * @typedef {object} Receiver
 * @property {(vertexCount: number, instanceCount: number, firstVertex: number, firstInstance: number) => void} draw
 * @property {(index: number, bindGroup: object) => void} setBindGroup
 * @property {(device: object, descriptor: object) => void} createRenderPipeline
 */

/**
 * A way to put messages of one kind into bytes, and to hand them to a receiver again.
 *
 * @template Message
 * @typedef {object} Codec
 * @property {(messages: readonly Message[]) => Uint8Array} encode
 * @property {(bytes: Uint8Array, receiver: Receiver) => void} decode
 */

/**
 * @template Message
 * @typedef {Codec<Message> & { name: string }} NamedCodec
 */

/** Objects by their ids, as a host has them. */
export const objects = Array.from({ length: 64 }, (_, id) => ({ id }));

/** How many messages there are in a batch: a frame's worth of commands, or of pipelines at start-up. */
const COUNTS = { draw: 256, setBindGroup: 256, createRenderPipeline: 16 };

/** @type {{ [Kind in keyof Messages]: Messages[Kind][] }} */
export const batches = {
  draw: Array.from({ length: COUNTS.draw }, (_, i) => ({
    vertexCount: 3 + (i % 300),
    instanceCount: 1 + (i % 3),
    firstVertex: i,
    firstInstance: 1 + i,
  })),
  setBindGroup: Array.from({ length: COUNTS.setBindGroup }, (_, i) => ({ index: i % 4, bindGroup: 1 + (i % 50) })),
  createRenderPipeline: Array.from({ length: COUNTS.createRenderPipeline }, (_, i) => ({
    device: 2,
    newRenderPipeline: 20 + i,
    descriptor: {
      label: 'opaque',
      layout: 3,
      vertex: {
        module: 4,
        entryPoint: 'vertex',
        buffers: [
          {
            arrayStride: 32,
            stepMode: 'vertex',
            attributes: [
              { format: 'float32x3', offset: 0, shaderLocation: 0 },
              { format: 'float32x3', offset: 12, shaderLocation: 1 },
              { format: 'float32x2', offset: 24, shaderLocation: 2 },
            ],
          },
        ],
      },
      primitive: { topology: 'triangle-list', frontFace: 'ccw', cullMode: 'back', unclippedDepth: false },
      multisample: { count: 4, mask: 0xffff_ffff, alphaToCoverageEnabled: false },
      fragment: {
        module: 5,
        entryPoint: 'fragment',
        targets: [
          {
            format: 'rgba8unorm',
            blend: {
              color: { srcFactor: 'src-alpha', dstFactor: 'one-minus-src-alpha', operation: 'add' },
              alpha: { srcFactor: 'one', dstFactor: 'one-minus-src-alpha', operation: 'add' },
            },
            writeMask: 15,
          },
        ],
      },
    },
  })),
};
