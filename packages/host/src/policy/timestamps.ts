import type { api } from '@vesper-gpu/protocol/host';
import type { Guard } from './guard.ts';

/** GPUBufferUsage.QUERY_RESOLVE and .STORAGE. https://www.w3.org/TR/webgpu/#typedefdef-gpubufferusageflags */
const QUERY_RESOLVE = 0x200;
const STORAGE = 0x80;
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

/**
 * Rounds what timestamp queries give, right behind the command that writes it to a buffer, before anything can read it.
 * https://www.w3.org/TR/webgpu/#timestamp-query-security
 */
export function quantiseTimestamps(guard: Guard, quantumUs: number): void {
  const quantum = Math.min(MOST_QUANTUM_NS, Math.ceil(quantumUs * 1000));
  const timestampSets = new WeakSet<object>();
  const deviceOf = new WeakMap<object, api.GPUDevice>();
  const pipelines = new WeakMap<object, api.GPUComputePipeline>();

  const pipelineOf = (device: api.GPUDevice): api.GPUComputePipeline => {
    let pipeline = pipelines.get(device);
    if (pipeline === undefined) {
      const module = device.createShaderModule({ code: CODE });
      pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, constants: { quantum } } });
      pipelines.set(device, pipeline);
    }
    return pipeline;
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
  // The shader needs to bind it. The guest's own commands gain a use that they could have asked for.
  guard.around('GPUDevice.createBuffer', (next, args) => {
    const [device, descriptor] = args as [api.GPUDevice, api.GPUBufferDescriptor];
    if ((descriptor.usage & QUERY_RESOLVE) === 0) return next(...args);
    return next(device, { ...descriptor, usage: descriptor.usage | STORAGE });
  });
  guard.around('GPUCommandEncoder.resolveQuerySet', (next, args) => {
    const [encoder, querySet, , count, destination, offset] = args as ResolveArguments;
    next(...args);
    const device = deviceOf.get(encoder);
    if (!timestampSets.has(querySet) || device === undefined || count === 0) return;
    // Where the command above is invalid, so is this, and its encoder was told already.
    device.pushErrorScope('validation');
    try {
      const pipeline = pipelineOf(device);
      const resource = { buffer: destination, offset, size: count * 8 };
      const layout = pipeline.getBindGroupLayout(0);
      const bindGroup = device.createBindGroup({ layout, entries: [{ binding: 0, resource }] });
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(Math.ceil(count / WORKGROUP_SIZE));
      pass.end();
    } finally {
      device.popErrorScope().catch(() => {});
    }
  });
}

/** The arguments of resolveQuerySet, in order. */
type ResolveArguments = [
  encoder: api.GPUCommandEncoder,
  querySet: api.GPUQuerySet,
  firstQuery: number,
  queryCount: number,
  destination: api.GPUBuffer,
  destinationOffset: number,
];
