// Used by the programs beside it.

/** Sends bytes to the GPU, gets them back, and checks them. @param {GPUDevice} device @param {number} size @param {number} seed */
export async function checkBytes(device, size, seed) {
  const { COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
  const there = device.createBuffer({ size, usage: COPY_DST | COPY_SRC });
  const back = device.createBuffer({ size, usage: COPY_DST | MAP_READ });
  const sent = Uint32Array.from({ length: size / 4 }, (_, i) => Math.imul(i + seed, 0x9e3779b1));
  device.queue.writeBuffer(there, 0, sent);
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(there, 0, back, 0, size);
  device.queue.submit([encoder.finish()]);
  await back.mapAsync(GPUMapMode.READ);
  const received = new Uint32Array(back.getMappedRange());
  if (Buffer.compare(Buffer.from(sent.buffer), Buffer.from(received.slice().buffer)) !== 0)
    throw new Error('the bytes that came back are not those that went');
  there.destroy();
  back.destroy();
}
