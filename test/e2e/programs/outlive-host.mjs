// Has a promise of every kind pending when its host is killed, and tells what became of each.
const adapter = await navigator.gpu.requestAdapter();
const spare = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
device.onuncapturederror = ({ error }) => console.error(error.message);

// Work that takes the GPU longer than the test: the host is killed within it.
const module = device.createShaderModule({
  code: `@group(0) @binding(0) var<storage, read_write> data: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      var x = id.x; for (var i = 0u; i < 4000000u; i++) { x = x * 1664525u + 1013904223u; } data[id.x % 64u] = x;
    }`,
});
const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
const storage = device.createBuffer({ size: 256, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
const encoder = device.createCommandEncoder();
const pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
pass.setBindGroup(
  0,
  device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: storage }] }),
);
pass.dispatchWorkgroups(1024);
pass.end();
const mapped = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
encoder.copyBufferToBuffer(storage, 0, mapped, 0, 16);
device.queue.submit([encoder.finish()]);

const outcomes = {};
const settled = [];
function follow(name, promise) {
  settled.push(
    promise.then(
      (value) => (outcomes[name] = value === null ? 'null' : 'resolved'),
      (error) => (outcomes[name] = error.name),
    ),
  );
}
follow('map', mapped.mapAsync(GPUMapMode.READ));
follow('work', device.queue.onSubmittedWorkDone());
console.log('ready');

device.lost.then(async ({ reason, message }) => {
  // What is asked of a host that is gone.
  device.pushErrorScope('validation');
  device.createBuffer({ size: 4, usage: 0 });
  follow('scope', device.popErrorScope());
  follow('pipeline', device.createComputePipelineAsync({ layout: 'auto', compute: { module } }));
  follow('info', module.getCompilationInfo());
  follow('lateMap', device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ }).mapAsync(GPUMapMode.READ));
  follow('lateWork', device.queue.onSubmittedWorkDone());
  follow('adapter', navigator.gpu.requestAdapter());
  follow(
    'device',
    spare.requestDevice().then((late) => late.lost),
  );
  await Promise.all(settled);
  console.log(JSON.stringify({ reason, hasMessage: message !== '', mapState: mapped.mapState, outcomes }));
});
