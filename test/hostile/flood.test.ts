import { encodeDeviceCreateBuffer, encodeStreamInjectError } from '@vesper-gpu/protocol/guest';
import { MAX_LABEL_BYTES, MAX_LABEL_LENGTH, MAX_MESSAGE_LENGTH, WireWriter } from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';
import { connected, type Connected } from '../session/pair.ts';
import { idAt } from './arena.ts';

const DEVICE = idAt(1);
/** What a flood may cost the host in texts that it sends whole; see packages/host/src/uncaptured-texts.ts. */
const WHOLE_TEXTS = 1 << 20;
/** Of each error behind them: a text of 256 units, and its record. */
const SHORT_ERROR = 3 * 256 + 64;

/** A guest that counts what it hears, and does not shout about it. */
async function listener(): Promise<Connected & { heard: () => number; longest: () => number }> {
  const guest = await connected();
  let [heard, longest] = [0, 0];
  guest.device.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    heard++;
    longest = Math.max(longest, (event as GPUUncapturedErrorEvent).error.message.length);
  });
  return { ...guest, heard: () => heard, longest: () => longest };
}

describe('a flood of errors', () => {
  it('of 100,000 is told whole, in a bounded number of bytes and of memory', async () => {
    const { guestEnd, session, device, heard, connection } = await listener();
    const errors = 100_000;
    const before = process.memoryUsage();
    const sentBefore = session.statistics.sentBytes;
    for (let sent = 0; sent < errors;) {
      const writer = new WireWriter(undefined, 1 << 20);
      for (let i = 0; i < 1000; i++) {
        const descriptor = { label: '', size: 4, usage: 0, mappedAtCreation: false };
        encodeDeviceCreateBuffer(writer, DEVICE, idAt(3 + sent++), descriptor);
      }
      guestEnd.send(writer.takeFrame());
      await device.queue.onSubmittedWorkDone();
    }
    expect(heard()).toBe(errors);
    expect(session.statistics.sentBytes - sentBefore).toBeLessThan(errors * 128);
    expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(64 << 20);
    await connection.close();
  });

  it('of the longest texts there are costs a bounded number of bytes', async () => {
    const { guestEnd, session, device, heard, longest, connection } = await listener();
    const errors = 5000;
    const sentBefore = session.statistics.sentBytes;
    for (let sent = 0; sent < errors; sent += 50) {
      const writer = new WireWriter(undefined, 1 << 20);
      for (let i = 0; i < 50; i++) encodeStreamInjectError(writer, DEVICE, 'internal', '€'.repeat(MAX_MESSAGE_LENGTH));
      guestEnd.send(writer.takeFrame());
      await device.queue.onSubmittedWorkDone();
    }
    expect([heard(), longest()]).toEqual([errors, MAX_MESSAGE_LENGTH]);
    const sent = session.statistics.sentBytes - sentBefore;
    expect(sent).toBeLessThan(3 * WHOLE_TEXTS + errors * SHORT_ERROR);
    await connection.close();
  });

  it('that the backend makes of a few words costs no more', async () => {
    const { guestEnd, session, device, backend, heard, connection } = await listener();
    const text = Buffer.alloc(1 << 20, 'x').toString();
    backend.fail = (name) => {
      if (name === 'label') throw new TypeError(text);
    };
    const sentBefore = session.statistics.sentBytes;
    for (let sent = 0; sent < 2000; sent++) {
      const words = Int32Array.of(16, 7 | (3 << 16), idAt(2), 0);
      guestEnd.send(new Uint8Array(words.buffer));
    }
    await device.queue.onSubmittedWorkDone();
    expect(heard()).toBe(2000);
    expect(session.statistics.sentBytes - sentBefore).toBeLessThan(WHOLE_TEXTS + 2000 * SHORT_ERROR);
    await connection.close();
  });
});

describe('a label of 64 MiB', () => {
  it('is cut before it leaves the guest, wherever there is a label', async () => {
    const { device, connection, backend } = await connected();
    const label = 'x'.repeat(64 << 20);
    const before = connection.statistics.sentBytes;
    device.queue.label = label;
    device.createBuffer({ label, size: 4, usage: 8 });
    const encoder = device.createCommandEncoder({ label });
    encoder.pushDebugGroup(label);
    encoder.insertDebugMarker(label);
    encoder.popDebugGroup();
    encoder.finish({ label });
    await device.queue.onSubmittedWorkDone();
    expect(connection.statistics.sentBytes - before).toBeLessThan(6 * MAX_LABEL_LENGTH + 1024);
    expect(backend.devices[0]!.queue.label.length).toBe(MAX_LABEL_LENGTH);
    // The program reads what it wrote.
    expect(device.queue.label.length).toBe(label.length);
    await connection.close();
  });

  it.each([
    ['in a frame of that size', 64 << 20, /frame-too-large/],
    ['in a record that says so', 1 << 20, /truncated|limit/],
    ['of as much as a frame holds', 4 << 20, /limit/],
    ['of a byte too much', MAX_LABEL_BYTES + 1, /limit/],
  ])('ends the session of a guest that sends it %s', async (what, byteLength, message) => {
    const { guestEnd, session, backend } = await connected();
    const calls = backend.calls.length;
    const words = new Int32Array(5 + Math.ceil(byteLength / 4)).fill(0x6161_6161);
    words.set([words.byteLength, 7, words.length - 1, idAt(2), what.includes('says') ? 64 << 20 : byteLength]);
    if (byteLength % 4 > 0) words[words.length - 1] = 0x61;
    const before = process.memoryUsage().arrayBuffers;
    guestEnd.send(new Uint8Array(words.buffer));
    const ended = await session.ended;
    expect([ended.reason, ended.message]).toEqual(['protocol', expect.stringMatching(message)]);
    // The device goes with the session; nothing else was called.
    expect(backend.calls.slice(calls)).toEqual(['device.destroy']);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(48 << 20);
  });
});
