import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { encodeQueueWriteBuffer, encodeObjectBaseLabel } from '@vesper-gpu/protocol/guest';
import { FrameReader, OPCODE_BEGIN_BULK, OPCODE_BULK_CHUNK, WireWriter } from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';
import { connected } from '../session/pair.ts';
import { commands, enumValues } from '../wire/schema.ts';
import { Arena, frame, settle } from './arena.ts';
import { baseline, selectFor } from './baselines.ts';
import { NullObject } from './null-objects.ts';
import { illTyped } from './verdict.ts';

/** The same bytes where other threads can write. */
function shared(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  copy.set(bytes);
  return copy;
}

/** Views of memory in the arguments of a call. */
function viewsIn(value: unknown): ArrayBufferView[] {
  if (ArrayBuffer.isView(value)) return [value];
  if (typeof value !== 'object' || value === null || value instanceof NullObject) return [];
  return Object.values(value).flatMap(viewsIn);
}

describe('memory that the guest rewrites while the host decodes', () => {
  it('does not change what is behind the record that runs', async () => {
    for (const command of commands) {
      const arena = await Arena.open();
      selectFor(command, arena, 0);
      const bytes = shared(frame(arena.canary(), baseline(command, arena, 0).record(), arena.canary()));
      const calls: string[] = [];
      // At each call of the backend, everything that is still to be decoded turns into what would be refused.
      arena.gpu.fail = (name) => {
        calls.push(name);
        bytes.fill(0xff);
      };
      expect(arena.sendBytes(bytes).refusal, command.name).toBeUndefined();
      await settle();
      expect(calls.filter((name) => name === 'label').length, command.name).toBeGreaterThanOrEqual(2);
      expect(arena.faults).toEqual([]);
    }
  });

  it('is never what the backend is given', async () => {
    for (const command of commands) {
      const arena = await Arena.open();
      selectFor(command, arena, 0);
      const record = baseline(command, arena, 0).record();
      const memory = shared(frame(record, arena.canary()));
      let views = 0;
      arena.gpu.fail = (name, args) => {
        for (const view of viewsIn(args)) {
          views++;
          const before = Uint8Array.from(view as Uint8Array);
          memory.fill(0xff);
          expect(view.buffer, name).toBeInstanceOf(ArrayBuffer);
          expect(Uint8Array.from(view as Uint8Array), name).toEqual(before);
        }
      };
      expect(arena.sendBytes(memory).refusal, command.name).toBeUndefined();
      await settle();
      const takesBytes = command.class === 'bulk' && command.name !== 'GPUBuffer.unmap';
      expect(views > 0 || !takesBytes, command.name).toBe(true);
    }
  });

  it('does not reach bulk data that has arrived', async () => {
    const arena = await Arena.open();
    const data = Uint8Array.from({ length: 64 }, (_, index) => index);
    const record = (opcode: number, ...words: number[]): Int32Array<ArrayBuffer> =>
      Int32Array.of(opcode | ((words.length + 1) << 16), ...words);
    const chunk = record(OPCODE_BULK_CHUNK, data.byteLength, ...new Int32Array(data.buffer));
    const memory = shared(frame(record(OPCODE_BEGIN_BULK, data.byteLength), chunk));
    expect(arena.sendBytes(memory).refusal).toBeUndefined();
    memory.fill(0xff);
    const seen: number[][] = [];
    arena.gpu.fail = (_, args) => void seen.push(...viewsIn(args).map((view) => [...(view as Uint8Array)]));
    const write = commands.find((command) => command.name === 'GPUQueue.writeBuffer')!.opcode;
    const use = record(write, arena.idOf('GPUQueue'), arena.idOf('GPUBuffer'), 0, 0, 1, data.byteLength);
    expect(arena.send(use).refusal).toBeUndefined();
    expect(seen).toEqual([[...data]]);
  });

  it('does not change a frame of which a part has arrived, wherever it is cut', async () => {
    const model = await Arena.open();
    const bytes = frame(model.canary());
    for (let cut = 1; cut < bytes.byteLength; cut++) {
      const frames = new FrameReader(1 << 16);
      const memory = shared(bytes);
      const got: Uint8Array[] = [];
      const deliver = (records: Uint8Array): void => void got.push(records);
      frames.push(memory.subarray(0, cut), deliver);
      memory.fill(0xff, 0, cut);
      frames.push(memory.subarray(cut), deliver);
      memory.fill(0xff);
      expect(got, `${cut} bytes`).toEqual([bytes.subarray(4)]);
      expect(got[0]!.buffer).toBeInstanceOf(ArrayBuffer);
    }
  });

  it('by a thread that never stops, costs the session and nothing else', async () => {
    // A writeTexture: an id, an enum, a presence mask, a count and bytes, each of which the thread makes good and bad.
    const arena = await Arena.open();
    const command = commands.find((one) => one.name === 'GPUQueue.writeTexture')!;
    const layout = baseline(command, arena, 0);
    const good = frame(layout.record(), arena.canary());
    const memory = shared(good);
    const words = new Int32Array(memory.buffer);
    // Not the header of the frame: a length that lies would leave the stream within a frame for ever.
    const places = layout.pieces.flatMap(({ start, words: count }) =>
      Array.from({ length: count }, (_, index) => 1 + start + index),
    );
    const control = new Int32Array(new SharedArrayBuffer(8));
    const thread = new Worker(REWRITER, {
      eval: true,
      workerData: { words, control, places, good: places.map((place) => words[place]!) },
    });
    const aspects = new Set(enumValues('GPUTextureAspect').map((one) => one.name));
    const wrong: string[] = [];
    arena.gpu.fail = (name, args) => {
      if (name === 'label') return;
      for (const view of viewsIn(args)) if (!(view.buffer instanceof ArrayBuffer)) wrong.push('shared memory');
      const { aspect, texture } = args[0] as { aspect?: string; texture: object };
      if (aspect !== undefined && !aspects.has(aspect)) wrong.push(`the aspect ${aspect}`);
      if (texture.constructor.name !== 'NullTexture') wrong.push(`a ${texture.constructor.name} for a texture`);
    };
    try {
      // One round of the thread, so that it is known to run.
      while (Atomics.load(control, 1) === 0) await new Promise((resolve) => setImmediate(resolve));
      let [taken, refused] = [0, 0];
      const end = Date.now() + 20_000;
      while ((taken < 200 || refused < 200 || taken + refused < 20_000) && Date.now() < end) {
        const { refusal } = arena.sendBytes(memory);
        if (refusal === undefined) {
          taken++;
        } else {
          refused++;
          const ill = illTyped(refusal, undefined, good.byteLength);
          if (ill !== undefined) wrong.push(ill);
        }
        if (arena.gpu.calls.length > 1000) arena.gpu.calls.length = 0;
        if ((taken + refused) % 500 === 0) await settle();
      }
      expect(wrong.slice(0, 5)).toEqual([]);
      expect(arena.faults).toEqual([]);
      // Both happened: the thread did rewrite what was being read.
      expect(Math.min(taken, refused)).toBeGreaterThan(0);
    } finally {
      Atomics.store(control, 0, 1);
      await once(thread, 'exit');
    }
  });
});

/** Makes one word after the other bad and good again, until it is told to stop. */
const REWRITER = `
  const { workerData: { words, control, places, good } } = require('node:worker_threads');
  const bad = [-1, 0, 0x7fffffff, 0xff];
  for (let turn = 0; Atomics.load(control, 0) === 0; turn++) {
    const at = turn % places.length;
    for (let i = 0; i < 200; i++) {
      words[places[at]] = bad[turn % bad.length];
      words[places[at]] = good[at];
    }
    Atomics.add(control, 1, 1);
  }
`;

describe('an in-process transport, which hands arrays over', () => {
  it('lets a guest that keeps what it sent change nothing that the host has checked', async () => {
    const { guestEnd, backend, session, connection } = await connected();
    const writer = new WireWriter();
    const queue = (1 << 22) | 2;
    encodeObjectBaseLabel(writer, queue, 'one');
    encodeObjectBaseLabel(writer, queue, 'two');
    const bytes = writer.takeFrame();
    const labels: unknown[] = [];
    backend.fail = (name, args) => {
      if (name !== 'label') return;
      labels.push(args[0]);
      bytes.fill(0xff, 4);
    };
    guestEnd.send(bytes);
    await connection.gpu.requestAdapter();
    expect(labels).toEqual(['one', 'two']);
    connection.close();
    expect(await session.ended).toMatchObject({ reason: 'closed' });
  });

  it('takes the bytes of a SharedArrayBuffer from a program, and gives the backend its own', async () => {
    const { backend, device, connection } = await connected();
    const buffer = device.createBuffer({ size: 4 << 20, usage: 8 });
    for (const byteLength of [4, 64, 4096, (1 << 20) + 4, 3 << 20]) {
      const memory = new Uint8Array(new SharedArrayBuffer(byteLength)).fill(7);
      const given: ArrayBufferView[] = [];
      backend.fail = (name, args) => void (name === 'writeBuffer' && given.push(...viewsIn(args)));
      device.queue.writeBuffer(buffer, 0, memory);
      // The call has returned: what the program writes now is another matter.
      memory.fill(9);
      await device.queue.onSubmittedWorkDone();
      expect(given.length).toBe(1);
      expect(given[0]!.buffer).toBeInstanceOf(ArrayBuffer);
      expect(given[0]!.byteLength).toBe(byteLength);
      expect((given[0] as Uint8Array).every((byte) => byte === 7)).toBe(true);
    }
    await connection.close();
  });

  it('takes a frame out of a SharedArrayBuffer that a guest sends from', async () => {
    const { guestEnd, backend, device, connection } = await connected();
    const buffer = device.createBuffer({ size: 64, usage: 8 });
    await device.queue.onSubmittedWorkDone();
    const writer = new WireWriter();
    encodeQueueWriteBuffer(writer, (1 << 22) | 2, (1 << 22) | 3, 0, Uint8Array.of(1, 2, 3, 4));
    const memory = shared(writer.takeFrame());
    const given: number[][] = [];
    backend.fail = (name, args) => {
      if (name !== 'writeBuffer') return;
      memory.fill(0xff);
      for (const view of viewsIn(args)) given.push([...(view as Uint8Array)]);
    };
    guestEnd.send(memory as unknown as Uint8Array<ArrayBuffer>);
    await device.queue.onSubmittedWorkDone();
    expect(given).toEqual([[1, 2, 3, 4]]);
    expect(buffer.size).toBe(64);
    await connection.close();
  });
});
