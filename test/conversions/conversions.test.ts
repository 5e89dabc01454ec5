import { isDeepStrictEqual } from 'node:util';
import * as guest from '@vesper-gpu/protocol/guest';
import { describe, expect, it } from 'vitest';
import { schema, type TypeSchema } from '../wire/schema.ts';
import { OBJECTS, objects, recorder, stream, valid, validDictionary } from './objects.ts';
import { convert } from './oracle.ts';
import { VALUES } from './values.ts';

// Every member of every dictionary, and every argument of every operation, is given every value; what the generated code
// makes of it is compared with what Web IDL says, as oracle.ts has it from the schema.

type Outcome = { value: unknown } | { error: unknown };

async function outcomeOf(act: () => unknown): Promise<Outcome> {
  try {
    return { value: await act() };
  } catch (error) {
    return { error };
  }
}

/** Both gave the same, or both refused with a TypeError. */
function agree(actual: Outcome, expected: Outcome): boolean {
  if ('value' in actual && 'value' in expected) return isDeepStrictEqual(plain(actual.value), plain(expected.value));
  return (
    'error' in actual && 'error' in expected && actual.error instanceof TypeError && expected.error instanceof TypeError
  );
}

/** Without prototypes: the generated code need not make objects of the same kind. An empty view may be any empty view. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value.constructor !== Object)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function shown(outcome: Outcome): string {
  return 'error' in outcome
    ? String(outcome.error)
    : JSON.stringify(outcome.value, (_, item: unknown) =>
        typeof item === 'number' && !Number.isFinite(item) ? String(item) : item,
      );
}

const EVERY = [...VALUES, ...OBJECTS];

type Converter = (value: unknown, stream: unknown, context: string) => unknown;
const converters = guest as unknown as Record<string, Converter | undefined>;

// The other dictionaries are those that no generated member takes: bases of others, and what is answered by hand.
const dictionaries = schema.dictionaries.filter(({ name, use }) => use === 'api' && `convert${name}` in converters);

describe.each(dictionaries)('$name', ({ name, fields }) => {
  const type: TypeSchema = isShapeOfUse(name) ? { kind: 'shape', name } : { kind: 'dictionary', name };
  const converter = converters[`convert${name}`]!;

  it('converts any value as Web IDL says', async () => {
    const wrong: string[] = [];
    const compare = async (label: string, make: () => unknown): Promise<void> => {
      const actual = await outcomeOf(() => converter(make(), stream, 'context'));
      const expected = await outcomeOf(() => convert(type, make(), objects));
      if (!agree(actual, expected)) wrong.push(`${name} ${label}: ${shown(actual)} instead of ${shown(expected)}`);
    };
    for (const [label, make] of EVERY) await compare(label, make);
    for (const field of fields) {
      for (const [label, makeNew] of EVERY) {
        const make = isPassedOn(field.type) ? once(makeNew) : makeNew;
        await compare(`.${field.name} = ${label}`, () => ({ ...validDictionary(name), [field.name]: make() }));
        if (field.type.kind === 'sequence')
          await compare(`.${field.name} = [${label}]`, () => ({ ...validDictionary(name), [field.name]: [make()] }));
        if (field.type.kind === 'record')
          await compare(`.${field.name} = {k: ${label}}`, () => ({
            ...validDictionary(name),
            [field.name]: { k: make() },
          }));
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** Types of other specifications are not converted: both sides have to be given the same object. */
function isPassedOn(type: TypeSchema): boolean {
  return type.kind === 'external' || (type.kind === 'union' && type.members.every(isPassedOn));
}

function once(make: () => unknown): () => unknown {
  const value = make();
  return () => value;
}

/** Whether some member takes the dictionary in the form of a sequence too. */
function isShapeOfUse(name: string): boolean {
  return JSON.stringify(schema).includes(JSON.stringify({ kind: 'shape', name }));
}

const operations = schema.interfaces.flatMap((one) =>
  !(one.name in guest)
    ? []
    : one.members
        .filter((member) => member.kind === 'operation' && member.class !== 'excluded')
        .map((member) => ({ owner: one.name, member, path: `${one.name}.${member.name}` })),
);

describe.each(operations)('$path', ({ owner, member }) => {
  const lists = member.overloads;
  const requiredOf = (list: (typeof lists)[number]): number => list.filter((argument) => !argument.optional).length;

  /** The overload that takes `count` arguments, by https://webidl.spec.whatwg.org/#js-overloads: none of ours need more. */
  const overloadFor = (count: number): (typeof lists)[number] | undefined => {
    const longest = Math.max(...lists.map((list) => list.length));
    return lists.find(
      (list) => requiredOf(list) <= Math.min(count, longest) && Math.min(count, longest) <= list.length,
    );
  };

  const call = async (args: unknown[]): Promise<Outcome> => {
    const { object, calls } = recorder(owner, member.type.kind === 'promise');
    const outcome = await outcomeOf(() =>
      (Reflect.get(object, member.name) as (...args: unknown[]) => unknown).apply(object, args),
    );
    return 'error' in outcome ? outcome : { value: calls[0]?.[1] };
  };

  const expected = (args: unknown[]): Promise<Outcome> =>
    outcomeOf(() => {
      const list = overloadFor(args.length);
      if (list === undefined) throw new TypeError('no overload takes so many arguments');
      return list.map((argument, index) => {
        const given = args[index];
        if (!argument.optional || given !== undefined || argument.type.kind === 'dictionary')
          return convert(argument.type, given, objects);
        return argument.default === 'empty-sequence' ? [] : argument.default;
      });
    });

  it('converts its arguments as Web IDL says, whatever they are and however many', async () => {
    const wrong: string[] = [];
    const compare = async (label: string, make: () => unknown[]): Promise<void> => {
      const [actual, wanted] = [await call(make()), await expected(make())];
      if (!agree(actual, wanted)) wrong.push(`(${label}): ${shown(actual)} instead of ${shown(wanted)}`);
    };
    for (const list of lists) {
      const all = (): unknown[] => list.map((argument) => valid(argument.type));
      for (let count = 0; count <= list.length + 1; count++)
        await compare(`${count} arguments`, () => [...all(), 'one too many'].slice(0, count));
      for (const [index, argument] of list.entries()) {
        for (const [label, make] of EVERY)
          await compare(`${argument.name} = ${label}`, () => all().with(index, make()));
      }
    }
    expect(wrong).toEqual([]);
  });
});
