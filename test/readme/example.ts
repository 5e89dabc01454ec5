import { connect } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';

const { gpu, globals, close } = await connect(await openTransport('unix:/tmp/gpu.sock'));
Object.assign(globalThis, globals);

const adapter = await gpu.requestAdapter();
const device = await adapter!.requestDevice();
const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
device.queue.writeBuffer(buffer, 0, new Uint32Array([1, 2, 3, 4]));
await buffer.mapAsync(GPUMapMode.READ);
console.log(new Uint32Array(buffer.getMappedRange()));
await close();
