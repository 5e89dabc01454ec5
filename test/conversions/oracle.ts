import { createRequire } from 'node:module';
import { dictionary, enumValues, type FieldSchema, type TypeSchema } from '../wire/schema.ts';

/**
 * Web IDL's conversions once more, from the schema and by other code than the generator's: numbers and strings by the
 * library that jsdom uses, the rest as https://webidl.spec.whatwg.org/#js-type-mapping says it, without a thought of speed.
 */

interface NumberOptions {
  enforceRange?: boolean;
  clamp?: boolean;
}

type Conversion = (value: unknown, options?: NumberOptions) => never;

/** https://www.npmjs.com/package/webidl-conversions, which has no types. */
const conversions = createRequire(import.meta.url)('webidl-conversions') as Record<string, Conversion>;

/** Where the objects of a test come from, and which id each has. */
export interface Objects {
  /** The id of an object of one of these interfaces; undefined for anything else. */
  idOf(value: unknown, interfaces: readonly string[]): number | undefined;
  /** Interfaces whose objects are the guest's own: those of others cannot be told from anything else. */
  isOurs(interfaceName: string): boolean;
}

const INTEGERS: Record<number, string> = { 16: 'short', 32: 'long', 64: 'long long' };

export function convert(type: TypeSchema, value: unknown, objects: Objects): unknown {
  switch (type.kind) {
    case 'boolean':
      return conversions['boolean']!(value);
    case 'integer': {
      const name = `${type.signed ? '' : 'unsigned '}${INTEGERS[type.bits]}`;
      // The library gives -0 for some multiples of 2³² of the negative kind, which Web IDL's modulo does not know.
      return (
        conversions[name]!(value, {
          enforceRange: type.conversion === 'enforceRange',
          clamp: type.conversion === 'clamp',
        }) + 0
      );
    }
    case 'float':
      return conversions[type.bits === 32 ? 'float' : 'double']!(value);
    case 'string':
      return conversions[type.scalarValues ? 'USVString' : 'DOMString']!(value);
    case 'enum': {
      const text: string = conversions['DOMString']!(value);
      if (enumValues(type.name).some(({ name }) => name === text)) return text;
      throw new TypeError(`${text} is no ${type.name}`);
    }
    case 'dictionary':
      return convertDictionary(type.name, value, objects);
    case 'shape': {
      if (iteratorOf(value) === undefined) return convertDictionary(type.name, value, objects);
      const { fields } = dictionary(type.name);
      const items = convertSequence(value, (item) => convert(fields[0]!.type, item, objects));
      if (items.length > fields.length || items.length < fields.filter((field) => field.required).length)
        throw new TypeError('a sequence of another length');
      return Object.fromEntries(
        fields.map((field, index) => [field.name, index in items ? items[index] : field.default]),
      );
    }
    case 'object': {
      if (!type.interfaces.some((name) => objects.isOurs(name))) return value;
      const id = objects.idOf(value, type.interfaces);
      if (id === undefined) throw new TypeError(`no ${type.interfaces.join(' or ')}`);
      return id;
    }
    case 'bytes': {
      const isView = ArrayBuffer.isView(value);
      const isBuffer = value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;
      if (type.type === 'Uint32Array' ? !(value instanceof Uint32Array) : !isView && !isBuffer)
        throw new TypeError(`no ${type.type}`);
      return value;
    }
    case 'sequence':
      return convertSequence(value, (item) => convert(type.element, item, objects));
    case 'record':
      return convertRecord(type, value, objects);
    case 'nullable':
      if (value === null || value === undefined) return null;
      return convert(type.inner, value, objects);
    case 'union': {
      const interfaces = type.members.flatMap((member) => (member.kind === 'object' ? member.interfaces : []));
      const other = type.members.find((member) => member.kind === 'dictionary' || member.kind === 'enum');
      if (other === undefined) return value;
      return objects.idOf(value, interfaces) ?? convert(other, value, objects);
    }
    case 'external':
      return value;
    default:
      throw new Error(`the oracle has no rule for ${type.kind}; write one`);
  }
}

/** https://webidl.spec.whatwg.org/#es-dictionary; what is absent and has no default, or an empty dictionary for one, is undefined. */
function convertDictionary(name: string, value: unknown, objects: Objects): Record<string, unknown> {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  if (!isObject && value !== undefined && value !== null) throw new TypeError('no object');
  const { fields, conversionOrder } = dictionary(name);
  const converted = new Map<string, unknown>();
  for (const member of conversionOrder) {
    const field = fields.find((one) => one.name === member)!;
    const given: unknown = isObject ? Reflect.get(value as object, member) : undefined;
    converted.set(member, convertOptional(field, given, objects));
  }
  return Object.fromEntries(fields.map((field) => [field.name, converted.get(field.name)]));
}

function convertOptional(field: FieldSchema, given: unknown, objects: Objects): unknown {
  if (given !== undefined) return convert(field.type, given, objects);
  if (field.required) throw new TypeError(`${field.name} is required`);
  if (field.default === 'empty-sequence') return [];
  return field.default === 'empty-dictionary' ? undefined : field.default;
}

function iteratorOf(value: unknown): unknown {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return undefined;
  const method: unknown = Reflect.get(value, Symbol.iterator);
  if (method === undefined || method === null) return undefined;
  if (typeof method !== 'function') throw new TypeError('Symbol.iterator is no function');
  return method;
}

function convertSequence(value: unknown, each: (item: unknown) => unknown): unknown[] {
  if (iteratorOf(value) === undefined) throw new TypeError('not iterable');
  const items: unknown[] = [];
  for (const item of value as Iterable<unknown>) items.push(each(item));
  return items;
}

/** https://webidl.spec.whatwg.org/#es-record; entries whose value may be undefined, and is, ask for nothing. */
function convertRecord(
  type: Extract<TypeSchema, { kind: 'record' }>,
  value: unknown,
  objects: Objects,
): [string, unknown][] {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) throw new TypeError('no object');
  const entries = new Map<string, unknown>();
  for (const key of Reflect.ownKeys(value)) {
    if (Object.getOwnPropertyDescriptor(value, key)?.enumerable !== true) continue;
    const name: string = conversions[type.scalarValueKeys ? 'USVString' : 'DOMString']!(key);
    const item: unknown = Reflect.get(value, key);
    const isAbsent = type.value.kind === 'nullable' && item === undefined;
    entries.set(
      name,
      isAbsent ? undefined : convert(type.value.kind === 'nullable' ? type.value.inner : type.value, item, objects),
    );
  }
  return [...entries].filter(([, item]) => item !== undefined);
}
