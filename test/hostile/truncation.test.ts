import { serveGuest } from '@vesper-gpu/host';
import { describe, expect, it } from 'vitest';
import { HELLO, helloBytes } from '../session/pair.ts';
import { ScriptedTransport } from '../session/scripted-transport.ts';
import { commands } from '../wire/schema.ts';
import { Arena, frame } from './arena.ts';
import { baseline, selectFor, VARIANTS } from './baselines.ts';
import { NullGpu } from './null-gpu.ts';

describe.each(commands.map((command) => [command.name, command] as const))('%s, cut at every byte', (_, command) => {
  it('waits for its last byte, and does nothing before', async () => {
    for (let variant = 0; variant < VARIANTS; variant++) {
      const arena = await Arena.open();
      selectFor(command, arena, variant);
      const objects = arena.connection.objectCount;
      const bytes = frame(baseline(command, arena, variant).record(), arena.canary());
      for (let at = 0; at < bytes.byteLength - 1; at++) {
        expect(arena.sendBytes(bytes.subarray(at, at + 1)).refusal).toBeUndefined();
        const { stream, objectCount } = arena.connection;
        expect([stream.isWithinFrame, objectCount, ...arena.gpu.calls], `${at + 1} bytes`).toEqual([true, objects]);
      }
      expect(arena.sendBytes(bytes.subarray(-1)).refusal).toBeUndefined();
      expect([arena.canaryRan, arena.connection.stream.isWithinFrame]).toEqual([true, false]);
    }
  });

  it('ends the session as truncated when the guest leaves', async () => {
    const bytes = frame(baseline(command, await Arena.open(), 0).record());
    const hello = helloBytes(HELLO);
    const wrong: string[] = [];
    for (let cut = 1; cut < bytes.byteLength; cut++) {
      const backend = new NullGpu();
      const transport = new ScriptedTransport();
      const { ended } = serveGuest(transport, { gpu: backend.api, turnMs: Infinity });
      transport.handlers.bytes(hello);
      transport.handlers.bytes(bytes.subarray(0, cut));
      transport.handlers.closed();
      const { reason, message } = await ended;
      if (reason !== 'protocol' || !message.startsWith('truncated') || backend.calls.length > 0)
        wrong.push(`${cut} bytes: ${reason}: ${message}; ${backend.calls.join()}`);
    }
    expect(wrong).toEqual([]);
  });

  it('is refused when the frame says that it ends there', async () => {
    const arena = await Arena.open();
    selectFor(command, arena, 0);
    const whole = frame(baseline(command, arena, 0).record());
    for (let cut = 0; cut < whole.byteLength; cut++) {
      const one = await Arena.open();
      selectFor(command, one, 0);
      const bytes = whole.slice(0, Math.max(4, cut));
      new DataView(bytes.buffer).setUint32(0, cut, true);
      const { refusal } = one.sendBytes(bytes);
      // A frame of four bytes holds no record: that is none too few.
      const expected = cut === 4 ? undefined : cut < 4 || cut % 4 !== 0 ? 'bad-frame' : 'truncated';
      expect(refusal?.reason, `${cut} bytes`).toBe(expected);
      expect(one.gpu.calls).toEqual([]);
    }
  });
});
