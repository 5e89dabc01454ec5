import { describe, expect, it } from 'vitest';
import { commands, interfaceNumbers, type CommandSchema } from '../wire/schema.ts';
import { Arena } from './arena.ts';
import { baseline } from './baselines.ts';

const SELECT = commands.find((command) => command.name === 'VesperStream.selectEncoder')!.opcode;
const RELEASE = commands.find((command) => command.name === 'VesperStream.release')!.opcode;

/** All that can be selected. */
const encoders = [
  ...new Set(
    commands.filter((one) => one.target.kind === 'currentEncoder').flatMap((command) => command.target.interfaces),
  ),
];
const onEncoder = commands.filter((command) => command.target.kind === 'currentEncoder');

function select(id: number): Int32Array<ArrayBuffer> {
  return Int32Array.of(SELECT | (2 << 16), id);
}

function release(...ids: number[]): Int32Array<ArrayBuffer> {
  return Int32Array.of(RELEASE | ((2 + ids.length) << 16), ids.length, ...ids);
}

/** Sends a good command of an encoder to whatever encoder is current. */
function sendTo(arena: Arena, command: CommandSchema): ReturnType<Arena['send']> {
  return arena.send(baseline(command, arena, 0).record());
}

describe.each(onEncoder.map((command) => [command.name, command] as const))('%s', (_, command) => {
  it('is refused by an encoder of every other interface', async () => {
    for (const name of encoders) {
      const arena = await Arena.open();
      expect(arena.send(select(arena.idOf(name))).refusal).toBeUndefined();
      const { refusal } = sendTo(arena, command);
      const isRight = command.target.interfaces.includes(name);
      expect(refusal && [refusal.reason, refusal.opcode], name).toEqual(
        isRight ? undefined : ['bad-object', command.opcode],
      );
    }
  });

  it('is refused when the current encoder was released', async () => {
    for (const name of command.target.interfaces) {
      const arena = await Arena.open();
      const id = arena.idOf(name);
      expect(arena.send(select(id), release(id)).refusal).toBeUndefined();
      const { refusal } = sendTo(arena, command);
      expect([refusal?.reason, refusal?.opcode], name).toEqual(['bad-object', command.opcode]);
      expect(arena.gpu.calls, name).toEqual([]);
    }
  });
});

describe('selectEncoder', () => {
  it('takes the encoders of the schema, and no other object', async () => {
    for (const name of interfaceNumbers.keys()) {
      const arena = await Arena.open();
      const { refusal } = arena.send(select(arena.idOf(name)));
      expect(refusal?.reason, name).toBe(encoders.includes(name) ? undefined : 'bad-object');
    }
  });

  it('refuses what is no object', async () => {
    for (const bad of ['stale', 'reserved'] as const) {
      const arena = await Arena.open();
      expect(arena.send(select(arena[bad])).refusal?.reason, bad).toBe('bad-object');
    }
    const arena = await Arena.open();
    expect(arena.send(select(0)).refusal?.reason).toBe('bad-object');
  });

  it('is not undone by a refused one', async () => {
    const arena = await Arena.open();
    const push = commands.find((command) => command.name === 'GPUDebugCommandsMixin.popDebugGroup')!;
    arena.send(select(arena.idOf('GPUCommandEncoder')));
    arena.send(select(0));
    expect(sendTo(arena, push).refusal).toBeUndefined();
  });

  it('must have been sent once: a new connection has no current encoder', async () => {
    const arena = await Arena.open();
    // The last one that the arena selected is the command encoder; a new one of the same slot is another object.
    const id = arena.idOf('GPUCommandEncoder');
    arena.send(release(id));
    const push = commands.find((command) => command.name === 'GPUDebugCommandsMixin.popDebugGroup')!;
    expect(sendTo(arena, push).refusal?.message).toMatch(/no encoder is selected/);
  });
});
