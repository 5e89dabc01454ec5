import { connect } from '@vesper-gpu/guest';
import { serveGuest } from '@vesper-gpu/host';
import { encodeStreamInjectError } from '@vesper-gpu/protocol/guest';
import { encodeHello, WireWriter } from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';
import { idAt } from '../hostile/arena.ts';
import { NullGpu } from '../hostile/null-gpu.ts';
import { connected, HELLO, HOST_HELLO, outcome } from './pair.ts';
import { ScriptedTransport } from './scripted-transport.ts';

const nextTask = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The device's id, by the order in which a guest allocates. */
const DEVICE = idAt(1);

/** A frame of errors that the guest itself reports, each of which comes back as an event. */
function errorFrame(count: number, messageLength: number): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter(undefined, 1 << 20);
  for (let i = 0; i < count; i++) encodeStreamInjectError(writer, DEVICE, 'internal', 'x'.repeat(messageLength));
  return writer.takeFrame();
}

describe('a transport that breaks', () => {
  it('ends the session with what the transport says, and destroys the devices', async () => {
    const { session, guestEnd, backend } = await connected();
    // The same session, on a transport that the test can break.
    const transport = new ScriptedTransport();
    const broken = serveGuest(transport, { gpu: new NullGpu().api });
    transport.handlers.bytes(encodeHello(HELLO));
    transport.handlers.closed(new Error('read ECONNRESET'));
    expect(await broken.ended).toMatchObject({ reason: 'fault', message: 'read ECONNRESET' });
    // What the transport says later changes nothing.
    transport.handlers.bytes(encodeHello(HELLO));
    guestEnd.close();
    expect(await session.ended).toMatchObject({ reason: 'closed' });
    expect(backend.devices.map((device) => device.destroyed)).toEqual([1]);
  });

  it('before the hello ends the session too', async () => {
    const transport = new ScriptedTransport();
    const { ended } = serveGuest(transport, { gpu: new NullGpu().api });
    transport.handlers.closed(new Error('EPIPE'));
    expect(await ended).toMatchObject({ reason: 'fault', message: 'EPIPE' });
  });

  it('is told to a guest that awaits something', async () => {
    const transport = new ScriptedTransport();
    const connecting = connect(transport);
    transport.handlers.bytes(encodeHello(HOST_HELLO));
    const { gpu } = await connecting;
    const adapter = gpu.requestAdapter();
    await nextTask();
    expect(transport.sent.length).toBe(2);
    transport.handlers.closed(new Error('read ECONNRESET'));
    expect(await outcome(adapter)).toBe('null');
    expect(await outcome(gpu.requestAdapter())).toBe('null');
  });

  it('is told to a guest that connects', async () => {
    const transport = new ScriptedTransport();
    const connecting = connect(transport);
    transport.handlers.closed(new Error('ECONNREFUSED /run/x'));
    await expect(connecting).rejects.toThrow('ECONNREFUSED /run/x');
  });
});

describe('a program whose listeners throw', () => {
  /** Runs `run` while exceptions that nobody caught come here instead of ending the test. */
  async function catchUncaught(run: () => Promise<void>): Promise<unknown[]> {
    const caught: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => caught.push(error));
    try {
      await run();
      await nextTask();
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
    return caught;
  }

  it('keeps its connection, and hears of its fault as of any in a listener', async () => {
    const { device, connection } = await connected();
    let heard = 0;
    const fault = new Error('of the listener');
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      heard++;
      throw fault;
    });
    device.onuncapturederror = () => {
      heard++;
      throw fault;
    };
    const caught = await catchUncaught(async () => {
      device.createBuffer({ size: 4, usage: 0 });
      device.createBuffer({ size: 4, usage: 0 });
      await device.queue.onSubmittedWorkDone();
    });
    expect(heard).toBe(4);
    expect(caught).toEqual([fault, fault, fault, fault]);
    expect(await outcome(device.queue.onSubmittedWorkDone())).toBe('undefined');
    await connection.close();
  });
});

describe('a guest that does not read', () => {
  it('is not read from either, and loses nothing once it reads again', async () => {
    const { session, guestEnd, device, connection } = await connected();
    let heard = 0;
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      heard++;
    });
    guestEnd.pause();
    // Many small ones: the texts of a flood are cut.
    const [frames, errors] = [128, 512];
    const frame = errorFrame(errors, 256);
    let sent = 0;
    let isFull = false;
    while (sent < frames && !isFull) {
      isFull = !guestEnd.send(frame.slice());
      sent++;
      await nextTask();
    }
    // The host stops within what the transport holds in each direction.
    expect(isFull).toBe(true);
    let before = -1;
    while (before !== session.statistics.receivedBytes) {
      before = session.statistics.receivedBytes;
      for (let i = 0; i < 10; i++) await nextTask();
    }
    expect(session.statistics.sentBytes).toBeLessThan((4 << 20) + 2 * frame.byteLength);
    expect(before).toBeLessThan((4 << 20) + 4 * frame.byteLength);
    expect(heard).toBe(0);
    guestEnd.resume();
    await device.queue.onSubmittedWorkDone();
    expect(heard).toBe(sent * errors);
    await connection.close();
  });

  it('pauses the host when the transport is full, and lets it go on when it has drained', async () => {
    const transport = new ScriptedTransport();
    serveGuest(transport, { gpu: new NullGpu().api });
    transport.handlers.bytes(encodeHello(HELLO));
    transport.hasRoom = false;
    // requestAdapter, request 1, a new id, no options: the answer finds no room.
    transport.handlers.bytes(new Uint8Array(Int32Array.of(20, 8 | (4 << 16), 1, idAt(0), 0).buffer));
    await nextTask();
    expect([transport.pauses, transport.resumes]).toEqual([1, 0]);
    transport.handlers.drained?.();
    expect([transport.pauses, transport.resumes]).toEqual([1, 1]);
  });

  it('cannot make the host keep long texts of its own: messages are cut', async () => {
    const { guestEnd, device, connection } = await connected();
    device.pushErrorScope('internal');
    guestEnd.send(errorFrame(1, 1 << 20));
    const messages: string[] = [];
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      messages.push((event as GPUUncapturedErrorEvent).error.message);
    });
    await device.queue.onSubmittedWorkDone();
    guestEnd.send(errorFrame(1, 1 << 20));
    const caught = await device.popErrorScope();
    expect(messages.map((message) => message.length)).toEqual([16 << 10]);
    expect(caught?.message.length).toBe(16 << 10);
    await connection.close();
  });
});
