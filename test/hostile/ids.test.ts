import { describe, expect, it } from 'vitest';
import { commands, interfaceNumbers, type CommandSchema } from '../wire/schema.ts';
import { Arena, settle } from './arena.ts';
import { baseline, selectFor, VARIANTS } from './baselines.ts';
import type { Piece } from './layout.ts';
import { NullObject } from './null-objects.ts';

/** Words of a record that name an object which is there already, `selectEncoder` and `release` included. */
function idPieces(command: CommandSchema, pieces: readonly Piece[]): Piece[] {
  const isRuntimeId = command.name === 'VesperStream.selectEncoder' || command.name === 'VesperStream.release';
  return pieces.filter(({ role }) => role.kind === 'object' || (isRuntimeId && role.kind === 'integer'));
}

/** The interface that an arena's id is of. */
function interfaceOf(arena: Arena, id: number): string {
  for (const [name, other] of arena.ids) if (other === id) return name;
  throw new Error(`the arena has no id ${id}`);
}

/**
 * Sends a good record with the id at each of its places replaced.
 * @param replace the id to put in the place of one that stands for an object of `interfaceName`.
 * @returns what is wrong with the verdicts.
 */
async function attack(
  command: CommandSchema,
  open: () => Promise<{ arena: Arena; replace: (interfaceName: string) => number }>,
): Promise<string[]> {
  const wrong: string[] = [];
  for (let variant = 0; variant < VARIANTS; variant++) {
    const { arena, replace } = await open();
    selectFor(command, arena, variant);
    const layout = baseline(command, arena, variant);
    const calls = arena.gpu.calls.length;
    for (const piece of idPieces(command, layout.pieces)) {
      const words = layout.record();
      // Null stands for no object, in any connection.
      if (words[piece.start] === 0) continue;
      words[piece.start] = replace(interfaceOf(arena, words[piece.start]! >>> 0));
      const { refusal } = arena.send(words, arena.canary());
      await settle();
      const expected = command.name === 'VesperStream.release' ? 'bad-id' : 'bad-object';
      if (refusal?.reason !== expected || refusal.opcode !== command.opcode)
        wrong.push(`variant ${variant}, ${piece.path}: ${String(refusal)}`);
      // A release takes the good ids before the bad one; nothing else is done in part.
      if (command.name === 'VesperStream.release') break;
      if (arena.gpu.calls.length !== calls || arena.canaryRan) wrong.push(`variant ${variant}, ${piece.path}: was run`);
    }
  }
  return wrong;
}

/** Every interface, and where the schema says that an object of it may stand. */
describe.each(commands.map((command) => [command.name, command] as const))('the ids of %s', (_, command) => {
  it('do not mean an object that is there no more, although the same slot holds another of its interface', async () => {
    const found = await attack(command, async () => {
      const { arena, before } = await Arena.openReused();
      return { arena, replace: (name) => before.get(name)! };
    });
    expect(found).toEqual([]);
  });

  it('do not mean an object of another connection of the same process', async () => {
    const found = await attack(command, async () => {
      const { arena: other } = await Arena.openReused();
      return { arena: await Arena.open(), replace: other.idOf };
    });
    expect(found).toEqual([]);
  });

  it('that are bound in two connections mean the object of the one that names them', async () => {
    for (let variant = 0; variant < VARIANTS; variant++) {
      const [arena, other] = [await Arena.open(), await Arena.open()];
      const foreign: string[] = [];
      arena.gpu.fail = (name, args) => {
        for (const object of objectsIn(args)) if (object.logOf !== arena.gpu) foreign.push(name);
      };
      selectFor(command, arena, variant);
      expect(arena.send(baseline(command, arena, variant).record()).refusal).toBeUndefined();
      await settle();
      expect(foreign).toEqual([]);
      expect(other.gpu.calls).toEqual([]);
    }
  });

  it('are refused where an object of any other interface is wanted, each of them', async () => {
    const wrong: string[] = [];
    for (let variant = 0; variant < VARIANTS; variant++) {
      const arena = await Arena.open();
      selectFor(command, arena, variant);
      const layout = baseline(command, arena, variant);
      for (const { role, path, start } of layout.pieces) {
        if (role.kind !== 'object') continue;
        for (const [name, number] of interfaceNumbers) {
          if ((role.types >>> number) & 1) continue;
          const words = layout.record();
          words[start] = arena.idOf(name);
          const { refusal } = arena.send(words, arena.canary());
          if (refusal?.reason !== 'bad-object') wrong.push(`${path}, a ${name}: ${String(refusal)}`);
        }
      }
      expect(arena.gpu.calls).toEqual([]);
    }
    expect(wrong).toEqual([]);
  });
});

/** The null backend's objects in the arguments of a call. */
function objectsIn(value: unknown): NullObject[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  if (value instanceof NullObject) return [value];
  return Object.values(value).flatMap(objectsIn);
}
