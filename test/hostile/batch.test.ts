import * as guest from '@vesper-gpu/protocol/guest';
import { CommandBatch } from '@vesper-gpu/protocol/host';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Arena } from './arena.ts';
import { NullPass } from './null-encoders.ts';

/** Commands that are checked ahead are executed as if each were checked behind the one before it. */
describe('commands of one frame', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  async function pass(): Promise<Arena> {
    const arena = await Arena.open();
    arena.write((w) => guest.encodeStreamSelectEncoder(w, arena.idOf('GPURenderPassEncoder')));
    return arena;
  }

  it('go on behind one that the backend refuses, in order, and each is counted once', async () => {
    const arena = await pass();
    const drawn: unknown[] = [];
    vi.spyOn(NullPass.prototype, 'draw').mockImplementation((count) => {
      if ((count as number) % 100 === 13) throw new TypeError('not this one');
      drawn.push(count);
    });
    const before = arena.connection.statistics.commands;
    arena.write((w) => {
      for (let i = 0; i < 500; i++) guest.encodeRenderCommandsDraw(w, i, 1, 0, 0);
    });
    expect(arena.connection.statistics.commands - before).toBe(500);
    // The encoder is invalid from the first on; what follows is told to the backend all the same.
    expect(drawn).toEqual(Array.from({ length: 500 }, (_, i) => i).filter((i) => i % 100 !== 13));
    expect(arena.faults).toEqual([]);
  });

  it('are counted while they are executed: the audit log says how many there were until then', async () => {
    const arena = await pass();
    const { connection } = arena;
    const before = connection.statistics.commands;
    const counted: number[] = [];
    vi.spyOn(NullPass.prototype, 'draw').mockImplementation((count) => {
      counted.push(connection.commandCount - before);
      if ((count as number) % 50 === 7) throw new TypeError('not this one');
    });
    arena.write((w) => {
      for (let i = 0; i < 300; i++) guest.encodeRenderCommandsDraw(w, i, 1, 0, 0);
    });
    expect(counted).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    expect(connection.commandCount - before).toBe(300);
  });

  it('are not checked again and again where each is refused', async () => {
    const arena = await pass();
    const check = vi.spyOn(CommandBatch.prototype, 'check');
    vi.spyOn(NullPass.prototype, 'draw').mockImplementation(() => {
      throw new TypeError('none');
    });
    arena.write((w) => {
      for (let i = 0; i < 300; i++) guest.encodeRenderCommandsDraw(w, i, 1, 0, 0);
    });
    const most = check.mock.calls.map(([, , limit]) => limit);
    expect(most.slice(1).every((limit) => limit === 1)).toBe(true);
    vi.mocked(NullPass.prototype.draw).mockImplementation(() => {});
    check.mockClear();
    arena.write((w) => {
      for (let i = 0; i < 300; i++) guest.encodeRenderCommandsDraw(w, i, 1, 0, 0);
    });
    expect(check.mock.calls.map(([, , limit]) => limit)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 128]);
  });

  it('that set what one set which was refused are executed', async () => {
    const arena = await pass();
    const group = arena.idOf('GPUBindGroup');
    const setBindGroup = vi.spyOn(NullPass.prototype, 'setBindGroup').mockImplementationOnce(() => {
      throw new TypeError('not the first one');
    });
    arena.write((w) => {
      for (let i = 0; i < 3; i++) guest.encodeBindingCommandsSetBindGroup(w, 0, group, []);
    });
    // Behind what makes the encoder invalid, the second, which sets it; not the third.
    expect(setBindGroup.mock.calls.map(([index]) => index)).toEqual([0, 0xffff_ffff, 0]);
  });

  it('take their turn with others, however many of them are refused', async () => {
    const arena = await pass();
    let drawn = 0;
    vi.spyOn(NullPass.prototype, 'draw').mockImplementation((count) => {
      drawn++;
      if ((count as number) % 100 === 13) throw new TypeError('not this one');
    });
    arena.connection.stream.turnMs = 0;
    arena.write((w) => {
      for (let i = 0; i < 3000; i++) guest.encodeRenderCommandsDraw(w, i, 1, 0, 0);
    });
    expect(drawn).toBeLessThan(1000);
    await vi.waitFor(() => expect(drawn).toBe(3000));
  });

  it('are executed up to one that is no command', async () => {
    const arena = await pass();
    const draw = vi.spyOn(NullPass.prototype, 'draw');
    const records = [7, 8, 9].map((count) => Int32Array.of(65 | (2 << 16), count));
    const { refusal } = arena.send(...records, Int32Array.of(65 | (6 << 16), 1, 2, 3, 4, 5));
    expect([refusal?.reason, refusal?.opcode, refusal?.offset]).toEqual(['trailing-bytes', 65, 44]);
    expect(draw.mock.calls.map(([count]) => count)).toEqual([7, 8, 9]);
  });
});
