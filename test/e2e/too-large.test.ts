import { describe, expect, it } from 'vitest';
import { errorOf, expectNoError, expectValidationError } from '../semantics/fixture/errors.ts';
import { useGuest } from '../semantics/fixture/guest.ts';

// A call that says more than a host takes in one message (16 MiB) fails as WebGPU's calls do, and the session goes on.

const guest = useGuest();

/** More items than a message holds, whatever an item is. */
const MANY = 4_200_000;

const many = <T>(item: T, count = MANY): T[] => Array.from({ length: count }, () => item);

describe('what is made from a descriptor without end', () => {
  it('is invalid, and the error is in the scope that is open', async () => {
    const { device } = guest;
    const layout = device.createBindGroupLayout({ entries: [] });
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM });
    const calls: Record<string, () => unknown> = {
      createBindGroup: () =>
        device.createBindGroup({ layout, entries: many({ binding: 0, resource: { buffer } }, 1_200_000) }),
      createBindGroupLayout: () =>
        device.createBindGroupLayout({ entries: many({ binding: 0, visibility: 1, buffer: {} }, 1_200_000) }),
      createPipelineLayout: () => device.createPipelineLayout({ bindGroupLayouts: many(layout) }),
      createRenderBundleEncoder: () => device.createRenderBundleEncoder({ colorFormats: many('rgba8unorm') }),
    };
    for (const [name, make] of Object.entries(calls)) {
      const error = await errorOf(device, make);
      expect(error, name).toBeInstanceOf(GPUValidationError);
      expect(error!.message, name).toContain('accepts');
    }
    await expectNoError(device, () => device.createBindGroup({ layout, entries: [] }));
  });

  it('passes its invalidity on, and keeps its label', async () => {
    const { device } = guest;
    let layout!: GPUBindGroupLayout;
    await expectValidationError(device, () => {
      const entries = many({ binding: 0, visibility: 1, buffer: {} }, 1_200_000);
      layout = device.createBindGroupLayout({ label: 'endless', entries });
    });
    expect(layout.label).toBe('endless');
    await expectValidationError(device, () => device.createPipelineLayout({ bindGroupLayouts: [layout] }));
  });

  it('is a texture all the same where only formats are repeated', async () => {
    const { device } = guest;
    const viewFormats = many<GPUTextureFormat>('rgba8unorm-srgb');
    await expectNoError(device, () => {
      device
        .createTexture({ size: [4, 4], format: 'rgba8unorm', usage: GPUTextureUsage.TEXTURE_BINDING, viewFormats })
        .createView({ format: 'rgba8unorm-srgb' });
    });
  });
});

describe('a pipeline with constants without end', () => {
  const constants = Object.fromEntries(Array.from({ length: 800_000 }, (_, index) => [`constant${index}`, 0]));
  const code = '@compute @workgroup_size(1) fn c() {} @vertex fn v() -> @builtin(position) vec4f { return vec4f(); }';

  it('is an invalid one', async () => {
    const { device } = guest;
    const module = device.createShaderModule({ code });
    const compute = { module, constants };
    const error = await errorOf(device, () => device.createComputePipeline({ layout: 'auto', compute }));
    expect(error).toBeInstanceOf(GPUValidationError);
    expect(error!.message).toContain('accepts');
    const vertex = { module, constants };
    await expectValidationError(device, () => device.createRenderPipeline({ layout: 'auto', vertex }));
  });

  it('is no pipeline where it is asked for asynchronously', async () => {
    const { device } = guest;
    const module = device.createShaderModule({ code });
    const pipeline = device.createComputePipelineAsync({ layout: 'auto', compute: { module, constants } });
    await expect(pipeline).rejects.toMatchObject({ name: 'GPUPipelineError', reason: 'validation' });
  });
});

describe('an encoder', () => {
  it('reports dynamic offsets without end when it finishes', async () => {
    const { device } = guest;
    const layout = device.createBindGroupLayout({ entries: [] });
    const group = device.createBindGroup({ layout, entries: [] });
    const encoder = device.createCommandEncoder();
    await expectNoError(device, () => {
      const pass = encoder.beginComputePass();
      pass.setBindGroup(0, group, many(0));
      pass.setBindGroup(0, group, new Uint32Array(MANY), 0, MANY);
      pass.end();
    });
    await expectValidationError(device, () => encoder.finish());
  });

  it('reports attachments without end when it finishes', async () => {
    const { device } = guest;
    const encoder = device.createCommandEncoder();
    encoder.beginRenderPass({ colorAttachments: many(null) }).end();
    await expectValidationError(device, () => encoder.finish());
  });

  it('executes as many bundles as it is told to', async () => {
    const { device } = guest;
    const bundle = device.createRenderBundleEncoder({ colorFormats: ['rgba8unorm'] }).finish();
    const texture = device.createTexture({
      size: [4, 4],
      format: 'rgba8unorm',
      usage: GPUTextureUsage.RENDER_ATTACHMENT,
    });
    await expectNoError(device, () => {
      const encoder = device.createCommandEncoder();
      const view = texture.createView();
      const pass = encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store' }] });
      pass.executeBundles(many(bundle, 200_000));
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
  });
});

describe('a queue', () => {
  it('reports command buffers without end, and submits none', async () => {
    const { device } = guest;
    const commands = device.createCommandEncoder().finish();
    await expectValidationError(device, () => device.queue.submit(many(commands)));
    await expectNoError(device, () => device.queue.submit([commands]));
  });
});

describe('a shader module', () => {
  it('does not compile when its code is longer than the host takes', async () => {
    const { device } = guest;
    await expectValidationError(device, () => device.createShaderModule({ code: `//${'x'.repeat(9 << 20)}` }));
  });

  it('compiles with hints without end', async () => {
    const { device } = guest;
    const compilationHints = many({ entryPoint: 'main' }, 1_500_000);
    await expectNoError(device, () => device.createShaderModule({ code: 'fn f() {}', compilationHints }));
  });
});
