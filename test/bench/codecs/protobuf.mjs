// protobufjs, which compiles an encoder and a decoder for each type from its definition.
import protobuf from 'protobufjs';
import { objects } from './messages.mjs';

/** @import { Codec, Messages, Receiver } from './messages.mjs' */

const definition = `
syntax = "proto3";
message Command {
  oneof command {
    Draw draw = 1;
    SetBindGroup setBindGroup = 2;
    CreateRenderPipeline createRenderPipeline = 3;
  }
}
message Batch { repeated Command commands = 1; }
message Draw { uint32 vertexCount = 1; uint32 instanceCount = 2; uint32 firstVertex = 3; uint32 firstInstance = 4; }
message SetBindGroup { uint32 index = 1; uint32 bindGroup = 2; }
message CreateRenderPipeline { uint32 device = 1; uint32 newRenderPipeline = 2; RenderPipelineDescriptor descriptor = 3; }
message RenderPipelineDescriptor {
  string label = 1;
  uint32 layout = 2;
  VertexState vertex = 3;
  PrimitiveState primitive = 4;
  MultisampleState multisample = 5;
  FragmentState fragment = 6;
}
message VertexState { uint32 module = 1; string entryPoint = 2; repeated VertexBufferLayout buffers = 3; }
message VertexBufferLayout { uint32 arrayStride = 1; string stepMode = 2; repeated VertexAttribute attributes = 3; }
message VertexAttribute { string format = 1; uint32 offset = 2; uint32 shaderLocation = 3; }
message PrimitiveState { string topology = 1; string frontFace = 2; string cullMode = 3; bool unclippedDepth = 4; }
message MultisampleState { uint32 count = 1; uint32 mask = 2; bool alphaToCoverageEnabled = 3; }
message FragmentState { uint32 module = 1; string entryPoint = 2; repeated ColorTargetState targets = 3; }
message ColorTargetState { string format = 1; BlendState blend = 2; uint32 writeMask = 3; }
message BlendState { BlendComponent color = 1; BlendComponent alpha = 2; }
message BlendComponent { string srcFactor = 1; string dstFactor = 2; string operation = 3; }
`;

const Batch = protobuf.parse(definition, { keepCase: true }).root.lookupType('Batch');

/**
 * @template {keyof Messages} Kind
 * @param {Kind} kind
 * @param {(message: Messages[Kind], receiver: Receiver) => void} receive
 * @returns {Codec<Messages[Kind]>}
 */
function codec(kind, receive) {
  return {
    encode: (messages) => Batch.encode({ commands: messages.map((message) => ({ [kind]: message })) }).finish(),
    decode(bytes, receiver) {
      const { commands } = /** @type {{ commands: Record<Kind, Messages[Kind]>[] }} */ (
        /** @type {unknown} */ (Batch.decode(bytes))
      );
      for (const command of commands) receive(command[kind], receiver);
    },
  };
}

/** @type {{ [Kind in keyof Messages]: Codec<Messages[Kind]> }} */
export const protobufjs = {
  draw: codec('draw', ({ vertexCount, instanceCount, firstVertex, firstInstance }, receiver) =>
    receiver.draw(vertexCount, instanceCount, firstVertex, firstInstance),
  ),
  setBindGroup: codec('setBindGroup', ({ index, bindGroup }, receiver) =>
    receiver.setBindGroup(index, objects[bindGroup]),
  ),
  createRenderPipeline: codec('createRenderPipeline', ({ device, descriptor }, receiver) =>
    receiver.createRenderPipeline(objects[device], descriptor),
  ),
};
