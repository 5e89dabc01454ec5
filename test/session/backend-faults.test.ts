import { connect } from '@vesper-gpu/guest';
import { describe, expect, it } from 'vitest';
import { NullGpu } from '../hostile/null-gpu.ts';
import { connected, gate, outcome, serve } from './pair.ts';

/** Makes the backend throw from one of its calls, once. */
function failOnce(backend: NullGpu, name: string, error: Error = new TypeError(`${name} is not to be had`)): void {
  backend.fail = (called) => {
    if (called !== name) return;
    backend.fail = undefined;
    throw error;
  };
}

const usage = 1;
const texture = { size: [1, 1], format: 'rgba8unorm', usage } as const;

/** Every creation of a device, and a use which an invalid object fails. */
const CREATIONS: Record<string, (device: GPUDevice) => object> = {
  createBuffer: (device) => device.createBuffer({ size: 4, usage }),
  createTexture: (device) => device.createTexture(texture),
  createSampler: (device) => device.createSampler(),
  createBindGroupLayout: (device) => device.createBindGroupLayout({ entries: [] }),
  createPipelineLayout: (device) => device.createPipelineLayout({ bindGroupLayouts: [] }),
  createBindGroup: (device) =>
    device.createBindGroup({ layout: device.createBindGroupLayout({ entries: [] }), entries: [] }),
  createShaderModule: (device) => device.createShaderModule({ code: '' }),
  createComputePipeline: (device) =>
    device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code: '' }) } }),
  createRenderPipeline: (device) =>
    device.createRenderPipeline({ layout: 'auto', vertex: { module: device.createShaderModule({ code: '' }) } }),
  createCommandEncoder: (device) => device.createCommandEncoder(),
  createRenderBundleEncoder: (device) => device.createRenderBundleEncoder({ colorFormats: ['rgba8unorm'] }),
  createQuerySet: (device) => device.createQuerySet({ type: 'occlusion', count: 1 }),
};

/** Uses an object in such a way that it fails if, and only if, the object is invalid. */
function use(device: GPUDevice, name: string, object: object): void {
  const bind = (resource: GPUBindingResource): void => {
    const layout = device.createBindGroupLayout({ entries: [] });
    device.createBindGroup({ layout, entries: [{ binding: 0, resource }] });
  };
  switch (name) {
    case 'createBuffer':
      return bind({ buffer: object as GPUBuffer });
    case 'createTexture':
      return bind((object as GPUTexture).createView());
    case 'createSampler':
      return bind(object as GPUSampler);
    case 'createBindGroupLayout':
      return void device.createPipelineLayout({ bindGroupLayouts: [object as GPUBindGroupLayout] });
    case 'createShaderModule':
      return void device.createComputePipeline({ layout: 'auto', compute: { module: object as GPUShaderModule } });
    case 'createPipelineLayout': {
      const module = device.createShaderModule({ code: '' });
      return void device.createComputePipeline({ layout: object as GPUPipelineLayout, compute: { module } });
    }
    case 'createComputePipeline':
    case 'createRenderPipeline': {
      const layout = (object as GPUComputePipeline).getBindGroupLayout(0);
      return void device.createBindGroup({ layout, entries: [] });
    }
    case 'createCommandEncoder':
      return void (object as GPUCommandEncoder).finish();
    case 'createRenderBundleEncoder':
      return void (object as GPURenderBundleEncoder).finish();
    default:
      return inPass(device, name, object);
  }
}

function inPass(device: GPUDevice, name: string, object: object): void {
  const encoder = device.createCommandEncoder();
  if (name === 'createBindGroup') {
    const pass = encoder.beginComputePass();
    pass.setBindGroup(0, object as GPUBindGroup);
    pass.end();
  } else {
    const buffer = device.createBuffer({ size: 64, usage });
    encoder.resolveQuerySet(object as GPUQuerySet, 0, 1, buffer, 0);
  }
  encoder.finish();
}

describe.each(Object.keys(CREATIONS))('a backend that throws in %s', (name) => {
  it('leaves an error in the scope that was open there', async () => {
    const { device, backend, connection } = await connected();
    device.pushErrorScope('validation');
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    failOnce(backend, name);
    CREATIONS[name]!(device);
    const results = [device.popErrorScope(), device.popErrorScope(), device.popErrorScope()];
    const [memory, inner, outer] = await Promise.all(results);
    expect([memory, outer]).toEqual([null, null]);
    expect(inner?.constructor.name).toBe('GPUValidationError');
    expect(inner?.message).toContain(`${name} is not to be had`);
    await connection.close();
  });

  it('leaves an invalid object: what is made of it is invalid, and says so', async () => {
    const { device, backend, connection } = await connected();
    device.pushErrorScope('validation');
    const good = CREATIONS[name]!(device);
    use(device, name, good);
    expect(await device.popErrorScope()).toBeNull();

    device.pushErrorScope('validation');
    failOnce(backend, name);
    const bad = CREATIONS[name]!(device);
    expect(await device.popErrorScope()).not.toBeNull();

    device.pushErrorScope('validation');
    use(device, name, bad);
    expect((await device.popErrorScope())?.message).toMatch(/invalid/);
    // Nothing is left open on the backend.
    expect(backend.devices[0]!.scopes.depth).toBe(0);
    await connection.close();
  });

  it('is told to the device when no scope is open', async () => {
    const { device, backend, connection } = await connected();
    const heard: string[] = [];
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      heard.push((event as GPUUncapturedErrorEvent).error.message);
    });
    failOnce(backend, name);
    CREATIONS[name]!(device);
    await device.queue.onSubmittedWorkDone();
    expect(heard).toHaveLength(1);
    expect(heard[0]).toContain(`${name} is not to be had`);
    await connection.close();
  });
});

describe('a backend that throws a RangeError', () => {
  it('is out of memory', async () => {
    const { device, backend } = await connected();
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    failOnce(backend, 'createBuffer', new RangeError('not that much'));
    device.createBuffer({ size: 4, usage });
    expect((await device.popErrorScope())?.constructor.name).toBe('GPUOutOfMemoryError');
    expect(await device.popErrorScope()).toBeNull();
  });
});

describe('errors and scopes', () => {
  it('keep the order of the calls', async () => {
    const { device, backend } = await connected();
    const results: Promise<GPUError | null>[] = [];
    for (let i = 0; i < 6; i++) {
      device.pushErrorScope('validation');
      if (i % 2 === 1) device.createBuffer({ size: i, usage: 0 });
      results.push(device.popErrorScope());
    }
    const errors = await Promise.all(results);
    expect(errors.map((error) => error !== null)).toEqual([false, true, false, true, false, true]);
    expect(backend.devices[0]!.scopes.depth).toBe(0);
  });

  it('tell the first error of a scope', async () => {
    const { device, backend } = await connected();
    device.pushErrorScope('validation');
    const messages = ['the first', 'the second'];
    backend.fail = (name) => {
      if (name === 'createSampler') throw new TypeError(messages.shift());
    };
    device.createSampler();
    device.createSampler();
    expect((await device.popErrorScope())?.message).toMatch(/the first/);
    expect(messages).toEqual([]);
  });
});

describe('a backend that throws in a command of an encoder', () => {
  const COMMANDS: Record<string, (device: GPUDevice, encoder: GPUCommandEncoder) => void> = {
    copyBufferToBuffer: (device, encoder) => {
      const buffer = device.createBuffer({ size: 4, usage });
      encoder.copyBufferToBuffer(buffer, buffer);
    },
    pushDebugGroup: (_, encoder) => encoder.pushDebugGroup('group'),
    beginComputePass: (_, encoder) => encoder.beginComputePass().end(),
    beginRenderPass: (device, encoder) => {
      const view = device.createTexture(texture).createView();
      encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store' }] }).end();
    },
    dispatchWorkgroups: (_, encoder) => {
      const pass = encoder.beginComputePass();
      pass.dispatchWorkgroups(1);
      pass.end();
    },
    draw: (device, encoder) => {
      const view = device.createTexture(texture).createView();
      const pass = encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store' }] });
      pass.draw(3);
      pass.end();
    },
  };

  it.each(Object.keys(COMMANDS))('%s: the error is told by finish()', async (name) => {
    const { device, backend, session } = await connected();
    const encoder = device.createCommandEncoder();
    device.pushErrorScope('validation');
    failOnce(backend, name);
    COMMANDS[name]!(device, encoder);
    expect(await device.popErrorScope()).toBeNull();
    device.pushErrorScope('validation');
    const commands = encoder.finish();
    expect((await device.popErrorScope())?.message).toMatch(/invalid/);
    device.pushErrorScope('validation');
    device.queue.submit([commands]);
    expect((await device.popErrorScope())?.message).toMatch(/invalid/);
    // The session goes on, and so does another encoder.
    device.pushErrorScope('validation');
    device.queue.submit([device.createCommandEncoder().finish()]);
    expect(await device.popErrorScope()).toBeNull();
    session.close();
  });
});

describe('a backend that throws in a command of an object', () => {
  it.each(['submit', 'writeBuffer', 'label', 'buffer.destroy'])('%s: the error is in the scope', async (name) => {
    const { device, backend } = await connected();
    const buffer = device.createBuffer({ size: 4, usage });
    device.pushErrorScope('validation');
    failOnce(backend, name);
    if (name === 'submit') device.queue.submit([]);
    if (name === 'writeBuffer') device.queue.writeBuffer(buffer, 0, new Uint8Array(4));
    if (name === 'label') buffer.label = 'x';
    if (name === 'buffer.destroy') buffer.destroy();
    expect((await device.popErrorScope())?.message).toContain(`${name} is not to be had`);
  });
});

describe('a backend that rejects', () => {
  it('a map: the guest has its exception', async () => {
    const { device, backend } = await connected();
    const buffer = device.createBuffer({ size: 4, usage });
    failOnce(backend, 'mapAsync', new DOMException('no', 'OperationError'));
    expect(await outcome(buffer.mapAsync(1))).toBe('OperationError');
    expect(buffer.mapState).toBe('unmapped');
    expect(await outcome(buffer.mapAsync(1))).toBe('undefined');
  });

  it.each(['createComputePipelineAsync', 'createRenderPipelineAsync'])('%s: a GPUPipelineError', async (name) => {
    const { device, backend } = await connected();
    const module = device.createShaderModule({ code: '' });
    failOnce(backend, name, Object.assign(new Error('no such entry point'), { reason: 'validation' }));
    const pipeline =
      name === 'createComputePipelineAsync'
        ? device.createComputePipelineAsync({ layout: 'auto', compute: { module } })
        : device.createRenderPipelineAsync({ layout: 'auto', vertex: { module } });
    await expect(pipeline).rejects.toMatchObject({ name: 'GPUPipelineError', reason: 'validation' });
    await expect(pipeline).rejects.toThrow(/no such entry point/);
  });

  it('an adapter: null; a device: the exception, and the adapter may be asked again', async () => {
    const { backend, guestEnd } = serve();
    const { gpu } = await connect(guestEnd);
    failOnce(backend, 'requestAdapter');
    expect(await gpu.requestAdapter()).toBeNull();
    const adapter = (await gpu.requestAdapter())!;
    failOnce(backend, 'requestDevice', new DOMException('not now', 'OperationError'));
    expect(await outcome(adapter.requestDevice())).toBe('OperationError');
    expect(await outcome(adapter.requestDevice())).toBe('a GPUDevice');
  });

  it('something else: what never rejects does not', async () => {
    const { device, backend } = await connected();
    failOnce(backend, 'onSubmittedWorkDone');
    expect(await outcome(device.queue.onSubmittedWorkDone())).toBe('undefined');
    failOnce(backend, 'getCompilationInfo');
    expect(await outcome(device.createShaderModule({ code: '' }).getCompilationInfo())).toBe('a GPUCompilationInfo');
  });
});

describe('a backend that answers late', () => {
  it('leaves no device behind when the session has ended', async () => {
    const { backend, guestEnd, session } = serve();
    const { gpu } = await connect(guestEnd);
    const adapter = (await gpu.requestAdapter())!;
    const late = gate();
    const asked = gate();
    backend.gate = () => {
      asked.open();
      return late.promise;
    };
    const requested = adapter.requestDevice();
    await asked.promise;
    session.close();
    await session.ended;
    expect((await (await requested).lost).reason).toBe('unknown');
    late.open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(backend.devices.map((device) => device.destroyed)).toEqual([1]);
  });

  it('and fails to destroy its devices does not keep the session from ending', async () => {
    const { backend, session, connection } = await connected();
    backend.fail = (name) => {
      if (name === 'device.destroy') throw new Error('the driver is gone');
    };
    await connection.close();
    expect(await session.ended).toMatchObject({ reason: 'closed' });
  });
});

describe('many sessions in one process', () => {
  it('share no ids: what one guest has, another cannot name', async () => {
    const backend = new NullGpu();
    const guests = await Promise.all(Array.from({ length: 8 }, () => connected({}, backend)));
    const [first, ...others] = guests;
    const buffer = first!.device.createBuffer({ size: 4, usage });
    expect(() => others[0]!.device.queue.writeBuffer(buffer, 0, new Uint8Array(4))).toThrow(/another connection/);
    // The others' ids are the same numbers, of objects of their own.
    for (const { device } of others) {
      device.pushErrorScope('validation');
      device.queue.writeBuffer(device.createBuffer({ size: 4, usage }), 0, new Uint8Array(4));
      expect(await device.popErrorScope()).toBeNull();
    }
    // One that misbehaves is alone in it.
    first!.guestEnd.send(new Uint8Array([3, 0, 0, 0]));
    expect(await first!.session.ended).toMatchObject({ reason: 'protocol' });
    for (const { device } of others) expect(await outcome(device.queue.onSubmittedWorkDone())).toBe('undefined');
    expect(backend.devices.map((device) => device.destroyed).toSorted()).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
    for (const { connection } of others) await connection.close();
    for (const { session } of others) expect(await session.ended).toMatchObject({ reason: 'closed' });
    expect(backend.devices.map((device) => device.destroyed)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });
});
