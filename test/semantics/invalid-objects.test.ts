import { describe, expect, it } from 'vitest';
import { errorOf, expectNoError, expectValidationError } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';

// client-semantics.md, section 4: contagious invalidity, encoders, device mismatch.

const guest = useGuest();

/** An object whose creation is an error of validation, which is expected. */
async function invalid<T>(device: GPUDevice, make: () => T): Promise<T> {
  let object!: T;
  await expectValidationError(device, () => (object = make()));
  return object;
}

const computeCode = '@compute @workgroup_size(1) fn main() {}';

describe('an invalid object', () => {
  it('is an object all the same, and makes invalid what is made of it', async () => {
    const { device } = guest;
    const buffer = await invalid(device, () => device.createBuffer({ size: 16, usage: 0 }));
    expect(buffer).toBeInstanceOf(GPUBuffer);
    expect([buffer.size, buffer.usage]).toEqual([16, 0]);
    const texture = await invalid(device, () => device.createTexture({ size: [0], format: 'rgba8unorm', usage: 1 }));
    const view = await invalid(device, () => texture.createView());
    const sampler = await invalid(device, () => device.createSampler({ lodMinClamp: -1 }));
    const layout = await invalid(device, () =>
      device.createBindGroupLayout({
        entries: [
          { binding: 0, visibility: 4, sampler: {} },
          { binding: 0, visibility: 4, sampler: {} },
        ],
      }),
    );
    const pipelineLayout = await invalid(device, () => device.createPipelineLayout({ bindGroupLayouts: [layout] }));
    const module = await invalid(device, () => device.createShaderModule({ code: 'nonsense' }));
    const good = device.createShaderModule({ code: computeCode });
    const pipeline = await invalid(device, () => device.createComputePipeline({ layout: 'auto', compute: { module } }));
    await invalid(device, () => device.createComputePipeline({ layout: pipelineLayout, compute: { module: good } }));
    await invalid(device, () => device.createRenderPipeline({ layout: 'auto', vertex: { module } }));
    await invalid(device, () => pipeline.getBindGroupLayout(0));
    await invalid(device, () => device.createBindGroup({ layout, entries: [] }));
    const samplers = device.createBindGroupLayout({ entries: [{ binding: 0, visibility: 4, sampler: {} }] });
    await invalid(device, () =>
      device.createBindGroup({ layout: samplers, entries: [{ binding: 0, resource: sampler }] }),
    );
    const textures = device.createBindGroupLayout({ entries: [{ binding: 0, visibility: 4, texture: {} }] });
    await invalid(device, () =>
      device.createBindGroup({ layout: textures, entries: [{ binding: 0, resource: view }] }),
    );
    const uniforms = device.createBindGroupLayout({ entries: [{ binding: 0, visibility: 4, buffer: {} }] });
    await invalid(device, () =>
      device.createBindGroup({ layout: uniforms, entries: [{ binding: 0, resource: { buffer } }] }),
    );
    await invalid(device, () => device.createQuerySet({ type: 'occlusion', count: 4097 }));
    const bundleEncoder = await invalid(device, () => device.createRenderBundleEncoder({ colorFormats: [] }));
    await invalid(device, () => bundleEncoder.finish());
  });

  it('in a command is an error of finish, and only there', async () => {
    const { device } = guest;
    const buffer = await invalid(device, () => device.createBuffer({ size: 16, usage: 0 }));
    const texture = await invalid(device, () => device.createTexture({ size: [0], format: 'rgba8unorm', usage: 16 }));
    const view = await invalid(device, () => texture.createView());
    const uses: ((encoder: GPUCommandEncoder) => void)[] = [
      (encoder) => encoder.clearBuffer(buffer),
      (encoder) => encoder.copyBufferToBuffer(buffer, buffer),
      (encoder) => encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'load', storeOp: 'store' }] }).end(),
      (encoder) => encoder.copyTextureToTexture({ texture }, { texture }, [1]),
    ];
    for (const use of uses) {
      const encoder = device.createCommandEncoder();
      await expectNoError(device, () => use(encoder));
      const commands = await invalid(device, () => encoder.finish());
      await expectValidationError(device, () => device.queue.submit([commands]));
    }
  });
});

describe('an encoder', () => {
  it('is silent about a bad command until it finishes, and reports once', async () => {
    const { device } = guest;
    const encoder = device.createCommandEncoder();
    await expectNoError(device, () => {
      encoder.popDebugGroup();
      encoder.popDebugGroup();
      encoder.insertDebugMarker('fine');
      const pass = encoder.beginComputePass();
      pass.dispatchWorkgroups(1);
      pass.end();
    });
    await expectValidationError(device, () => encoder.finish());
  });

  it('that a pass made invalid fails to finish', async () => {
    const { device } = guest;
    const encoder = device.createCommandEncoder();
    await expectNoError(device, () => {
      const pass = encoder.beginComputePass();
      pass.setBindGroup(100, null);
      pass.end();
    });
    await expectValidationError(device, () => encoder.finish());
  });

  it('with an open pass fails to finish, as does one that has finished', async () => {
    const { device } = guest;
    const open = device.createCommandEncoder();
    open.beginComputePass();
    await expectValidationError(device, () => open.finish());
    const twice = device.createCommandEncoder();
    await expectNoError(device, () => twice.finish());
    await expectValidationError(device, () => twice.finish());
  });

  it('can be recorded in turn with others', async () => {
    const { device } = guest;
    const pipeline = device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code: computeCode }) },
    });
    const encoders = Array.from({ length: 4 }, () => device.createCommandEncoder());
    const passes = encoders.map((encoder) => encoder.beginComputePass());
    await expectNoError(device, () => {
      for (const pass of passes) pass.setPipeline(pipeline);
      passes[2]!.setBindGroup(100, null);
      for (const pass of passes) pass.dispatchWorkgroups(1);
      for (const pass of passes) pass.end();
    });
    const errors = await Promise.all(encoders.map((encoder) => errorOf(device, () => encoder.finish())));
    expect(errors.map((error) => error !== null)).toEqual([false, false, true, false]);
  });

  it('that has finished refuses commands at once, and its command buffer is none the worse', async () => {
    const { device } = guest;
    const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    const commands = encoder.finish();
    const passes: { end(): void }[] = [];
    await expectValidationError(device, () => encoder.clearBuffer(buffer));
    await expectValidationError(device, () => encoder.insertDebugMarker(''));
    await expectValidationError(device, () => encoder.copyBufferToBuffer(buffer, buffer));
    await expectValidationError(device, () => passes.push(encoder.beginComputePass()));
    await expectValidationError(device, () => passes.push(encoder.beginRenderPass({ colorAttachments: [] })));
    for (const pass of passes) await expectValidationError(device, () => pass.end());
    await expectValidationError(device, () => encoder.finish());
    await expectNoError(device, () => device.queue.submit([commands]));
    const bundleEncoder = device.createRenderBundleEncoder({ colorFormats: ['rgba8unorm'] });
    bundleEncoder.finish();
    await expectValidationError(device, () => bundleEncoder.draw(1));
  });

  describe('of a pass that has ended', () => {
    const computeCommands: Record<string, (pass: GPUComputePassEncoder) => void> = {
      setBindGroup: (pass) => pass.setBindGroup(0, null),
      'setBindGroup with an array': (pass) => pass.setBindGroup(0, null, new Uint32Array(1), 0, 1),
      setImmediates: (pass) => pass.setImmediates(0, new Uint32Array(1)),
      dispatchWorkgroups: (pass) => pass.dispatchWorkgroups(1),
      pushDebugGroup: (pass) => pass.pushDebugGroup(''),
      popDebugGroup: (pass) => pass.popDebugGroup(),
      insertDebugMarker: (pass) => pass.insertDebugMarker(''),
      end: (pass) => pass.end(),
    };
    const renderCommands: Record<string, (pass: GPURenderPassEncoder) => void> = {
      setViewport: (pass) => pass.setViewport(0, 0, 1, 1, 0, 1),
      setScissorRect: (pass) => pass.setScissorRect(0, 0, 1, 1),
      setBlendConstant: (pass) => pass.setBlendConstant([0, 0, 0, 0]),
      setStencilReference: (pass) => pass.setStencilReference(1),
      beginOcclusionQuery: (pass) => pass.beginOcclusionQuery(0),
      endOcclusionQuery: (pass) => pass.endOcclusionQuery(),
      executeBundles: (pass) => pass.executeBundles([]),
      setBindGroup: (pass) => pass.setBindGroup(0, null),
      setImmediates: (pass) => pass.setImmediates(0, new Uint32Array(1)),
      setVertexBuffer: (pass) => pass.setVertexBuffer(0, null),
      draw: (pass) => pass.draw(3),
      drawIndexed: (pass) => pass.drawIndexed(3),
      end: (pass) => pass.end(),
    };

    it.each(Object.keys(computeCommands))('refuses %s at once, and its encoder is none the worse', async (name) => {
      const { device } = guest;
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.end();
      await expectValidationError(device, () => computeCommands[name]!(pass));
      const other = encoder.beginComputePass();
      await expectValidationError(device, () => computeCommands[name]!(pass));
      await expectNoError(device, () => {
        other.end();
        encoder.finish();
      });
      await expectValidationError(device, () => computeCommands[name]!(pass));
    });

    it.each(Object.keys(renderCommands))('refuses %s of a render pass at once', async (name) => {
      const { device } = guest;
      const usage = GPUTextureUsage.RENDER_ATTACHMENT;
      const view = device.createTexture({ size: [1], format: 'rgba8unorm', usage }).createView();
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'load', storeOp: 'store' }] });
      pass.end();
      await expectValidationError(device, () => renderCommands[name]!(pass));
      await expectNoError(device, () => encoder.finish());
    });

    it('still throws what is wrong with an argument', () => {
      const pass = guest.device.createCommandEncoder().beginComputePass();
      pass.end();
      expect(() => pass.setBindGroup(0, null, new Uint32Array(1), 1, 1)).toThrow(RangeError);
      expect(() => pass.dispatchWorkgroups(-1)).toThrow(TypeError);
    });
  });

  it('has one open pass at a time: ending another is an error at once', async () => {
    const { device } = guest;
    for (const order of ['first', 'second', 'both', 'neither']) {
      const encoder = device.createCommandEncoder();
      const first = encoder.beginComputePass();
      const second = encoder.beginComputePass();
      if (order === 'second' || order === 'both') await expectValidationError(device, () => second.end());
      if (order === 'first' || order === 'both') await expectNoError(device, () => first.end());
      await expectValidationError(device, () => second.end());
      await expectValidationError(device, () => encoder.finish());
      await expectValidationError(device, () => first.end());
    }
  });

  it("'s command buffers serve once, whether the submit succeeds or not", async () => {
    const { device } = guest;
    const make = (): GPUCommandBuffer => device.createCommandEncoder().finish();
    const [one, two, three] = [make(), make(), make()] as const;
    await expectNoError(device, () => device.queue.submit([one]));
    await expectValidationError(device, () => device.queue.submit([one]));
    await expectValidationError(device, () => device.queue.submit([two, two]));
    await expectValidationError(device, () => device.queue.submit([three, one]));
    await expectValidationError(device, () => device.queue.submit([three]));
    await expectNoError(device, () => device.queue.submit([]));
  });
});

describe('a destroyed resource', () => {
  it('is an error of the submit, not of finish', async () => {
    const { device } = guest;
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
    const texture = device.createTexture({ size: [1], format: 'rgba8unorm', usage: GPUTextureUsage.RENDER_ATTACHMENT });
    const queries = device.createQuerySet({ type: 'occlusion', count: 1 });
    const uses: [{ destroy(): void }, (encoder: GPUCommandEncoder) => void][] = [
      [buffer, (encoder) => encoder.clearBuffer(buffer)],
      [
        texture,
        (encoder) =>
          encoder
            .beginRenderPass({ colorAttachments: [{ view: texture.createView(), loadOp: 'clear', storeOp: 'store' }] })
            .end(),
      ],
      [
        queries,
        (encoder) =>
          encoder.resolveQuerySet(
            queries,
            0,
            1,
            device.createBuffer({ size: 256, usage: GPUBufferUsage.QUERY_RESOLVE }),
            0,
          ),
      ],
    ];
    for (const [resource, use] of uses) {
      resource.destroy();
      resource.destroy();
      let commands!: GPUCommandBuffer;
      await expectNoError(device, () => {
        const encoder = device.createCommandEncoder();
        use(encoder);
        commands = encoder.finish();
      });
      await expectValidationError(device, () => device.queue.submit([commands]));
    }
  });
});

describe('objects of another device', () => {
  it('are errors of validation of the device that they are passed to', async () => {
    const { device } = guest;
    const other = await guest.newDevice();
    const buffer = other.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.UNIFORM });
    const module = other.createShaderModule({ code: computeCode });
    const pipeline = other.createComputePipeline({ layout: 'auto', compute: { module } });
    const layout = device.createBindGroupLayout({ entries: [{ binding: 0, visibility: 4, buffer: {} }] });
    const acts: Record<string, () => unknown> = {
      writeBuffer: () => device.queue.writeBuffer(buffer, 0, new Uint8Array(4)),
      submit: () => device.queue.submit([other.createCommandEncoder().finish()]),
      createBindGroup: () => device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] }),
      createPipelineLayout: () =>
        device.createPipelineLayout({ bindGroupLayouts: [other.createBindGroupLayout({ entries: [] })] }),
      createComputePipeline: () => device.createComputePipeline({ layout: 'auto', compute: { module } }),
      command: () => {
        const encoder = device.createCommandEncoder();
        encoder.clearBuffer(buffer);
        encoder.finish();
      },
      setPipeline: () => {
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.end();
        encoder.finish();
      },
    };
    other.pushErrorScope('validation');
    for (const [name, act] of Object.entries(acts))
      expect(await errorOf(device, act), name).toBeInstanceOf(GPUValidationError);
    expect(await other.popErrorScope()).toBeNull();
    other.destroy();
  });
});
