import { minimumWords } from '../../packages/codegen/src/emit/names.ts';
import { dictionary, enumValues, maskOf, schema, type FieldSchema, type TypeSchema } from '../wire/schema.ts';

/** What a word, or a few, of a record stand for: how they can be made malformed follows from it. */
export type Role =
  | { kind: 'newId' | 'requestId' | 'boolean' | 'stringLength' | 'text' | 'place' | 'bytesLength' | 'data' }
  | { kind: 'integer'; bits: 32 | 64 }
  | { kind: 'float'; bits: 32 | 64 }
  | { kind: 'object'; types: number; nullable: boolean; isTarget: boolean }
  | { kind: 'enum'; numbers: readonly number[] }
  /** `bits`: how many the dictionary has. */
  | { kind: 'presence'; bits: number }
  /** `minimum`: the fewest words of an item. */
  | { kind: 'count'; minimum: number }
  | { kind: 'tag'; members: number };

export interface Piece {
  /** The field: `descriptor.entries.binding`. */
  path: string;
  role: Role;
  /** Index of its first word, the header being word 0. */
  start: number;
  words: number;
  /** Of text and data: how many bytes there are, without the padding. */
  byteLength: number;
}

/**
 * Lays a record out word by word, and remembers what each word is. A second, slow implementation of the format, so
 * that tests can hurt each part of it, and so that the generated encoders have something to be compared with.
 */
export class Layout {
  readonly words: number[] = [];
  readonly pieces: Piece[] = [];
  /** Lengths at which a record may end early: trailing optional arguments begin there. */
  readonly ends = new Set<number>();
  readonly #opcode: number;

  constructor(opcode: number) {
    this.#opcode = opcode;
    this.words.push(0);
  }

  /** The finished record. */
  record(): Int32Array<ArrayBuffer> {
    const words = Int32Array.from(this.words);
    words[0] = this.#opcode | (words.length << 16);
    return words;
  }

  #piece(path: string, role: Role, words: readonly number[], byteLength = words.length * 4): void {
    this.pieces.push({ path, role, start: this.words.length, words: words.length, byteLength });
    this.words.push(...words);
  }

  prefix(path: string, role: Role, word: number): void {
    this.#piece(path, role, [word]);
  }

  argument(field: FieldSchema, value: unknown): void {
    if (!field.required) this.ends.add(this.words.length);
    this.#value(field.type, value, field.name);
  }

  /** A reply's payload is a value by itself. */
  payload(type: TypeSchema, value: unknown): void {
    this.#value(type, value, 'reply');
  }

  #value(type: TypeSchema, value: unknown, path: string): void {
    switch (type.kind) {
      case 'undefined':
        return;
      case 'boolean':
        return this.#piece(path, { kind: 'boolean' }, [value ? 1 : 0]);
      case 'integer': {
        const number = value as number;
        const bits = type.bits === 64 ? 64 : 32;
        return this.#piece(path, { kind: 'integer', bits }, bits === 64 ? [number, number / 2 ** 32] : [number]);
      }
      case 'float':
        return this.#piece(path, { kind: 'float', bits: type.bits }, floatWords(type.bits, value as number));
      case 'string':
        return this.#bytes(path, 'stringLength', 'text', new TextEncoder().encode(value as string));
      case 'enum': {
        const values = enumValues(type.name);
        const numbers = values.map((one) => one.number);
        const { number } = values.find((one) => one.name === value)!;
        return this.#piece(path, { kind: 'enum', numbers }, [number]);
      }
      case 'object':
        return this.#object(type.interfaces, value as number, false, path);
      case 'bytes':
        this.#piece(path, { kind: 'place' }, [0]);
        return this.#bytes(path, 'bytesLength', 'data', value as Uint8Array);
      case 'dictionary':
      case 'shape':
        return this.#dictionary(type.name, value as Record<string, unknown>, path);
      case 'sequence':
      case 'frozenArray':
        return this.#sequence(type.element, value as unknown[], path);
      case 'record':
        return this.#record(type.value, value as [string, unknown][], path);
      case 'nullable':
        if (type.inner.kind === 'object')
          return this.#object(type.inner.interfaces, (value as number) ?? 0, true, path);
        this.#piece(path, { kind: 'boolean' }, [value === null ? 0 : 1]);
        return value === null ? undefined : this.#value(type.inner, value, path);
      case 'union':
        return this.#union(type.members, value, path);
      default:
        throw new Error(`${path}: a ${type.kind} has no layout`);
    }
  }

  #object(interfaces: readonly string[], id: number, nullable: boolean, path: string): void {
    this.#piece(path, { kind: 'object', types: maskOf(interfaces), nullable, isTarget: false }, [id]);
  }

  #bytes(path: string, length: 'stringLength' | 'bytesLength', content: 'text' | 'data', bytes: Uint8Array): void {
    this.#piece(path, { kind: length }, [bytes.byteLength]);
    const padded = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
    padded.set(bytes);
    this.#piece(path, { kind: content }, Array.from(new Int32Array(padded.buffer)), bytes.byteLength);
  }

  #dictionary(name: string, value: Record<string, unknown>, path: string): void {
    const { fields } = dictionary(name);
    const bits = 1 + Math.max(-1, ...fields.map((field) => field.bit ?? -1));
    const present = fields.filter((field) => field.bit !== undefined && value[field.name] !== undefined);
    const mask = present.reduce((sum, field) => sum + 2 ** field.bit!, 0);
    this.#piece(path, { kind: 'presence', bits }, [mask]);
    for (const field of fields) {
      if (field.bit === undefined || value[field.name] !== undefined) {
        this.#value(field.type, value[field.name], `${path}.${field.name}`);
      }
    }
  }

  #sequence(element: TypeSchema, items: readonly unknown[], path: string): void {
    this.#piece(path, { kind: 'count', minimum: minimumWords(schema, element) }, [items.length]);
    for (const item of items) this.#value(element, item, path);
  }

  #record(type: TypeSchema, entries: readonly [string, unknown][], path: string): void {
    const value = type.kind === 'nullable' && type.undefinable ? type.inner : type;
    this.#piece(path, { kind: 'count', minimum: 1 + minimumWords(schema, value) }, [entries.length]);
    for (const [key, item] of entries) {
      this.#value({ kind: 'string', scalarValues: false }, key, path);
      this.#value(value, item, path);
    }
  }

  #union(members: readonly TypeSchema[], value: unknown, path: string): void {
    const kind = typeof value === 'number' ? 'object' : typeof value === 'string' ? 'enum' : 'dictionary';
    const index = members.findIndex((one) => one.kind === kind);
    this.#piece(path, { kind: 'tag', members: members.length }, [index]);
    this.#value(members[index]!, value, path);
  }
}

function floatWords(bits: 32 | 64, value: number): number[] {
  const view = new DataView(new ArrayBuffer(8));
  if (bits === 32) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return bits === 32 ? [view.getInt32(0, true)] : [view.getInt32(0, true), view.getInt32(4, true)];
}

/** Every field of a type, by the paths that `Layout` gives. */
export function fieldPaths(type: TypeSchema, path: string): string[] {
  switch (type.kind) {
    case 'undefined':
      return [];
    case 'dictionary':
    case 'shape':
      return [
        path,
        ...dictionary(type.name).fields.flatMap((field) => fieldPaths(field.type, `${path}.${field.name}`)),
      ];
    case 'sequence':
    case 'frozenArray':
      return fieldPaths(type.element, path);
    case 'record':
      return fieldPaths(type.value, path);
    case 'nullable':
      return fieldPaths(type.inner, path);
    case 'union':
      return type.members.flatMap((member) => fieldPaths(member, path));
    default:
      return [path];
  }
}
