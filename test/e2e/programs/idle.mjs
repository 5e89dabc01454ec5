// Holds a connection, a device and listeners, and has nothing more to do: it is over.
const device = await (await navigator.gpu.requestAdapter()).requestDevice();
device.onuncapturederror = () => {};
void device.lost.then(() => console.log('lost'));
device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
console.log('idle');
