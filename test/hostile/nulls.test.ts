import { describe, expect, it } from 'vitest';
import { commands, schema, type TypeSchema } from '../wire/schema.ts';
import { Arena, settle } from './arena.ts';
import { baseline, selectFor } from './baselines.ts';
import { bitMutants, fieldMutants, recordMutants } from './mutators.ts';
import { NullObject } from './null-objects.ts';

/** Whether null can be a value of the type, or of an item of it. */
function hasNull(type: TypeSchema): boolean {
  switch (type.kind) {
    case 'nullable':
      return !type.undefinable;
    case 'sequence':
    case 'frozenArray':
      return hasNull(type.element);
    case 'union':
      return type.members.some(hasNull);
    default:
      return false;
  }
}

/** Members that may be null, by name, over all dictionaries. */
const nullable = new Set(
  schema.dictionaries.flatMap(({ fields }) => fields.filter((one) => hasNull(one.type)).map((one) => one.name)),
);

/** Where null stands that the IDL does not allow. Items of a sequence count as its member. */
function nullsIn(value: unknown, name: string, isAllowed: boolean): string[] {
  if (value === null) return isAllowed ? [] : [name];
  if (typeof value !== 'object' || ArrayBuffer.isView(value) || value instanceof NullObject) return [];
  if (Array.isArray(value)) return value.flatMap((item) => nullsIn(item, name, isAllowed));
  return Object.entries(value).flatMap(([key, item]) => nullsIn(item, `${name}.${key}`, nullable.has(key)));
}

/** Dawn for Node ends the process when it is given null for a dictionary. */
describe.each(commands.map((command) => [command.name, command] as const))('%s', (name, command) => {
  it('gives the backend no null for a dictionary, however the record is harmed', async () => {
    const isAllowed = command.fields.some((field) => hasNull(field.type));
    const found = new Set<string>();
    let arena: Arena | undefined;
    let calls = 0;
    for (const variant of [0, 1]) {
      const model = await Arena.open();
      const layout = baseline(command, model, variant);
      const mutants = [...fieldMutants(layout, model, name), ...recordMutants(layout), ...bitMutants(layout, name)];
      for (const { words } of mutants) {
        if (arena === undefined) {
          arena = await Arena.open();
          selectFor(command, arena, variant);
          arena.gpu.fail = (call, args) => {
            calls++;
            for (const where of args.flatMap((one, index) => nullsIn(one, `${call}[${index}]`, isAllowed)))
              found.add(where);
          };
        }
        const objects = arena.connection.objectCount;
        const before = calls;
        arena.send(words);
        await settle();
        if (calls > before || arena.connection.objectCount !== objects) arena = undefined;
      }
      arena = undefined;
    }
    expect([...found]).toEqual([]);
  });
});

describe('the oracle', () => {
  it('knows members that may be null, and finds null elsewhere', () => {
    expect([...nullable].toSorted()).toEqual(
      expect.arrayContaining(['bindGroupLayouts', 'colorAttachments', 'targets']),
    );
    expect(nullsIn([{ colorAttachments: [null], label: null }], 'x', false)).toEqual(['x.label']);
    expect(nullsIn([null], 'x', false)).toEqual(['x']);
  });
});
