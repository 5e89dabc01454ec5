// Nothing but a pending map keeps this program going.
const adapter = await navigator.gpu.requestAdapter();
adapter.requestDevice().then((device) => {
  const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ });
  buffer.mapAsync(GPUMapMode.READ).then(() => console.log(`mapped ${buffer.getMappedRange().byteLength} bytes`));
});
