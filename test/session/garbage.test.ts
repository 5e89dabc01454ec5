import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished, type Mock, vi } from 'vitest';
import type { HostMemory } from '@vesper-gpu/host';
import { connected } from './pair.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Lets finalizers, what they send, and what that sets off happen. */
async function collectAll(): Promise<void> {
  for (let i = 0; i < 6; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a device that is lost', () => {
  it('can be collected by the backend, although the guest still holds it and its objects', async () => {
    const guest = await connected();
    const { connection, backend } = guest;
    const devices = [guest.device];
    for (let i = 0; i < 2; i++) devices.push(await (await connection.gpu.requestAdapter())!.requestDevice());
    const held = devices.map((device) => {
      const module = device.createShaderModule({ code: '' });
      const encoder = device.createCommandEncoder();
      return {
        device,
        queue: device.queue,
        buffer: device.createBuffer({ size: 16, usage: 1 }),
        pipeline: device.createComputePipeline({ layout: 'auto', compute: { module } }),
        encoder,
        pass: encoder.beginComputePass(),
      };
    });
    await Promise.all(devices.map((device) => device.queue.onSubmittedWorkDone()));
    for (const device of devices) device.destroy();
    await Promise.all(devices.map((device) => device.lost));
    const weak = backend.devices.splice(0).map((device) => new WeakRef(device));
    await collectAll();
    // One stands for all that are lost.
    expect(weak.map((one) => one.deref() === undefined)).toEqual([false, true, true]);

    let uncaptured = 0;
    for (const { device, queue, buffer, pipeline, encoder, pass } of held) {
      device.addEventListener('uncapturederror', () => uncaptured++);
      pass.setPipeline(pipeline);
      pass.dispatchWorkgroups(1);
      pass.end();
      queue.submit([encoder.finish()]);
      queue.writeBuffer(buffer, 0, new Uint32Array(4));
      buffer.label = 'still here';
      buffer.destroy();
      pipeline.getBindGroupLayout(0);
      device.createTexture({ size: [1], format: 'rgba8unorm', usage: 1 }).createView();
      device.createCommandEncoder().beginComputePass().end();
      device.pushErrorScope('validation');
      expect(await device.popErrorScope()).toBeNull();
      await expect(device.queue.onSubmittedWorkDone()).resolves.toBeUndefined();
    }
    expect(uncaptured).toBe(0);
    // The session goes on.
    const adapter = await connection.gpu.requestAdapter();
    expect((await adapter!.requestDevice()).constructor.name).toBe('GPUDevice');
  });

  it('is destroyed on the host when the guest drops it without ever asking for its queue', async () => {
    const guest = await connected();
    const { connection, backend } = guest;
    const drop = async (): Promise<void> => {
      await (await connection.gpu.requestAdapter())!.requestDevice();
    };
    await drop();
    await collectAll();
    expect(backend.devices.map((one) => one.destroyed)).toEqual([0, 1]);
    expect(guest.device.label).toBe('');
  });
});

/** A host whose memory a test sets, and what it did about it. */
function hostMemory(): { memory: HostMemory; collect: Mock<HostMemory['collect']>; occupy(bytes: number): void } {
  let bytes = 100 << 20;
  const collected = vi.fn<HostMemory['collect']>();
  return {
    memory: { collect: collected, residentBytes: () => bytes },
    collect: collected,
    occupy(more) {
      bytes += more;
    },
  };
}

describe('an encoder that outlives its device in the program', () => {
  it('can still report to it', async () => {
    const guest = await connected();
    const { connection, session } = guest;
    const make = async (): Promise<GPUComputePassEncoder> => {
      const device = await (await connection.gpu.requestAdapter())!.requestDevice();
      return device.createCommandEncoder().beginComputePass();
    };
    const pass = await make();
    await collectAll();
    pass.end();
    pass.end();
    await guest.device.queue.onSubmittedWorkDone();
    await collectAll();
    await expect(Promise.race([session.ended, Promise.resolve('goes on')])).resolves.toBe('goes on');
  });
});

describe('many objects of devices that are lost', () => {
  it('are stood for by one of each kind', async () => {
    const { connection, backend, session } = await connected();
    const kept: object[] = [];
    for (let round = 0; round < 3; round++) {
      const device = await (await connection.gpu.requestAdapter())!.requestDevice();
      for (let i = 0; i < 500; i++) kept.push(device.createSampler(), device.createCommandEncoder());
      await device.queue.onSubmittedWorkDone();
      const before = backend.calls.length;
      device.destroy();
      await device.lost;
      expect(backend.calls.length - before).toBeLessThan(20);
    }
    expect(kept).toHaveLength(3000);
    const { calls } = backend;
    session.close();
    const { length } = calls;
    await collectAll();
    // Nothing is made for a guest that has gone.
    expect(calls.slice(length).filter((name) => name.startsWith('create'))).toEqual([]);
  });
});

describe('the host collects', () => {
  it('when devices have gone', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1);
    onTestFinished(() => clock.mockRestore());
    const { memory, collect: collected } = hostMemory();
    const { connection } = await connected({ memory });
    for (let i = 0; i < 20; i++) {
      const device = await (await connection.gpu.requestAdapter())!.requestDevice();
      device.destroy();
      await device.lost;
    }
    expect(collected.mock.calls).toEqual([['major'], ['major']]);
  });

  it('when one device has gone of which much was made', async () => {
    const { memory, collect: collected } = hostMemory();
    const { connection, device } = await connected({ memory });
    for (let i = 0; i < 4000; i++) device.createSampler();
    device.destroy();
    await device.lost;
    await connection.gpu.requestAdapter();
    expect(collected).toHaveBeenCalledOnce();
  });

  it('when the guest has let go of many objects, or of large ones', async () => {
    const { memory, collect: collected } = hostMemory();
    const { device } = await connected({ memory });
    const samplers = (count: number): void => void Array.from({ length: count }, () => device.createSampler());
    samplers(1000);
    await device.queue.onSubmittedWorkDone();
    await collectAll();
    expect(collected).not.toHaveBeenCalled();
    samplers(2000);
    await device.queue.onSubmittedWorkDone();
    await collectAll();
    expect(collected.mock.calls).toEqual([['minor']]);
    samplers(2000);
    await device.queue.onSubmittedWorkDone();
    await collectAll();
    expect(collected.mock.calls.at(-1)).toEqual(['major']);
    const { length } = collected.mock.calls;
    ((): void => {
      for (let i = 0; i < 2; i++) device.createBuffer({ size: 64 << 20, usage: 1 });
    })();
    await device.queue.onSubmittedWorkDone();
    await collectAll();
    expect(collected.mock.calls.length).toBeGreaterThan(length);
  });
});

describe('a host whose memory has grown', () => {
  it('asks the guest to collect, once for each growth, and collects what the guest then releases', async () => {
    const { memory, collect: collected, occupy } = hostMemory();
    // Collections that take no time earn no pause.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1);
    onTestFinished(() => clock.mockRestore());
    const guestCollects = vi.fn<() => void>(collect);
    const { device, session } = await connected({ memory }, undefined, { collectGarbage: guestCollects });
    const work = async (): Promise<void> => {
      for (let i = 0; i < 300; i++) device.createSampler();
      await device.queue.onSubmittedWorkDone();
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve));
      await device.queue.onSubmittedWorkDone();
    };
    await work();
    expect(guestCollects).not.toHaveBeenCalled();
    occupy(70 << 20);
    await work();
    expect(guestCollects).toHaveBeenCalledOnce();
    expect(collected.mock.calls).toEqual([['major']]);
    expect(session.statistics.objects).toBeLessThan(310);
    await work();
    await work();
    expect(guestCollects).toHaveBeenCalledOnce();
    // Less than ever, and then as much again.
    occupy(-(140 << 20));
    await work();
    occupy(70 << 20);
    await work();
    expect(guestCollects).toHaveBeenCalledTimes(2);
  });

  it('does not take more than a twentieth of the time, of either side', async () => {
    const { memory, collect: collected, occupy } = hostMemory();
    let nowMs = 1000;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    onTestFinished(() => clock.mockRestore());
    collected.mockImplementation(() => void (nowMs += 10));
    const guestCollects = vi.fn<() => void>(() => void (nowMs += 50));
    const { connection, device } = await connected({ memory }, undefined, { collectGarbage: guestCollects });
    const startedMs = nowMs;
    for (let round = 0; round < 300; round++) {
      nowMs += 10;
      occupy(round % 2 === 0 ? 200 << 20 : -(200 << 20));
      for (let i = 0; i < 40; i++) device.createSampler();
      const gone = await (await connection.gpu.requestAdapter())!.requestDevice();
      gone.destroy();
      await gone.lost;
    }
    const spentMs = guestCollects.mock.calls.length * 50;
    expect(guestCollects.mock.calls.length).toBeGreaterThan(1);
    expect(spentMs / (nowMs - startedMs)).toBeLessThan(0.06);
    const majors = collected.mock.calls.filter(([type]) => type === 'major').length;
    expect(majors).toBeGreaterThan(1);
    expect((majors * 10) / (nowMs - startedMs)).toBeLessThan(0.06);
  });

  it('goes on where the guest cannot collect', async () => {
    const { memory, occupy } = hostMemory();
    const { device, session } = await connected({ memory });
    for (let round = 0; round < 5; round++) {
      occupy(70 << 20);
      for (let i = 0; i < 100; i++) device.createSampler();
      await device.queue.onSubmittedWorkDone();
    }
    expect(session.statistics.objects).toBeGreaterThan(500);
  });
});
