// What crosses the wire for a call, beside the same call as JSON.
import { turn } from './measure.mjs';
import { row } from './rows.mjs';
import { targets } from './targets.mjs';

/** @import { Sides } from './sides.mjs' */
/** @import { Row, Target } from './rows.mjs' */

const FRAME_HEADER_BYTES = 4;
const CALLS = 64;

/**
 * A call, and the same as JSON: the member's name, then ids in place of objects, and the other arguments.
 *
 * @typedef {{ act: (() => void), json: unknown, target?: Target }} Call
 */

/**
 * @param {Sides} sides
 * @returns {Promise<Row[]>}
 */
export async function measureBytes(sides) {
  const { scene, code } = sides.guest;
  const { groups, buffers, dynamicGroup, pipeline, pipelineDescriptor, device, queue, layout, entries } = scene;
  sides.loopback.mode = 'discard';
  const bundle = code.makeBundle(scene, 1);
  const { pass, finish } = code.beginPass(scene);
  /** @type {Record<string, Call>} */
  const passCalls = {
    draw: { act: () => pass.draw(3), json: ['draw', 3], target: targets.drawBytes },
    'draw, 4 arguments': {
      act: () => pass.draw(3, 1, 0, 7),
      json: ['draw', 3, 1, 0, 7],
      target: targets.drawBytes,
    },
    setBindGroup: {
      act: () => pass.setBindGroup(0, groups[1]),
      json: ['setBindGroup', 0, 12],
      target: targets.bindGroupBytes,
    },
    'setBindGroup + 1 dynamic offset': {
      act: () => pass.setBindGroup(2, dynamicGroup, [256]),
      json: ['setBindGroup', 2, 12, [256]],
    },
    setVertexBuffer: { act: () => pass.setVertexBuffer(0, buffers[1]), json: ['setVertexBuffer', 0, 12] },
    setIndexBuffer: { act: () => pass.setIndexBuffer(buffers[1], 'uint16'), json: ['setIndexBuffer', 12, 'uint16'] },
    setPipeline: { act: () => pass.setPipeline(pipeline), json: ['setPipeline', 12] },
    drawIndexed: { act: () => pass.drawIndexed(3), json: ['drawIndexed', 3] },
    executeBundles: {
      act: () => pass.executeBundles([bundle]),
      json: ['executeBundles', [12]],
      target: targets.replayBytes,
    },
  };
  const rows = await rowsOf(sides, passCalls);
  finish();
  const compute = code.beginComputePass(scene);
  const computeCall = { act: () => compute.pass.dispatchWorkgroups(1), json: ['dispatchWorkgroups', 1] };
  rows.push(...(await rowsOf(sides, { dispatchWorkgroups: computeCall })));
  compute.finish();
  /** @type {Record<string, Call>} */
  const deviceCalls = {
    createBuffer: {
      act: () => device.createBuffer({ size: 256, usage: 72 }),
      json: ['createBuffer', 1, 13, { size: 256, usage: 72 }],
    },
    createBindGroup: {
      act: () => device.createBindGroup({ layout, entries: entries[0] }),
      json: ['createBindGroup', 1, 13, { layout: 5, entries: [{ binding: 0, resource: { buffer: 6, size: 16 } }] }],
    },
    'render pipeline, typical descriptor': {
      act: () => device.createRenderPipeline(pipelineDescriptor),
      json: ['createRenderPipeline', 1, 13, { ...pipelineDescriptor, layout: 5, ...stagesWithIds(pipelineDescriptor) }],
      target: targets.pipelineBytes,
    },
    'empty encoder + finish + submit': {
      act: () => queue.submit([device.createCommandEncoder().finish()]),
      json: [
        ['createCommandEncoder', 1, 13],
        ['finish', 13, 14],
        ['submit', 2, [14]],
      ],
    },
  };
  for (const size of [16, 256, 4096]) {
    const data = new Uint8Array(size).fill(200);
    deviceCalls[`writeBuffer ${size} B`] = {
      act: () => queue.writeBuffer(buffers[0], 0, data),
      json: ['writeBuffer', 2, 6, 0, Buffer.from(data).toString('base64')],
    };
  }
  return [...rows, ...(await rowsOf(sides, deviceCalls))];
}

/** @param {GPURenderPipelineDescriptor} descriptor */
function stagesWithIds({ vertex, fragment }) {
  return { vertex: { ...vertex, module: 7 }, fragment: { ...fragment, module: 7 } };
}

/**
 * @param {Sides} sides
 * @param {Record<string, Call>} calls
 * @returns {Promise<Row[]>}
 */
async function rowsOf({ loopback }, calls) {
  /** @type {Row[]} */
  const rows = [];
  for (const [name, { act, json, target }] of Object.entries(calls)) {
    // The first one may select an encoder.
    act();
    await turn();
    loopback.recorded = [];
    loopback.mode = 'record';
    for (let i = 0; i < CALLS; i++) act();
    await turn();
    loopback.mode = 'discard';
    const total = loopback.recorded.reduce((sum, frame) => sum + frame.byteLength - FRAME_HEADER_BYTES, 0);
    rows.push(row(`bytes: ${name}`, total / CALLS, 'B', 'JSON', JSON.stringify(json).length, target));
  }
  return rows;
}
