import { describe, expect, it } from 'vitest';
import { errorOf, expectNoError, expectValidationError } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';

// client-semantics.md, section 4: pipelines made at once and later, and their bind group layouts.

const guest = useGuest();

const compute =
  '@group(0) @binding(0) var<storage, read_write> data: array<u32>; @compute @workgroup_size(1) fn main() { data[0] = 1u; }';
const render =
  '@vertex fn v() -> @builtin(position) vec4f { return vec4f(); } @fragment fn f() -> @location(0) vec4f { return vec4f(); }';

const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('createComputePipelineAsync and createRenderPipelineAsync', () => {
  it('resolve with pipelines that work', async () => {
    const { device } = guest;
    const module = device.createShaderModule({ code: compute });
    const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module }, label: 'later' });
    expect(pipeline).toBeInstanceOf(GPUComputePipeline);
    expect(pipeline.label).toBe('later');
    const renderModule = device.createShaderModule({ code: render });
    const renderPipeline = await device.createRenderPipelineAsync({
      layout: 'auto',
      vertex: { module: renderModule },
      fragment: { module: renderModule, targets: [{ format: 'rgba8unorm' }] },
    });
    expect(renderPipeline).toBeInstanceOf(GPURenderPipeline);
    await expectNoError(device, () => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.end();
      encoder.finish();
    });
  });

  it('reject with GPUPipelineError and never touch error scopes', async () => {
    const { device } = guest;
    const broken = await errorOf(device, () => device.createShaderModule({ code: 'nonsense' }));
    expect(broken).toBeInstanceOf(GPUValidationError);
    const module = device.createShaderModule({ code: compute });
    const renderModule = device.createShaderModule({ code: render });
    device.pushErrorScope('validation');
    device.pushErrorScope('internal');
    const failures = await Promise.all([
      rejection(device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'none' } })),
      rejection(
        device.createComputePipelineAsync({
          layout: device.createPipelineLayout({ bindGroupLayouts: [] }),
          compute: { module },
        }),
      ),
      rejection(
        device.createRenderPipelineAsync({ layout: 'auto', vertex: { module: renderModule, entryPoint: 'f' } }),
      ),
      rejection(
        device.createRenderPipelineAsync({
          layout: 'auto',
          vertex: { module: renderModule },
          multisample: { count: 3 },
        }),
      ),
    ]);
    expect(await device.popErrorScope()).toBeNull();
    expect(await device.popErrorScope()).toBeNull();
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(GPUPipelineError);
      const { name, reason, message, stack } = failure as GPUPipelineError;
      expect([name, reason]).toEqual(['GPUPipelineError', 'validation']);
      expect(message).not.toBe('');
      expect(stack).toBeTypeOf('string');
    }
  });

  it('reject with TypeError when the descriptor is none', async () => {
    const { device } = guest;
    for (const bad of [
      null,
      {},
      { layout: 'auto' },
      { layout: 'manual', compute: {} },
      { layout: 'auto', compute: { module: {} } },
    ]) {
      expect(
        await rejection(device.createComputePipelineAsync(bad as unknown as GPUComputePipelineDescriptor)),
      ).toBeInstanceOf(TypeError);
      expect(
        await rejection(device.createRenderPipelineAsync(bad as unknown as GPURenderPipelineDescriptor)),
      ).toBeInstanceOf(TypeError);
    }
  });

  it('many at once, failing or not, settle each its own promise', async () => {
    const { device } = guest;
    const modules = Array.from({ length: 12 }, (_, i) =>
      device.createShaderModule({ code: `@compute @workgroup_size(${i % 3 === 0 ? 100_000 : i}) fn main() {}` }),
    );
    const settled = await Promise.allSettled(
      modules.map((module, i) =>
        device.createComputePipelineAsync({ layout: 'auto', compute: { module }, label: `${i}` }),
      ),
    );
    expect(settled.map((result) => (result.status === 'fulfilled' ? result.value.label : 'failed'))).toEqual(
      Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? 'failed' : `${i}`)),
    );
  });
});

describe('getBindGroupLayout', () => {
  it('gives a new object at each call, equal for the backend', async () => {
    const { device } = guest;
    const pipeline = device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code: compute }) },
    });
    const [one, two] = [pipeline.getBindGroupLayout(0), pipeline.getBindGroupLayout(0)];
    expect(one).not.toBe(two);
    one.label = 'one';
    Object.assign(one, { mine: true });
    expect(two.label).toBe('');
    expect('mine' in two).toBe(false);
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE });
    await expectNoError(device, () => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      for (const layout of [one, two]) {
        pass.setBindGroup(0, device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] }));
        pass.dispatchWorkgroups(1);
      }
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
  });

  it('behind the last group is an error of validation, and gives an object', async () => {
    const { device } = guest;
    const pipeline = device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code: compute }) },
    });
    await expectValidationError(device, () =>
      expect(pipeline.getBindGroupLayout(device.limits.maxBindGroups)).toBeInstanceOf(GPUBindGroupLayout),
    );
    await expectNoError(device, () => pipeline.getBindGroupLayout(device.limits.maxBindGroups - 1));
  });
});
