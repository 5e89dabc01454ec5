// `node --import ./direct.mjs PROGRAM`: the program runs on Dawn for Node in its own process, with no Vesper between.
// This is the oracle. Where Dawn for Node lacks what Web IDL asks for and a library needs it, it is added here, so that
// the oracle can run that library at all; nothing else is changed.
import { dawnGlobals, openGPU } from '@vesper-gpu/dawn';

Object.assign(globalThis, dawnGlobals);
const gpu = openGPU();
// Node 20 has no navigator; this is what later ones say of themselves.
globalThis.navigator ??= { userAgent: `Node.js/${process.versions.node.split('.')[0]}` };
Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true, enumerable: true });

// GPUSupportedFeatures is a whole setlike; Dawn's has no values, entries and forEach (Babylon.js, PlayCanvas).
const features = dawnGlobals.GPUSupportedFeatures.prototype;
features.values ??= features.keys;
features.entries ??= function* entries() {
  for (const name of this.keys()) yield [name, name];
};
features.forEach ??= function forEach(callback, receiver) {
  for (const name of this.keys()) callback.call(receiver, name, name, this);
};

// writeBuffer takes a view of shared memory; Dawn's refuses it (onnxruntime-web, whose WebAssembly heap is shared).
const { writeBuffer } = dawnGlobals.GPUQueue.prototype;
dawnGlobals.GPUQueue.prototype.writeBuffer = function copied(buffer, offset, data, ...range) {
  const shared = ArrayBuffer.isView(data) && data.buffer instanceof SharedArrayBuffer;
  return writeBuffer.call(this, buffer, offset, shared ? data.slice() : data, ...range);
};
