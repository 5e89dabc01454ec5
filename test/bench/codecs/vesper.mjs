// The generated encoders and decoders, with a frame around each batch.
import {
  encodeBindingCommandsSetBindGroup,
  encodeDeviceCreateRenderPipeline,
  encodeRenderCommandsDraw,
} from '@vesper-gpu/protocol/guest';
import { decoders } from '@vesper-gpu/protocol/host';
import { WireReader, WireWriter } from '@vesper-gpu/wire';
import { objects } from './messages.mjs';

/** @import { Codec, Messages, Receiver } from './messages.mjs' */

const FRAME_HEADER_BYTES = 4;
/** @type {readonly number[]} */
const NO_OFFSETS = [];

/** What the decoders need of a session. */
const session = {
  /** @param {WireReader} reader */
  object: (reader) => objects[reader.u32()],
  /** @param {WireReader} reader */
  nullableObject: (reader) => objects[reader.u32()],
  currentEncoder: () => objects[1],
  reserve() {},
  /** @param {number} _id @param {number} _type @param {object} _parent @param {() => void} make */
  create: (_id, _type, _parent, make) => make(),
  request() {},
};

/**
 * @template Message
 * @param {(writer: WireWriter, message: Message) => void} encodeOne
 * @returns {Codec<Message>}
 */
function codec(encodeOne) {
  const writer = new WireWriter();
  const reader = new WireReader(1 << 20);
  return {
    encode(messages) {
      for (const message of messages) encodeOne(writer, message);
      return writer.takeFrame();
    },
    decode(bytes, receiver) {
      const handlers = handlersOf(receiver);
      reader.open(/** @type {Uint8Array<ArrayBuffer>} */ (bytes.subarray(FRAME_HEADER_BYTES)));
      while (reader.nextRecord()) {
        decoders[reader.opcode]?.(reader, session, handlers);
        reader.finish();
      }
    },
  };
}

/** @type {WeakMap<Receiver, import('@vesper-gpu/protocol/host').Handlers>} */
const known = new WeakMap();

/** @param {Receiver} receiver */
function handlersOf(receiver) {
  let handlers = known.get(receiver);
  if (handlers === undefined) {
    const some = {
      renderCommands: {
        /** @type {(target: object, ...values: [number, number, number, number]) => void} */
        draw: (_, vertexCount, instanceCount, firstVertex, firstInstance) =>
          receiver.draw(vertexCount, instanceCount, firstVertex, firstInstance),
      },
      bindingCommands: {
        /** @type {(target: object, index: number, bindGroup: object) => void} */
        setBindGroup: (_, index, bindGroup) => receiver.setBindGroup(index, bindGroup),
      },
      device: {
        /** @type {(target: object, descriptor: object) => void} */
        createRenderPipeline: (device, descriptor) => receiver.createRenderPipeline(device, descriptor),
      },
    };
    handlers = /** @type {import('@vesper-gpu/protocol/host').Handlers} */ (/** @type {unknown} */ (some));
    known.set(receiver, handlers);
  }
  return handlers;
}

/** @type {{ [Kind in keyof Messages]: Codec<Messages[Kind]> }} */
export const vesper = {
  draw: codec((writer, { vertexCount, instanceCount, firstVertex, firstInstance }) =>
    encodeRenderCommandsDraw(writer, vertexCount, instanceCount, firstVertex, firstInstance),
  ),
  setBindGroup: codec((writer, { index, bindGroup }) =>
    encodeBindingCommandsSetBindGroup(writer, index, bindGroup, NO_OFFSETS),
  ),
  createRenderPipeline: codec((writer, { device, newRenderPipeline, descriptor }) =>
    encodeDeviceCreateRenderPipeline(writer, device, newRenderPipeline, descriptor),
  ),
};
