import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { expectNoError } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';
import { readWords } from './fixture/readback.ts';

// client-semantics.md, section 8. Garbage is collected on demand here; what is freed in answer is not waited for.

const guest = useGuest();

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects what can be, and lets finalizers and what they send happen. */
async function collectAll(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    collect();
    await guest.device.queue.onSubmittedWorkDone();
  }
}

describe('an object that is collected', () => {
  it('stays alive on the host as long as something made of it is used', async () => {
    const { device } = guest;
    const result = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
    const make = (): [GPUComputePipeline, GPUBindGroup] => {
      const module = device.createShaderModule({
        code: '@group(0) @binding(0) var<storage, read_write> data: vec4u; @group(0) @binding(1) var<uniform> given: vec4u; @compute @workgroup_size(1) fn main() { data = given; }',
      });
      const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
      const uniform = device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM, mappedAtCreation: true });
      new Uint32Array(uniform.getMappedRange()).set([1, 2, 3, 4]);
      uniform.unmap();
      const entries = [
        { binding: 0, resource: result },
        { binding: 1, resource: uniform },
      ];
      return [pipeline, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries })];
    };
    const [pipeline, group] = make();
    await collectAll();
    await expectNoError(device, () => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(1);
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
    expect(await readWords(device, result)).toEqual([1, 2, 3, 4]);
  });

  it('leaves its mapped memory usable', async () => {
    const { device } = guest;
    const range = device
      .createBuffer({ size: 64, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true })
      .getMappedRange();
    await collectAll();
    new Uint8Array(range).fill(7);
    expect(range.byteLength).toBe(64);
  });

  it('does not lose a device whose promise is held', async () => {
    // In an array, as a promise that is returned would be awaited, forever.
    const lostOf = async (): Promise<[Promise<GPUDeviceLostInfo>]> => [(await guest.newDevice()).lost];
    const [lost] = await lostOf();
    let isLost = false;
    void lost.then(() => (isLost = true));
    await collectAll();
    expect(isLost).toBe(false);
  });

  it('settles what was asked of it', async () => {
    const { device } = guest;
    const promises = [
      device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ }).mapAsync(GPUMapMode.READ),
      device.createShaderModule({ code: '' }).getCompilationInfo(),
      device.queue.onSubmittedWorkDone(),
    ];
    collect();
    expect(await Promise.all(promises)).toHaveLength(3);
  });

  it('makes room: thousands of objects come and go under few ids', async () => {
    const { device } = guest;
    for (let round = 0; round < 5; round++) {
      await expectNoError(device, () => {
        for (let i = 0; i < 1000; i++) device.createCommandEncoder().finish();
      });
      await collectAll();
    }
  });
});
