// msgpackr with shared record structures, its most compact form: the names of members are sent once for all.
import { Packr } from 'msgpackr';
import { objects } from './messages.mjs';

/** @import { Codec, Messages, Receiver } from './messages.mjs' */

/**
 * @template Message
 * @param {(message: Message, receiver: Receiver) => void} receive
 * @returns {Codec<Message>}
 */
function codec(receive) {
  /** @type {object[]} */
  const structures = [];
  const packr = new Packr({ structures });
  return {
    encode: (messages) => packr.pack(messages),
    decode(bytes, receiver) {
      for (const message of packr.unpack(bytes)) receive(message, receiver);
    },
  };
}

/** @type {{ [Kind in keyof Messages]: Codec<Messages[Kind]> }} */
export const msgpack = {
  draw: codec(({ vertexCount, instanceCount, firstVertex, firstInstance }, receiver) =>
    receiver.draw(vertexCount, instanceCount, firstVertex, firstInstance),
  ),
  setBindGroup: codec(({ index, bindGroup }, receiver) => receiver.setBindGroup(index, objects[bindGroup])),
  createRenderPipeline: codec(({ device, descriptor }, receiver) =>
    receiver.createRenderPipeline(objects[device], descriptor),
  ),
};
