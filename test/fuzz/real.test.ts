import { createLogger, encodeReproducer, replayGuest } from '@vesper-gpu/cli';
import { chooseDriver } from '@vesper-gpu/dawn/driver';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { requireBuilt, VesperProcess } from '../../packages/cli/test/command.ts';
import { GuestModel, type GuestObject } from './guest-model.ts';
import { HELLO } from './hello.ts';
import type { Stream } from './mode.ts';
import { Random } from './random.ts';
import { RealMode } from './real-mode.ts';

const SEED = 1;
const SEQUENCES = 40;

let mode: RealMode | undefined;

beforeAll(() => requireBuilt());
afterEach(async () => {
  await mode?.close();
  mode = undefined;
});

it('sequences on SwiftShader find nothing in a short run', async () => {
  const { environment } = await chooseDriver({ ...process.env, VESPER_DRIVER: 'swiftshader' });
  mode = new RealMode({ seed: SEED, environment: { ...process.env, ...environment } });
  while (mode.executions < SEQUENCES) expect(await mode.run(SEQUENCES - mode.executions)).toBeUndefined();
  await mode.close();
});

const ADAPTER = { featureLevel: 'core', forceFallbackAdapter: false, xrCompatible: false };
const DEVICE = { label: '', requiredFeatures: [], requiredLimits: undefined };

/** The stream of a guest that does something with a device. */
function streamWith(act: (guest: GuestModel, device: GuestObject) => void): Stream {
  const guest = new GuestModel(new Random(SEED));
  const [adapter] = guest.call('GPU.requestAdapter', undefined, ADAPTER);
  guest.wait(adapter!);
  const [device, queue] = guest.call('GPUAdapter.requestDevice', adapter!, DEVICE);
  guest.wait(device!, queue!);
  act(guest, device!);
  guest.wait();
  const waits: [number, number][] = [];
  const chunks: Uint8Array[] = [HELLO];
  let byteLength = HELLO.byteLength;
  for (const { bytes, replies } of guest.takeSteps()) {
    chunks.push(bytes);
    byteLength += bytes.byteLength;
    if (replies !== undefined) waits.push([byteLength, replies]);
  }
  return { from: 'guest', bytes: Buffer.concat(chunks), waits };
}

it('an asynchronous pipeline that cannot be converted does not crash the executor', async () => {
  // Found by seed 1: Dawn for Node made a promise of it while an exception was pending, which went well a few hundred times.
  const stream = streamWith((guest, device) => {
    const [module] = guest.call('GPUDevice.createShaderModule', device, { label: '', code: '', compilationHints: [] });
    const stage = { module: guest.use(module!), constants: [['a', Infinity]] };
    for (let left = 2000; left > 0; left--) {
      const name = left % 2 === 0 ? 'GPUDevice.createComputePipelineAsync' : 'GPUDevice.createRenderPipelineAsync';
      const of = left % 2 === 0 ? { compute: stage } : { vertex: { ...stage, buffers: [] } };
      guest.release(guest.call(name, device, { label: '', layout: 'auto', ...of }));
    }
  });
  const options = { driver: 'swiftshader', logger: createLogger('silent'), timeoutMs: 50_000 } as const;
  const { isContained, message } = await replayGuest({ ...stream, note: {} }, options);
  expect(message).toMatch(/^closed: the guest closed the connection \(\d+ commands, 4 objects\)$/);
  expect(isContained).toBe(true);
});

it('vesper replay says what became of a session', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'vesper-replay-')), 'session.vesper');
  const good = streamWith((guest, device) => void guest.call('GPUDevice.createCommandEncoder', device, undefined));
  // A frame of 7 bytes behind a good session's.
  const bytes = Buffer.concat([good.bytes, Uint8Array.of(7, 0, 0, 0)]);
  writeFileSync(file, encodeReproducer({ ...good, bytes, note: { what: 'a test', seed: SEED } }));
  const vesper = new VesperProcess(['replay', file, '--driver', 'swiftshader']);
  expect(await vesper.ended).toBe(0);
  expect(vesper.stdout).toMatch(
    /^what: a test\nseed: 1\n\d+ bytes of a guest\ncontained: protocol: bad-frame: a frame of 7 bytes/,
  );
  const missing = new VesperProcess(['replay', `${file}.not`]);
  expect(await missing.ended).toBe(2);
  expect(missing.stderr).toContain('ENOENT');
  rmSync(join(file, '..'), { recursive: true });
});
