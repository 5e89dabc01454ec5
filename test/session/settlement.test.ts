import { describe, expect, it } from 'vitest';
import { connected, frameOf, outcome, type Connected } from './pair.ts';

/** Of a backend that answers nothing any more. */
const never = (): Promise<void> => new Promise(() => {});

/** One of each promise that a program can wait for, all pending. */
async function pendingPromises(options = {}): Promise<{ guest: Connected; pending: Record<string, Promise<unknown>> }> {
  const guest = await connected(options);
  const { device, connection, backend } = guest;
  const second = await connection.gpu.requestAdapter();
  const buffer = device.createBuffer({ size: 16, usage: 1 });
  const module = device.createShaderModule({ code: '' });
  backend.gate = never;
  device.pushErrorScope('validation');
  const stage = { module };
  const pending = {
    requestAdapter: connection.gpu.requestAdapter(),
    requestDevice: second!.requestDevice(),
    mapAsync: buffer.mapAsync(1),
    popErrorScope: device.popErrorScope(),
    onSubmittedWorkDone: device.queue.onSubmittedWorkDone(),
    getCompilationInfo: module.getCompilationInfo(),
    createComputePipelineAsync: device.createComputePipelineAsync({ layout: 'auto', compute: stage }),
    createRenderPipelineAsync: device.createRenderPipelineAsync({ layout: 'auto', vertex: stage }),
  };
  // Not every test asks how they ended.
  for (const promise of Object.values(pending)) promise.catch(() => {});
  return { guest, pending };
}

/** What the specification says of each when the device is lost. */
const SETTLED = {
  requestAdapter: 'null',
  requestDevice: 'a GPUDevice',
  mapAsync: 'AbortError',
  popErrorScope: 'null',
  onSubmittedWorkDone: 'undefined',
  getCompilationInfo: 'a GPUCompilationInfo',
  createComputePipelineAsync: 'a GPUComputePipeline',
  createRenderPipelineAsync: 'a GPURenderPipeline',
};

async function outcomes(pending: Record<string, Promise<unknown>>): Promise<Record<string, string>> {
  const entries = Object.entries(pending).map(async ([name, promise]) => [name, await outcome(promise)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Ways for a session to end, and what the guest is told of each. */
const ENDS: [string, (guest: Connected) => void, RegExp][] = [
  ['the host closes the session', ({ session }) => session.close(), /the host closed the connection/],
  [
    'the guest sends a record that is none',
    ({ guestEnd }) => void guestEnd.send(frameOf(999 | (1 << 16))),
    /unknown-record: no command has opcode 999 \(opcode 999, byte 4\)/,
  ],
  [
    'the guest sends a frame that is none',
    ({ guestEnd }) => void guestEnd.send(new Uint8Array([7, 0, 0, 0])),
    /bad-frame: a frame of 7 bytes/,
  ],
  [
    'the guest sends a frame that is too large',
    ({ guestEnd }) => void guestEnd.send(new Uint8Array([0, 0, 0, 0xf0])),
    /frame-too-large: a frame of 4026531840 bytes/,
  ],
  [
    'the guest names an object that is none',
    ({ guestEnd }) => void guestEnd.send(frameOf(10 | (2 << 16), 0x7fff_ffff)),
    /bad-object: id 2147483647 is not bound/,
  ],
];

describe.each(ENDS)('when %s', (_, end, message) => {
  it('every pending promise settles, and the device is lost with the reason', async () => {
    const { guest, pending } = await pendingPromises();
    end(guest);
    expect(await outcomes(pending)).toEqual(SETTLED);
    const lost = await guest.device.lost;
    expect(lost.reason).toBe('unknown');
    expect(lost.message).toMatch(message);
    // The device that came too late is lost from the start.
    expect((await (await (pending['requestDevice'] as Promise<GPUDevice>)).lost).reason).toBe('unknown');
  });

  it('what is called afterwards settles too, and throws nothing', async () => {
    const { guest, pending } = await pendingPromises();
    end(guest);
    await outcomes(pending);
    const { device, connection } = guest;
    const buffer = device.createBuffer({ size: 16, usage: 1 });
    device.queue.writeBuffer(buffer, 0, new Uint8Array(16));
    const encoder = device.createCommandEncoder();
    encoder.beginComputePass().end();
    device.queue.submit([encoder.finish()]);
    const module = device.createShaderModule({ code: '' });
    const later = {
      requestAdapter: connection.gpu.requestAdapter(),
      mapAsync: buffer.mapAsync(1),
      popErrorScope: device.popErrorScope(),
      onSubmittedWorkDone: device.queue.onSubmittedWorkDone(),
      getCompilationInfo: module.getCompilationInfo(),
      createComputePipelineAsync: device.createComputePipelineAsync({ layout: 'auto', compute: { module } }),
      createRenderPipelineAsync: device.createRenderPipelineAsync({ layout: 'auto', vertex: { module } }),
    };
    const { requestDevice: _unused, ...expected } = SETTLED;
    expect(await outcomes(later)).toEqual(expected);
  });

  it('the host says why, and has destroyed what it made', async () => {
    const { guest } = await pendingPromises();
    end(guest);
    const ended = await guest.session.ended;
    // What the host did itself is no fault of the guest's.
    const isOurs = message.source.startsWith('the host');
    expect(ended.reason).toBe(isOurs ? 'closed' : 'protocol');
    expect(ended.message).toMatch(isOurs ? /the host ended the session/ : message);
    expect(guest.backend.devices.map((device) => device.destroyed)).toEqual([1]);
  });
});

describe('when the guest leaves', () => {
  it('its own promises settle, and the host has destroyed what it made', async () => {
    const { guest, pending } = await pendingPromises();
    await guest.connection.close();
    expect(await outcomes(pending)).toEqual(SETTLED);
    expect(await guest.session.ended).toMatchObject({ reason: 'closed' });
    expect(guest.backend.devices.map((device) => device.destroyed)).toEqual([1]);
  });

  it('within a frame, the host says so', async () => {
    const { session, guestEnd, device } = await connected();
    guestEnd.send(new Uint8Array([16, 0, 0, 0, 1, 2]));
    guestEnd.close();
    expect(await session.ended).toMatchObject({ reason: 'protocol', message: expect.stringMatching(/truncated/) });
    expect((await device.lost).reason).toBe('unknown');
  });
});
