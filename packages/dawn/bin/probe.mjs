// Opens an adapter and a device in the environment that this process was started with, writes what it found to file
// descriptor 3 as one JSON object, and ends. It is a process of its own because a library path counts only when it is
// there from the start, and because a broken driver may crash or hang. Plain JavaScript: it runs from src and from dist.
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Attributes of GPUAdapterInfo and GPUSupportedLimits are accessors of the prototype: `for in` finds them. */
function attributes(object, types) {
  const found = {};
  for (const key in object) if (types.includes(typeof object[key])) found[key] = object[key];
  return found;
}

async function probe() {
  const { create } = await import('webgpu');
  const gpu = create([]);
  globalThis.vesperProbe = gpu; // the process crashes when it is collected
  const adapter = await gpu.requestAdapter();
  if (adapter === null) return { error: 'requestAdapter() found no adapter' };
  globalThis.vesperProbeAdapter = adapter;
  const report = {
    adapter: attributes(adapter.info, ['string', 'number', 'boolean']),
    features: [...adapter.features].toSorted(),
    limits: attributes(adapter.limits, ['number']),
    wgslLanguageFeatures: [...gpu.wgslLanguageFeatures].toSorted(),
    preferredCanvasFormat: gpu.getPreferredCanvasFormat(),
    webgpuVersion: createRequire(import.meta.url)('webgpu/package.json').version,
  };
  // An adapter that cannot make a device is of no use, and some old drivers are found out only here.
  globalThis.vesperProbeDevice = await adapter.requestDevice();
  return { report };
}

let result;
try {
  result = await probe();
} catch (error) {
  result = { error: error instanceof Error ? error.message : String(error) };
}
writeSync(3, JSON.stringify(result));
process.exit(0);
