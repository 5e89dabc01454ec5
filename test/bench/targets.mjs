// What the figures should reach.

/** @import { Target } from './rows.mjs' */

/**
 * The targets, in the order of the page of results. Ratios are to the anchor of the same run; "direct" is Dawn for Node
 * in this process, on the same driver.
 *
 * @satisfies {Record<string, Target>}
 */
export const targets = {
  encode: {
    name: 'guest encode / direct, bind group + vertex buffer + draw',
    of: 'ratio',
    atMost: 0.02,
    stretch: 0.01,
  },
  bareStores: {
    name: 'guest draw, setBindGroup / a bare Uint32Array store loop',
    of: 'ratio',
    atMost: 3,
    stretch: 1.5,
  },
  create: { name: 'create* on the guest / direct', of: 'ratio', atMost: 0.25, stretch: 0.12 },
  writeBuffer: { name: 'guest writeBuffer of 16–256 B / direct', of: 'ratio', atMost: 0.08, stretch: 0.04 },
  hostDistinct: { name: 'host decode + execute / direct, no redundancy', of: 'ratio', atMost: 1.05, stretch: 1.02 },
  hostRedundant: {
    name: 'host decode + execute / direct, typical redundant stream',
    of: 'ratio',
    atMost: 0.4,
    stretch: 0.3,
  },
  endToEndDistinct: {
    name: 'end-to-end commands per second / direct, 10k draws, no redundancy',
    of: 'ratio',
    atLeast: 0.9,
    stretch: 0.97,
  },
  endToEndRedundant: {
    name: 'end-to-end commands per second / direct, typical stream',
    of: 'ratio',
    atLeast: 2,
    stretch: 3,
  },
  drawBytes: { name: 'bytes of a draw', of: 'value', atMost: 20, stretch: 8 },
  bindGroupBytes: { name: 'bytes of a setBindGroup', of: 'value', atMost: 12, stretch: 8 },
  pipelineBytes: { name: 'bytes of a render pipeline', of: 'value', atMost: 200, stretch: 120 },
  latency: { name: '(remote − direct) / raw transport round trip, p50', of: 'ratio', atMost: 1.5, stretch: 1.2 },
  ringReadback: { name: 'readback 1–64 MiB over a ring / direct', of: 'ratio', atLeast: 0.35, stretch: 0.5 },
  socketBulk: {
    name: 'readback or upload over a socket / raw socket bandwidth',
    of: 'ratio',
    atLeast: 0.7,
    stretch: 0.9,
  },
  compute: { name: 'compute of 100 ms or more / direct', of: 'ratio', atLeast: 0.95, stretch: 0.99 },
  replayBytes: { name: 'bytes of a render bundle replay', of: 'value', atMost: 64 },
  replay: { name: 'render bundle replay / direct, 100k draws', of: 'ratio', atLeast: 0.9 },
  chromium: { name: 'calls of a guest in a page / Chromium’s own', of: 'ratio', atMost: 1 },
  steadyMemory: { name: 'MiB of memory that 10⁶ commands leave behind', of: 'value', atMost: 1, gates: true },
  linear: { name: 'time and memory of one more: among the most / among fewer', of: 'ratio', atMost: 1.5 },
};
