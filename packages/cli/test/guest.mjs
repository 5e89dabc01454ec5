// A guest program: plain WebGPU that writes a buffer and reads it back, then waits if it is asked to.
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });

async function roundTrip(value) {
  device.queue.writeBuffer(buffer, 0, new Uint32Array([value]));
  await buffer.mapAsync(GPUMapMode.READ);
  const [read] = new Uint32Array(buffer.getMappedRange());
  buffer.unmap();
  return read;
}

console.log(await roundTrip(42));
if (process.argv[2] === 'stay') {
  void device.lost.then(({ reason }) => {
    console.log(`lost: ${reason}`);
    process.exit(3);
  });
  // Each line of stdin is a value to send through the GPU.
  for await (const chunk of process.stdin.setEncoding('utf8')) console.log(await roundTrip(Number(chunk)));
}
process.exit(0);
