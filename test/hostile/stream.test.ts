import { BULK_CHUNK_BYTES, MAX_LABEL_BYTES, OPCODE_BEGIN_BULK, OPCODE_BULK_CHUNK } from '@vesper-gpu/wire';
import { describe, expect, it, vi } from 'vitest';
import { commands, events, interfaceNumbers } from '../wire/schema.ts';
import { Arena, frame, idAt, LIMITS, settle } from './arena.ts';
import { baseline } from './baselines.ts';

const opcodeOf = (name: string): number => commands.find((command) => command.name === name)!.opcode;
const RELEASE = opcodeOf('VesperStream.release');
const CREATE_SAMPLER = opcodeOf('GPUDevice.createSampler');
const WRITE_BUFFER = opcodeOf('GPUQueue.writeBuffer');

function record(opcode: number, ...words: number[]): Int32Array<ArrayBuffer> {
  return Int32Array.of(opcode | ((words.length + 1) << 16), ...words);
}

/** A record of one word and zeros, long or short. */
function longRecord(opcode: number, word: number, zeros: number): Int32Array<ArrayBuffer> {
  if (zeros < 0xfff0) return record(opcode, word, ...Array.from({ length: zeros }, () => 0));
  const words = new Int32Array(3 + zeros);
  words.set([opcode, words.length, word]);
  return words;
}

const release = (...ids: number[]): Int32Array<ArrayBuffer> => record(RELEASE, ids.length, ...ids);
const begin = (byteLength: number): Int32Array<ArrayBuffer> => record(OPCODE_BEGIN_BULK, byteLength);
const chunk = (byteLength: number): Int32Array<ArrayBuffer> =>
  longRecord(OPCODE_BULK_CHUNK, byteLength, Math.ceil(byteLength / 4));

describe('an unknown record', () => {
  it('is refused, whatever its number', async () => {
    const known = new Set([OPCODE_BEGIN_BULK, OPCODE_BULK_CHUNK, ...commands.map((command) => command.opcode)]);
    const arena = await Arena.open();
    const wrong: string[] = [];
    for (let opcode = 0; opcode <= 0xffff; opcode++) {
      if (known.has(opcode) || (opcode > 300 && opcode % 97 !== 0 && opcode !== 0xffff)) continue;
      const { refusal } = arena.send(record(opcode, 1, 2, 3), arena.canary());
      if (refusal?.reason !== 'unknown-record' || refusal.opcode !== opcode)
        wrong.push(`${opcode}: ${String(refusal)}`);
    }
    expect(wrong).toEqual([]);
    expect(arena.canaryRan).toBe(false);
    // An event is nothing that a guest may send.
    for (const { opcode } of events) expect(known.has(opcode)).toBe(false);
  });
});

describe('release', () => {
  it('of an id twice is refused, in one record or in two', async () => {
    const first = await Arena.open();
    const id = first.idOf('GPUSampler');
    expect(first.send(release(id, id)).refusal?.reason).toBe('bad-id');
    const second = await Arena.open();
    expect(second.send(release(id)).refusal).toBeUndefined();
    const { refusal } = second.send(release(id));
    expect([refusal?.reason, refusal?.opcode]).toEqual(['bad-id', RELEASE]);
    expect(refusal?.offset).toBeGreaterThanOrEqual(0);
  });

  it('frees the slot for the next generation only', async () => {
    const sampler = (arena: Arena, id: number): Int32Array<ArrayBuffer> =>
      record(CREATE_SAMPLER, arena.idOf('GPUDevice'), id);
    for (const [generation, reason] of [
      [0, 'bad-id'],
      [1, 'bad-id'],
      [2, undefined],
      [1023, undefined],
    ] as const) {
      const arena = await Arena.open();
      const id = arena.idOf('GPUSampler');
      const { refusal } = arena.send(release(id), sampler(arena, idAt(id & 0x3f_ffff, generation)));
      expect(refusal?.reason, `generation ${generation}`).toBe(reason);
    }
  });

  it('of what others are made of does not harm them', async () => {
    const arena = await Arena.open();
    const all = [...arena.ids.keys()].filter((name) => name !== 'GPUQueue').map(arena.idOf);
    const { refusal } = arena.send(release(...all, arena.reserved), arena.canary());
    expect(refusal).toBeUndefined();
    expect(arena.canaryRan).toBe(true);
    await settle();
    expect(arena.faults).toEqual([]);
  });

  it('of a promised object leaves nothing to be bound when it comes', async () => {
    const arena = await Arena.open();
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    arena.gpu.gate = () => gate;
    const [device, queue] = arena.freshIds(2) as [number, number];
    const request = record(opcodeOf('GPUAdapter.requestDevice'), arena.idOf('GPUAdapter'), 7, device, queue, 0);
    const again = idAt(device & 0x3f_ffff, 2);
    // The slot serves a sampler of the first device before the second device is there.
    const sampler = record(CREATE_SAMPLER, arena.idOf('GPUDevice'), again);
    expect(arena.send(request, release(device, queue), sampler).refusal).toBeUndefined();
    open();
    await settle();
    expect(arena.faults).toEqual([]);
    expect(arena.send(record(opcodeOf('GPUDevice.destroy'), device)).refusal?.reason).toBe('bad-object');
    // Nobody can ever name it, so it is not kept.
    expect(arena.gpu.devices.map((one) => one.destroyed)).toEqual([0, 1]);
    // Its label fails, which is an error of the device that made it.
    const [first] = arena.gpu.devices;
    const heard = vi.spyOn(arena.connection, 'report');
    const label = record(opcodeOf('GPUObjectBase.label'), again, 0);
    arena.gpu.fail = (name) => {
      if (name === 'label') throw new TypeError('no labels');
    };
    expect(arena.send(label).refusal).toBeUndefined();
    expect(heard).toHaveBeenCalledOnce();
    expect(heard.mock.calls[0]![0].device).toBe(first);
  });
});

describe('a device', () => {
  it('goes when the last id that leads to it does, whatever other devices and adapters there are', async () => {
    const arena = await Arena.open();
    // Request ids are the guest's to choose: these are also the slots of objects of the first device.
    for (let request = 0; request < arena.nextSlot; request++) {
      const adapter = arena.freshIds(arena.nextSlot)[request]!;
      const options = [request, adapter, 0];
      expect(arena.send(record(opcodeOf('GPU.requestAdapter'), ...options)).refusal).toBeUndefined();
    }
    await settle();
    const others = [...arena.ids.entries()].filter(([name]) => name !== 'GPUAdapter').map(([, id]) => id);
    const all = new Set(others);
    for (let slot = 0; slot < arena.nextSlot; slot++) {
      const id = idAt(slot);
      if (id !== arena.idOf('GPUAdapter') && id !== arena.reserved && id !== arena.stale) all.add(id);
    }
    expect(arena.send(release(...all)).refusal).toBeUndefined();
    expect(arena.gpu.devices.map((one) => one.destroyed)).toEqual([1]);
  });
});

describe('new ids', () => {
  it('are taken in the order of their slots, and no further than the limit', async () => {
    const arena = await Arena.open();
    const sampler = (id: number): Int32Array<ArrayBuffer> => record(CREATE_SAMPLER, arena.idOf('GPUDevice'), id);
    for (let slot = arena.nextSlot; slot < LIMITS.maxObjects; slot++) {
      expect(arena.send(sampler(idAt(slot))).refusal).toBeUndefined();
    }
    const count = arena.connection.objectCount;
    expect(arena.send(sampler(idAt(LIMITS.maxObjects))).refusal?.reason).toBe('limit');
    expect(arena.connection.objectCount).toBe(count);
  });

  it('of a pair are refused together', async () => {
    for (const ids of [
      (a: Arena) => [a.freshIds(1)[0]!, a.freshIds(1)[0]!],
      (a: Arena) => [a.freshIds(2)[1]!, a.freshIds(1)[0]!],
      (a: Arena) => [a.freshIds(1)[0]!, a.idOf('GPUBuffer')],
    ]) {
      const arena = await Arena.open();
      const request = record(opcodeOf('GPUAdapter.requestDevice'), arena.idOf('GPUAdapter'), 7, ...ids(arena), 0);
      expect(arena.send(request).refusal?.reason).toBe('bad-id');
      expect(arena.gpu.calls).toEqual([]);
    }
  });
});

describe('bulk data', () => {
  const write = (arena: Arena, byteLength: number): Int32Array<ArrayBuffer> =>
    record(WRITE_BUFFER, arena.idOf('GPUQueue'), arena.idOf('GPUBuffer'), 0, 0, 1, byteLength);

  it('is used once, by a record that names its length', async () => {
    const arena = await Arena.open();
    expect(arena.send(begin(8), chunk(8), write(arena, 8)).refusal).toBeUndefined();
    expect(arena.gpu.calls).toEqual(['writeBuffer']);
    expect(arena.send(write(arena, 8)).refusal?.reason).toBe('bad-bulk');
  });

  it.each([
    ['a chunk that was not announced', () => [chunk(4)]],
    ['two announcements', () => [begin(8), begin(8)]],
    ['an announcement of nothing', () => [begin(0)]],
    ['an empty chunk', () => [begin(8), chunk(0)]],
    ['more than was announced', () => [begin(8), chunk(12)]],
    ['more than was announced, in two chunks', () => [begin(8), chunk(4), chunk(8)]],
    ['a chunk behind the last', () => [begin(8), chunk(8), chunk(4)]],
    ['a use before it is complete', (arena: Arena) => [begin(8), chunk(4), write(arena, 8)]],
    ['a use of its part', (arena: Arena) => [begin(8), chunk(8), write(arena, 4)]],
    ['a use of more', (arena: Arena) => [begin(8), chunk(8), write(arena, 12)]],
    ['a use of nothing', (arena: Arena) => [begin(8), chunk(8), write(arena, 0)]],
    ['a use without it', (arena: Arena) => [write(arena, 8)]],
    ['a use out of order', (arena: Arena) => [begin(8), chunk(8), begin(4), chunk(4), write(arena, 4)]],
    ['a use of 2^32 - 1 bytes', (arena: Arena) => [begin(8), chunk(8), write(arena, -1)]],
  ] as [string, (arena: Arena) => Int32Array<ArrayBuffer>[]][])('is refused: %s', async (_, records) => {
    const arena = await Arena.open();
    const { refusal } = arena.send(...records(arena), arena.canary());
    expect(refusal?.reason).toBe('bad-bulk');
    expect(arena.canaryRan).toBe(false);
    expect(arena.gpu.calls).toEqual([]);
  });

  it('is refused beyond its limit, before any memory is taken', async () => {
    const arena = await Arena.open();
    const before = process.memoryUsage().arrayBuffers;
    for (const byteLength of [LIMITS.maxBulkBytes + 1, 0x7fff_ffff, -1]) {
      expect(arena.send(begin(byteLength)).refusal?.reason).toBe('limit');
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  });

  it('costs little while little of it has come', async () => {
    const arena = await Arena.open({ maxBulkBytes: 2 ** 31 });
    const before = process.memoryUsage().arrayBuffers;
    expect(arena.send(begin(2 ** 31 - 1), chunk(4)).refusal).toBeUndefined();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * BULK_CHUNK_BYTES);
  });

  it('waits in a bounded number of blocks, of bounded size', async () => {
    const arena = await Arena.open();
    let taken = 0;
    while (arena.send(begin(1), chunk(1)).refusal === undefined && taken < 1e5) taken++;
    expect(taken).toBeLessThan(1e4);
    const other = await Arena.open({ maxFrameBytes: 16 << 20 });
    const million = chunk(1 << 20);
    const verdicts = [1, 2, 3, 4, 5].map(() => other.send(begin(1 << 20), million).refusal?.reason);
    expect(verdicts).toEqual([undefined, undefined, undefined, undefined, 'limit']);
  });
});

describe('a frame', () => {
  it('is refused when its length is none, or more than the limit', async () => {
    for (const [length, reason] of [
      [0, 'bad-frame'],
      [1, 'bad-frame'],
      [3, 'bad-frame'],
      [5, 'bad-frame'],
      [0x7fff_ffff, 'bad-frame'],
      [LIMITS.maxFrameBytes + 4, 'frame-too-large'],
      [0xffff_fffc, 'frame-too-large'],
      [0x8000_0000, 'frame-too-large'],
    ] as const) {
      const arena = await Arena.open();
      const before = process.memoryUsage().arrayBuffers;
      const { refusal } = arena.sendBytes(new Uint8Array(Int32Array.of(length).buffer));
      expect(refusal?.reason, `${length} bytes`).toBe(reason);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
    }
  });

  it('without records is no fault', async () => {
    const arena = await Arena.open();
    expect(arena.send().refusal).toBeUndefined();
    expect(arena.send(arena.canary()).refusal).toBeUndefined();
    expect(arena.canaryRan).toBe(true);
  });

  it('waits for its last byte, wherever it is cut', async () => {
    const arena = await Arena.open();
    const bytes = frame(arena.canary());
    for (let cut = 1; cut < bytes.byteLength; cut++) {
      const one = await Arena.open();
      expect(one.sendBytes(bytes.subarray(0, cut)).refusal).toBeUndefined();
      expect([one.canaryRan, one.connection.stream.isWithinFrame], `${cut} bytes`).toEqual([false, true]);
      expect(one.sendBytes(bytes.subarray(cut)).refusal).toBeUndefined();
      expect([one.canaryRan, one.connection.stream.isWithinFrame], `${cut} bytes`).toEqual([true, false]);
    }
  });

  it('that ends within a record is refused, wherever it ends', async () => {
    for (const command of commands) {
      const arena = await Arena.open();
      const words = baseline(command, arena, 0).record();
      for (let cut = 1; cut < words.length; cut++) {
        const { refusal } = arena.send(words.slice(0, cut));
        expect(refusal?.reason, `${command.name} cut to ${cut} words`).toBe('truncated');
      }
      expect(arena.gpu.calls, command.name).toEqual([]);
    }
  });
});

describe('memory', () => {
  it('is not taken for a count before the record was seen to hold as many', async () => {
    const arena = await Arena.open();
    const words = release(arena.idOf('GPUSampler'));
    const from = vi.spyOn(Array, 'from');
    for (const count of [2, 3, 1000, 0x3fff_ffff, 0x7fff_ffff, -1]) {
      words[1] = count;
      from.mockClear();
      expect(arena.send(words).refusal?.reason, `${count} ids`).toBe('truncated');
      expect(from.mock.calls.length, `${count} ids`).toBe(0);
    }
    from.mockRestore();
  });

  it('is not taken for a count of 0 words an item', () => {
    // Every item takes a word at least, so that a count is bounded by its record.
    for (const command of commands) {
      for (const field of command.fields) expect(field.type.kind, command.name).not.toBe('undefined');
    }
    expect(interfaceNumbers.size).toBeLessThan(31);
  });

  it('for a string is not taken beyond the limit', async () => {
    const arena = await Arena.open();
    const injectError = opcodeOf('VesperStream.injectError');
    const text = Array.from({ length: LIMITS.maxStringBytes / 4 + 1 }, () => 0x6161_6161);
    const device = arena.idOf('GPUDevice');
    const { maxStringBytes } = LIMITS;
    expect(arena.send(record(injectError, device, 0, maxStringBytes + 4, ...text)).refusal?.reason).toBe('limit');
    expect(arena.send(record(injectError, device, 0, maxStringBytes, ...text.slice(1))).refusal).toBeUndefined();
  });

  it('for a label is not taken beyond what a guest sends of one', async () => {
    const arena = await Arena.open();
    const label = opcodeOf('GPUObjectBase.label');
    const text = Array.from({ length: MAX_LABEL_BYTES / 4 + 1 }, () => 0x6161_6161);
    const queue = arena.idOf('GPUQueue');
    expect(arena.send(record(label, queue, MAX_LABEL_BYTES + 1, ...text)).refusal?.reason).toBe('limit');
    expect(arena.gpu.calls).toEqual([]);
    expect(arena.send(record(label, queue, MAX_LABEL_BYTES, ...text.slice(1))).refusal).toBeUndefined();
  });
});
