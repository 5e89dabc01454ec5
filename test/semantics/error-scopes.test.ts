import { describe, expect, it } from 'vitest';
import { errorOf, rejectionName } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';

// client-semantics.md, section 4: scopes.

const guest = useGuest();

const makeInvalid = (device: GPUDevice): GPUBuffer => device.createBuffer({ size: 4, usage: 0 });

describe('a scope', () => {
  it('takes the first error of its kind, and only errors of its kind', async () => {
    const { device } = guest;
    device.pushErrorScope('validation');
    device.createBuffer({ size: 4, usage: 0, label: 'first' });
    device.createBuffer({ size: 4, usage: 0, label: 'second' });
    const error = await device.popErrorScope();
    expect(error).toBeInstanceOf(GPUValidationError);
    expect(error).toBeInstanceOf(GPUError);
    expect(error!.message).toContain('first');
    expect(await errorOf(device, () => {}, 'internal')).toBeNull();
  });

  it('lets errors of other kinds through to the one around it', async () => {
    const { device } = guest;
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('internal');
    makeInvalid(device);
    const inner = await device.popErrorScope();
    const middle = await device.popErrorScope();
    const outer = await device.popErrorScope();
    expect([inner, middle]).toEqual([null, null]);
    expect(outer).toBeInstanceOf(GPUValidationError);
  });

  it('takes the error that belongs to it, however calls and scopes are interleaved', async () => {
    const { device } = guest;
    const found: Promise<GPUError | null>[] = [];
    for (let i = 0; i < 50; i++) {
      device.pushErrorScope('validation');
      device.pushErrorScope('validation');
      if (i % 3 === 0) makeInvalid(device);
      found.push(device.popErrorScope());
      if (i % 5 === 0) makeInvalid(device);
      found.push(device.popErrorScope());
    }
    const hits = (await Promise.all(found)).map((error) => error !== null);
    expect(hits).toEqual(Array.from({ length: 50 }, (_, i) => [i % 3 === 0, i % 5 === 0]).flat());
  });

  it('belongs to its device', async () => {
    const { device } = guest;
    const other = await guest.newDevice();
    device.pushErrorScope('validation');
    other.pushErrorScope('validation');
    makeInvalid(other);
    expect(await device.popErrorScope()).toBeNull();
    expect(await other.popErrorScope()).toBeInstanceOf(GPUValidationError);
    other.destroy();
  });

  it('takes the error of a mapAsync made in it, and of a pipeline, a finish and a submit', async () => {
    const { device } = guest;
    const encoder = device.createCommandEncoder();
    encoder.popDebugGroup();
    let commands!: GPUCommandBuffer;
    expect(await errorOf(device, () => (commands = encoder.finish()))).toBeInstanceOf(GPUValidationError);
    expect(await errorOf(device, () => device.queue.submit([commands]))).toBeInstanceOf(GPUValidationError);
    expect(await errorOf(device, () => device.createShaderModule({ code: 'nonsense' }))).toBeInstanceOf(
      GPUValidationError,
    );
  });

  it('reports an invalid descriptor as such, and not as running out of memory', async () => {
    const { device } = guest;
    const descriptors = [
      { size: 2 ** 53 - 8, usage: GPUBufferUsage.COPY_DST },
      { size: 2 ** 37, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE },
    ];
    for (const descriptor of descriptors) {
      device.pushErrorScope('validation');
      expect(await errorOf(device, () => device.createBuffer(descriptor), 'out-of-memory')).toBeNull();
      expect(await device.popErrorScope()).toBeInstanceOf(GPUValidationError);
    }
  });
});

describe('popErrorScope', () => {
  it('rejects with OperationError when there is no scope, without asking the host', async () => {
    const { device } = guest;
    const { requests } = guest.connection.statistics;
    expect(await rejectionName(() => device.popErrorScope())).toBe('OperationError');
    expect(guest.connection.statistics.requests).toBe(requests);
    device.pushErrorScope('validation');
    const last = device.popErrorScope();
    expect(await rejectionName(() => device.popErrorScope())).toBe('OperationError');
    expect(await last).toBeNull();
  });

  it('many at a time, each gets its own answer', async () => {
    const { device } = guest;
    const count = 1000;
    for (let i = 0; i < count; i++) {
      device.pushErrorScope('validation');
      if (i % 7 === 0) makeInvalid(device);
    }
    const found = await Promise.all(Array.from({ length: count }, () => device.popErrorScope()));
    expect(found.map((error) => error instanceof GPUValidationError)).toEqual(
      Array.from({ length: count }, (_, i) => (count - 1 - i) % 7 === 0),
    );
  });

  it('a stack may be 100,000 deep', async () => {
    const { device } = guest;
    const depth = 100_000;
    for (let i = 0; i < depth; i++) device.pushErrorScope('validation');
    makeInvalid(device);
    const found: (GPUError | null)[] = [];
    while (found.length < depth)
      found.push(...(await Promise.all(Array.from({ length: 1000 }, () => device.popErrorScope()))));
    expect(found[0]).toBeInstanceOf(GPUValidationError);
    expect(found.filter((error) => error !== null)).toHaveLength(1);
    expect(await rejectionName(() => device.popErrorScope())).toBe('OperationError');
  });
});
