// An ordinary WebGPU program: it knows nothing of Vesper. Prints what it computed and drew, as JSON.
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
device.addEventListener('uncapturederror', ({ error }) => console.error(error.message));

async function read(source, size) {
  const buffer = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  if (source instanceof GPUTexture)
    encoder.copyTextureToBuffer({ texture: source }, { buffer, bytesPerRow: 256 }, [64, 64]);
  else encoder.copyBufferToBuffer(source, buffer);
  device.queue.submit([encoder.finish()]);
  await buffer.mapAsync(GPUMapMode.READ);
  return buffer.getMappedRange();
}

const module = device.createShaderModule({
  code: `
    @group(0) @binding(0) var<storage, read_write> data: array<u32>;
    @compute @workgroup_size(64) fn square(@builtin(global_invocation_id) id: vec3u) { data[id.x] = id.x * id.x; }
    @vertex fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f { return vec4f(f32(i & 1u) - 1.0, f32(i >> 1u) * 2.0 - 1.0, 0.0, 1.0); }
    @fragment fn paint() -> @location(0) vec4f { return vec4f(1.0, 0.5, 0.0, 1.0); }`,
});
const storage = device.createBuffer({ size: 1024, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
const compute = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'square' } });
const texture = device.createTexture({
  size: [64, 64],
  format: 'rgba8unorm',
  usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
});
const render = device.createRenderPipeline({
  layout: 'auto',
  vertex: { module, entryPoint: 'corner' },
  fragment: { module, entryPoint: 'paint', targets: [{ format: 'rgba8unorm' }] },
  primitive: { topology: 'triangle-strip' },
});

const encoder = device.createCommandEncoder();
const computePass = encoder.beginComputePass();
computePass.setPipeline(compute);
computePass.setBindGroup(
  0,
  device.createBindGroup({
    layout: compute.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: storage } }],
  }),
);
computePass.dispatchWorkgroups(4);
computePass.end();
const renderPass = encoder.beginRenderPass({
  colorAttachments: [{ view: texture.createView(), loadOp: 'clear', storeOp: 'store', clearValue: [0, 0, 1, 1] }],
});
renderPass.setPipeline(render);
renderPass.draw(4);
renderPass.end();
device.queue.submit([encoder.finish()]);

const squares = new Uint32Array(await read(storage, 1024));
const pixels = new Uint8Array(await read(texture, 64 * 256));
console.log(
  JSON.stringify({
    squares: [...squares.slice(0, 4), squares[255]],
    left: [...pixels.subarray(0, 4)],
    right: [...pixels.subarray(63 * 4, 64 * 4)],
  }),
);
