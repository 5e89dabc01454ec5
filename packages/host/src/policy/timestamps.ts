import { GPUBufferUsage, type api } from '@vesper-gpu/protocol/host';
import type { Guard } from './guard.ts';

const { COPY_DST, COPY_SRC, QUERY_RESOLVE, STORAGE } = GPUBufferUsage;
/** The largest query set there is. https://www.w3.org/TR/webgpu/#dom-gpudevice-createqueryset */
const MAX_QUERIES = 4096;
/** The shader divides bit by bit, with one bit to spare. In nanoseconds: 2.1 s. */
const MOST_QUANTUM_NS = 2 ** 31 - 1;
const WORKGROUP_SIZE = 64;

/** Rounds 64-bit numbers, low word first, down to multiples of a quantum. */
const CODE = `
override quantum: u32;
@group(0) @binding(0) var<storage, read_write> times: array<vec2u>;

@compute @workgroup_size(${WORKGROUP_SIZE}) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&times)) { return; }
  let time = times[id.x];
  var rest = time.y % quantum;
  for (var bit = 31; bit >= 0; bit--) {
    rest = (rest << 1u) | ((time.x >> u32(bit)) & 1u);
    if (rest >= quantum) { rest -= quantum; }
  }
  times[id.x] = vec2u(time.x - rest, time.y - select(0u, 1u, rest > time.x));
}`;

/** What the rounding needs of a device; the guest has no id of any of it. */
interface Rounding {
  /** Holds the times of one command, from its begin to its end. It lacks COPY_DST. */
  readonly times: api.GPUBuffer;
  readonly pipeline: api.GPUComputePipeline;
  readonly bindGroup: api.GPUBindGroup;
}

function makeRounding(device: api.GPUDevice, quantum: number): Rounding {
  const usage = QUERY_RESOLVE | STORAGE | COPY_SRC;
  const times = device.createBuffer({ label: 'without COPY_DST', size: MAX_QUERIES * 8, usage });
  const module = device.createShaderModule({ code: CODE });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, constants: { quantum } } });
  const layout = pipeline.getBindGroupLayout(0);
  const bindGroup = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: times } }] });
  return { times, pipeline, bindGroup };
}

/**
 * Rounds what timestamp queries give, right behind the command that writes it to a buffer, before anything can read it.
 * https://www.w3.org/TR/webgpu/#timestamp-query-security
 */
export function quantiseTimestamps(guard: Guard, quantumUs: number): void {
  const quantum = Math.min(MOST_QUANTUM_NS, Math.ceil(quantumUs * 1000));
  const timestampSets = new WeakSet<object>();
  const deviceOf = new WeakMap<object, api.GPUDevice>();
  const roundings = new WeakMap<object, Rounding>();
  /** Buffers that can be copied to, and must not be by the guest: with their devices. */
  const resolveOnly = new WeakMap<object, api.GPUDevice>();

  const roundingOf = (device: api.GPUDevice): Rounding => {
    let rounding = roundings.get(device);
    if (rounding === undefined)
      roundings.set(device, (rounding = quietly(device, () => makeRounding(device, quantum))));
    return rounding;
  };

  guard.around('GPUDevice.createQuerySet', (next, args) => {
    const made = next(...args) as object;
    if ((args[1] as api.GPUQuerySetDescriptor).type === 'timestamp') timestampSets.add(made);
    return made;
  });
  guard.around('GPUDevice.createCommandEncoder', (next, args) => {
    const made = next(...args) as object;
    deviceOf.set(made, args[0] as api.GPUDevice);
    return made;
  });
  // What was rounded is copied back, which needs a usage that the guest may not have asked for.
  guard.around('GPUDevice.createBuffer', (next, args) => {
    const [device, descriptor] = args as [api.GPUDevice, api.GPUBufferDescriptor];
    const { usage } = descriptor;
    if ((usage & QUERY_RESOLVE) === 0 || (usage & COPY_DST) !== 0) return next(...args);
    if (!device.features.has('timestamp-query')) return next(...args);
    const made = next(device, { ...descriptor, usage: usage | COPY_DST }) as object;
    resolveOnly.set(made, device);
    return made;
  });
  // The guest's own commands gain nothing by it: they get a buffer that lacks the usage, and so WebGPU's own error.
  for (const [name, index] of Object.entries(COPIES)) {
    guard.around(name, (next, args) => {
      const device = resolveOnly.get(args[index] as object);
      return device === undefined ? next(...args) : next(...args.with(index, roundingOf(device).times));
    });
  }
  guard.around('GPUCommandEncoder.copyTextureToBuffer', (next, args) => {
    const destination = args[2] as api.GPUTexelCopyBufferInfo;
    const device = resolveOnly.get(destination.buffer);
    if (device === undefined) return next(...args);
    return next(...args.with(2, { ...destination, buffer: roundingOf(device).times }));
  });
  guard.around('GPUCommandEncoder.resolveQuerySet', (next, args) => {
    const [encoder, querySet, firstQuery, count, destination, offset] = args as ResolveArguments;
    // Where this is invalid, so is its encoder, whatever follows.
    next(...args);
    const device = deviceOf.get(encoder);
    if (!timestampSets.has(querySet) || device === undefined || count === 0) return;
    const { times, pipeline, bindGroup } = roundingOf(device);
    // An encoder that takes no commands any more was told so already.
    quietly(device, () => {
      // One buffer is enough for all encoders: a queue does one command after the other.
      encoder.resolveQuerySet(querySet, firstQuery, count, times, 0);
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(Math.ceil(count / WORKGROUP_SIZE));
      pass.end();
      encoder.copyBufferToBuffer(times, 0, destination, offset, count * 8);
    });
  });
}

/** The errors of what the host does for itself are nobody's: they end in a scope of their own. */
function quietly<T>(device: api.GPUDevice, act: () => T): T {
  device.pushErrorScope('validation');
  try {
    return act();
  } finally {
    device.popErrorScope().catch(() => {});
  }
}

/** Commands that write to a buffer of usage COPY_DST, and which argument that is, behind the target. */
const COPIES = {
  'GPUCommandEncoder.copyBufferToBuffer': 3,
  'GPUCommandEncoder.clearBuffer': 1,
  'GPUQueue.writeBuffer': 1,
};

/** The arguments of resolveQuerySet, in order. */
type ResolveArguments = [
  encoder: api.GPUCommandEncoder,
  querySet: api.GPUQuerySet,
  firstQuery: number,
  queryCount: number,
  destination: api.GPUBuffer,
  destinationOffset: number,
];
