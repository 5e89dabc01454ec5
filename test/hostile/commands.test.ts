import { describe, expect, it } from 'vitest';
import { commands, type CommandSchema } from '../wire/schema.ts';
import { Arena } from './arena.ts';
import { baseline, selectFor } from './baselines.ts';
import { fieldPaths, type Layout } from './layout.ts';
import { bitMutants, fieldMutants, recordMutants, type Mutant } from './mutators.ts';
import { judge } from './verdict.ts';

/** Malformed or extreme values that every field has at least; see shared targets in the security reference. */
const LEAST_A_FIELD = 20;
/** More than this and the message is no help. */
const MOST_REPORTED = 5;

/** Sends each mutant to a host that no other has changed. @returns how many there were of each path, and what went wrong. */
async function attack(
  command: CommandSchema,
  variants: number,
  mutants: (layout: Layout, arena: Arena) => Iterable<Mutant>,
): Promise<{ counts: Map<string, number>; wrong: string[] }> {
  const counts = new Map<string, number>();
  const wrong: string[] = [];
  for (let variant = 0; variant < variants; variant++) {
    const model = await Arena.open();
    let arena: Arena | undefined;
    for (const mutant of mutants(baseline(command, model, variant), model)) {
      counts.set(mutant.path, (counts.get(mutant.path) ?? 0) + 1);
      arena ??= await open(command, variant);
      const { found, isUntouched } = await judge(arena, command, mutant);
      if (!isUntouched) arena = undefined;
      if (found !== undefined && wrong.push(`variant ${variant}: ${found}`) === MOST_REPORTED) return { counts, wrong };
    }
  }
  return { counts, wrong };
}

async function open(command: CommandSchema, variant: number): Promise<Arena> {
  const arena = await Arena.open();
  selectFor(command, arena, variant);
  return arena;
}

/** Everything of a record that can be harmed: target, ids and fields, dictionaries' own words included. */
function pathsOf(command: CommandSchema): string[] {
  return [
    ...(command.target.kind === 'object' ? ['target'] : []),
    ...(command.class === 'request' ? ['requestId'] : []),
    ...command.creates.map((name) => `new${name}`),
    ...command.fields.flatMap((field) => fieldPaths(field.type, field.name)),
  ];
}

describe.each(commands.map((command) => [command.name, command] as const))('a hostile %s', (_, command) => {
  it('is refused, or taken as WebGPU, whatever a field holds', async () => {
    // Two variants have every field; the others differ in the types of objects.
    const { counts, wrong } = await attack(command, 2, (layout, arena) => fieldMutants(layout, arena, command.name));
    expect(wrong).toEqual([]);
    const few = pathsOf(command).filter((path) => (counts.get(path) ?? 0) < LEAST_A_FIELD);
    expect(few, 'fields without enough malformed values').toEqual([]);
  });

  it('is refused when it is cut anywhere, lengthened, or lies about its length', async () => {
    const { wrong } = await attack(command, 2, recordMutants);
    expect(wrong).toEqual([]);
  });

  it('is refused, or taken as WebGPU, with any one bit flipped', async () => {
    const { wrong } = await attack(command, 1, (layout) => bitMutants(layout, command.name));
    expect(wrong).toEqual([]);
  });
});
