import { dictionary, enumValues, maskOf, type FieldSchema, type TypeSchema } from '../wire/schema.ts';

/** A stand-in for an object of the backend; it knows its interface's number. */
export class StandIn {
  readonly type: number;

  constructor(type: number) {
    this.type = type;
  }
}

/** Bulk data that came before a record, and is not the record's. */
export const bulkBlock = new Uint8Array(4096);

/** What a decoder made is not what the schema says. */
export class NotConforming extends Error {
  override readonly name = 'NotConforming';
}

type Check = (value: unknown) => number;

const checks = new WeakMap<object, Check>();
const dictionaries = new Map<string, Check>();
const hasOwn = Object.prototype.hasOwnProperty;

function wrong(what: string, value: unknown): never {
  throw new NotConforming(`${what}: ${typeof value} ${String(value).slice(0, 60)}`);
}

/** A check of decoded values: it throws NotConforming, or says how large the value is, in members, items and words. */
export function checkOf(type: TypeSchema): Check {
  let check = checks.get(type);
  if (check === undefined) checks.set(type, (check = makeCheck(type)));
  return check;
}

/** Likewise, of an argument of a command, which may be left out. */
export function argumentCheck(field: FieldSchema): Check {
  const check = checkOf(field.type);
  if (field.required) return check;
  return (value) => (value === undefined ? 1 : check(value));
}

function makeCheck(type: TypeSchema): Check {
  switch (type.kind) {
    case 'undefined':
      return (value) => (value === undefined ? 1 : wrong('not undefined', value));
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? 1 : wrong('no boolean', value));
    case 'integer':
      return integerCheck(type.bits, type.signed);
    case 'float':
      return (value) => (typeof value === 'number' ? 1 : wrong('no float', value));
    case 'string':
      return (value) => (typeof value === 'string' ? 1 + value.length / 4 : wrong('no string', value));
    case 'enum': {
      const names = new Set<unknown>(enumValues(type.name).map((value) => value.name));
      return (value) => (names.has(value) ? 1 : wrong(`no ${type.name}`, value));
    }
    case 'object': {
      const mask = maskOf(type.interfaces);
      return (value) =>
        value instanceof StandIn && (mask >>> value.type) & 1 ? 1 : wrong(`no ${type.interfaces.join(' or ')}`, value);
    }
    case 'bytes':
      return (value) => {
        if (!(value instanceof Uint8Array)) return wrong('no bytes', value);
        return value.buffer === bulkBlock.buffer ? 1 : 1 + value.byteLength / 4;
      };
    case 'dictionary':
    case 'shape':
      return dictionaryCheck(type.name);
    case 'sequence':
    case 'frozenArray':
      return sequenceCheck(checkOf(type.element));
    case 'record': {
      const value = type.value.kind === 'nullable' && type.value.undefinable ? type.value.inner : type.value;
      return recordCheck(checkOf(value));
    }
    case 'nullable': {
      const inner = checkOf(type.inner);
      return (value) => (value === null || (type.undefinable && value === undefined) ? 1 : inner(value));
    }
    case 'union':
      return unionCheck(type.members.map(checkOf));
    default:
      throw new Error(`no check of a ${type.kind}`);
  }
}

/** A word is a word, whatever the IDL's type is: a backend judges the 17th bit of an `unsigned short` itself. */
function integerCheck(idlBits: number, signed: boolean): Check {
  const bits = Math.max(idlBits, 32);
  const least = signed ? -(2 ** (bits - 1)) : 0;
  // Of 64 bits: the nearest double.
  const most = bits === 64 ? 2 ** 64 : signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  return (value) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most
      ? 1
      : wrong(`no integer of ${bits} bits`, value);
}

function dictionaryCheck(name: string): Check {
  const known = dictionaries.get(name);
  if (known !== undefined) return known;
  const { fields } = dictionary(name);
  const names = new Set(fields.map((field) => field.name));
  let members: [string, boolean, Check][] | undefined;
  const check: Check = (value) => {
    if (typeof value !== 'object' || value === null) return wrong(`no ${name}`, value);
    members ??= fields.map((field) => [field.name, field.bit !== undefined, checkOf(field.type)]);
    let size = 1;
    for (const [member, isOptional, memberCheck] of members) {
      if (!hasOwn.call(value, member)) {
        if (!isOptional) wrong(`no ${name}.${member}`, value);
        continue;
      }
      size += 1 + memberCheck((value as Record<string, unknown>)[member]);
    }
    for (const key of Object.keys(value)) if (!names.has(key)) wrong(`${name} has no member`, key);
    return size;
  };
  dictionaries.set(name, check);
  return check;
}

function sequenceCheck(element: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return wrong('no sequence', value);
    let size = 1;
    for (const item of value as unknown[]) size += element(item);
    return size;
  };
}

/** A record becomes a list of pairs or an object without a prototype, by what the handler takes. */
function recordCheck(item: Check): Check {
  return (value) => {
    if (typeof value !== 'object' || value === null) return wrong('no record', value);
    let size = 1;
    const entries = Array.isArray(value) ? (value as [string, unknown][]) : Object.entries(value);
    for (const [key, one] of entries) {
      if (typeof key !== 'string') wrong('no key', key);
      size += 2 + key.length / 4 + item(one);
    }
    return size;
  };
}

function unionCheck(members: readonly Check[]): Check {
  return (value) => {
    for (const member of members) {
      try {
        return member(value);
      } catch (error) {
        if (!(error instanceof NotConforming)) throw error;
      }
    }
    return wrong('no member of the union', value);
  };
}
