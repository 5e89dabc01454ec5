import * as guest from '@vesper-gpu/protocol/guest';
import { construction } from '@vesper-gpu/webidl';
import type { CommandStream } from '@vesper-gpu/wire';
import { schema, type TypeSchema, dictionary, enumValues } from '../wire/schema.ts';
import type { Objects } from './oracle.ts';

/** Stands for a connection: conversions only ask whether an object is of the same one. */
export const stream = { name: 'a stream' } as unknown as CommandStream;

type Class = new (token: unknown, implementation: object) => object;

const classes = guest as unknown as Record<string, Class | undefined>;

/** One object of each interface that has objects on the host, and its id. */
const known = new Map<object, { name: string; id: number }>();
const byName = new Map<string, object>();
for (const { name, number } of schema.interfaces) {
  const make = classes[name];
  if (number === 0 || make === undefined) continue;
  const id = known.size + 1;
  const object = new make(construction, { id, stream });
  known.set(object, { name, id });
  byName.set(name, object);
}

export const objects: Objects = {
  idOf(value, interfaces) {
    const found = known.get(value as object);
    return found !== undefined && interfaces.includes(found.name) ? found.id : undefined;
  },
  isOurs: (name) => classes[name] !== undefined,
};

/** Every object, by the name of its interface: for each parameter, the right and all wrong ones. */
export const OBJECTS: readonly [string, () => object][] = [...byName].map(([name, object]) => [name, () => object]);

/** A value that converts. */
export function valid(type: TypeSchema): unknown {
  switch (type.kind) {
    case 'boolean':
      return true;
    case 'integer':
    case 'float':
      return 4;
    case 'string':
      return 'text';
    case 'enum':
      return enumValues(type.name)[0]!.name;
    case 'dictionary':
    case 'shape':
      return validDictionary(type.name);
    case 'object':
      return byName.get(type.interfaces[0]!) ?? {};
    case 'bytes':
      return new Uint32Array(4);
    case 'sequence':
      return [valid(type.element)];
    case 'record':
      return { name: 4 };
    case 'nullable':
      return valid(type.inner);
    case 'union':
      return valid(type.members[0]!);
    default:
      return {};
  }
}

/** With what is required, and nothing else. */
export function validDictionary(name: string): Record<string, unknown> {
  const { fields } = dictionary(name);
  return Object.fromEntries(fields.filter((field) => field.required).map((field) => [field.name, valid(field.type)]));
}

/** The object of an interface that programs call, on top of an implementation that writes down what it is given. */
export function recorder(name: string, returnsPromise: boolean): { object: object; calls: [string, unknown[]][] } {
  const calls: [string, unknown[]][] = [];
  const result = { wrapper: {} };
  const own: Record<string, unknown> = { stream, id: 1, wrapper: {} };
  const implementation = new Proxy(own, {
    get: (target, key: string) =>
      key in target
        ? target[key]
        : (...args: unknown[]) => {
            calls.push([key, args]);
            return returnsPromise ? Promise.resolve(result) : result;
          },
  });
  return { object: new classes[name]!(construction, implementation), calls };
}
