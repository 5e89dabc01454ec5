// JSON: commands as arrays without names, which is shorter and quicker than objects; descriptors as they are.
import { objects } from './messages.mjs';

/** @import { Codec, Messages } from './messages.mjs' */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * @template Message, Tuple
 * @param {(message: Message) => Tuple} tupleOf
 * @param {(tuple: Tuple, receiver: import('./messages.mjs').Receiver) => void} receive
 * @returns {Codec<Message>}
 */
function codec(tupleOf, receive) {
  return {
    encode: (messages) => encoder.encode(JSON.stringify(messages.map(tupleOf))),
    decode(bytes, receiver) {
      for (const tuple of JSON.parse(decoder.decode(bytes))) receive(tuple, receiver);
    },
  };
}

/** @type {{ [Kind in keyof Messages]: Codec<Messages[Kind]> }} */
export const json = {
  draw: codec(
    ({ vertexCount, instanceCount, firstVertex, firstInstance }) => [
      'draw',
      vertexCount,
      instanceCount,
      firstVertex,
      firstInstance,
    ],
    ([, ...values], receiver) => receiver.draw(.../** @type {[number, number, number, number]} */ (values)),
  ),
  setBindGroup: codec(
    ({ index, bindGroup }) => /** @type {const} */ (['setBindGroup', index, bindGroup]),
    ([, index, bindGroup], receiver) => receiver.setBindGroup(index, objects[bindGroup]),
  ),
  createRenderPipeline: codec(
    ({ device, newRenderPipeline, descriptor }) =>
      /** @type {const} */ (['createRenderPipeline', device, newRenderPipeline, descriptor]),
    ([, device, , descriptor], receiver) => receiver.createRenderPipeline(objects[device], descriptor),
  ),
};
