// Plain WebGPU, run in the guest: how long a round trip takes, and how many bytes a second go either way. Prints JSON.
const ROUND_TRIPS = 100;
const UP_BYTES = 4 << 20;
const DOWN_BYTES = 4 << 20;
/** Bursts of each kind; the fastest is what the port can do. */
const BURSTS = 4;

const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
const { COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;

/** @param {() => Promise<unknown>} work @returns {Promise<number>} milliseconds */
async function timed(work) {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** A request that has nothing to do on the GPU. */
async function roundTrip() {
  device.pushErrorScope('validation');
  await device.popErrorScope();
}

await roundTrip();
const latencies = [];
for (let i = 0; i < ROUND_TRIPS; i++) latencies.push(await timed(roundTrip));
latencies.sort((a, b) => a - b);

const target = device.createBuffer({ size: UP_BYTES, usage: COPY_DST | COPY_SRC });
const data = new Uint8Array(UP_BYTES).fill(7);
const up = [];
for (let i = 0; i < BURSTS; i++) {
  up.push(
    await timed(async () => {
      device.queue.writeBuffer(target, 0, data);
      await device.queue.onSubmittedWorkDone();
    }),
  );
}

const down = [];
const mappable = device.createBuffer({ size: DOWN_BYTES, usage: COPY_DST | MAP_READ });
for (let i = 0; i < BURSTS; i++) {
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(target, 0, mappable, 0, DOWN_BYTES);
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  down.push(await timed(() => mappable.mapAsync(GPUMapMode.READ)));
  const read = new Uint8Array(mappable.getMappedRange());
  if (read[0] !== 7 || read[DOWN_BYTES - 1] !== 7) throw new Error('the bytes that came back are not those that went');
  mappable.unmap();
}
device.destroy();

console.log(
  JSON.stringify({
    latencyMs: { least: latencies[0], median: latencies[ROUND_TRIPS / 2] },
    upBytesPerSecond: (UP_BYTES / Math.min(...up)) * 1000,
    downBytesPerSecond: (DOWN_BYTES / Math.min(...down)) * 1000,
  }),
);
