import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capital, numberOf, wordOf } from '../../packages/codegen/src/emit/names.ts';
import type {
  CommandSchema,
  DictionarySchema,
  EventSchema,
  FieldSchema,
  TypeSchema,
  WireSchema,
} from '../../packages/codegen/src/schema/schema.ts';

/** The published schema: what the tests of this folder, and of test/hostile, are made from. */
export const schema = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../generated/schema/vesper.schema.json'), 'utf8'),
) as WireSchema;

/** What a guest's library encodes; the two records of bulk data belong to the runtime. */
export const commands: readonly CommandSchema[] = schema.commands.filter((command) => command.class !== 'runtime');

export const events: readonly EventSchema[] = schema.events;

export type { CommandSchema, DictionarySchema, EventSchema, FieldSchema, TypeSchema };

export function dictionary(name: string): DictionarySchema {
  const found = schema.dictionaries.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the schema has no dictionary ${name}`);
  return found;
}

export function enumValues(name: string): readonly { name: string; number: number }[] {
  const found = schema.enums.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the schema has no enum ${name}`);
  return found.values;
}

/** The mask by which the wire knows a set of interfaces; those that never cross it have no number. */
export function maskOf(interfaces: readonly string[]): number {
  return interfaces
    .map((name) => numberOf(schema, name))
    .filter((number) => number > 0)
    .reduce((mask, number) => mask + 2 ** number, 0);
}

/** Numbers of the interfaces whose objects cross the wire, by name. */
export const interfaceNumbers: ReadonlyMap<string, number> = new Map(
  schema.interfaces.filter((one) => one.number > 0).map((one) => [one.name, one.number]),
);

/** `encodeQueueWriteBuffer` */
export function encoderOf(record: string): string {
  return `encode${capital(wordOf(record))}`;
}

/** `queue`: the key of an interface among the handlers. */
export function handlerOf(record: string): string {
  return wordOf(`${record.split('.')[0]!}.x`).slice(0, -1);
}

/** Text as UTF-8 carries it: lone surrogates become U+FFFD. */
export function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/** Names of the dictionaries that a type reaches, itself included. */
export function reachable(type: TypeSchema, found = new Set<string>()): Set<string> {
  if (type.kind === 'dictionary' || type.kind === 'shape') {
    if (found.has(type.name)) return found;
    found.add(type.name);
    for (const field of dictionary(type.name).fields) reachable(field.type, found);
  } else if (type.kind === 'sequence' || type.kind === 'frozenArray') reachable(type.element, found);
  else if (type.kind === 'record') reachable(type.value, found);
  else if (type.kind === 'nullable' || type.kind === 'promise') reachable(type.inner, found);
  else if (type.kind === 'union') for (const member of type.members) reachable(member, found);
  return found;
}
