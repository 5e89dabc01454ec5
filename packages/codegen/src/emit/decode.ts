import type { DictionarySchema, FieldSchema, TypeSchema, WireSchema } from '../schema/schema.ts';
import { isLabel, minimumWords, numberOf } from './names.ts';
import { defaultValue } from './convert.ts';
import { plain } from './encode.ts';
import type { Lines, SourceFile } from './source.ts';
import { API, apiType, ENUMS, WIRE } from './types.ts';

/** Where the decoder of a dictionary stands, and whether ids are turned into objects. */
export interface DecoderNames {
  decoder(file: SourceFile, dictionary: string): string;
  /** Extra arguments of a dictionary's decoder. */
  context: string;
  /** Whether a record becomes the object that the API wants, or stays a list of entries. */
  recordsAsObjects: boolean;
  /** Whether absent fields get the IDL's default; the host's backend has the same defaults. */
  fillsDefaults: boolean;
}

/** Emits expressions that read values from the reader `r`. */
export class Decoding {
  readonly #schema: WireSchema;
  readonly #names: DecoderNames;

  constructor(schema: WireSchema, names: DecoderNames) {
    this.#schema = schema;
    this.#names = names;
  }

  expression(type: TypeSchema, file: SourceFile): string {
    switch (type.kind) {
      case 'undefined':
        return 'undefined';
      case 'boolean':
        return 'r.boolean()';
      case 'integer':
        return type.bits === 64 ? 'r.u64()' : type.signed ? 'r.i32()' : 'r.u32()';
      case 'float':
        return `r.f${type.bits}()`;
      case 'string':
        return 'r.string()';
      case 'enum':
        return `r.enumeration(${file.value(`${type.name}Names`, ENUMS)})`;
      case 'dictionary':
      case 'shape':
        return `${this.#names.decoder(file, type.name)}(r${this.#names.context})`;
      case 'object':
        return `(objects.object(r, ${this.typesOf(type.interfaces)}) as ${this.#objectType(type.interfaces, file)})`;
      case 'bytes':
        return 'r.bytes()';
      case 'sequence':
      case 'frozenArray':
        if (type.element.kind === 'integer' && type.element.bits === 32 && !type.element.signed) return 'r.u32s()';
        return `Array.from({ length: r.count(${minimumWords(this.#schema, type.element)}) }, () => ${this.expression(type.element, file)})`;
      case 'record': {
        const value = plain(type.value);
        const entries = `Array.from({ length: r.count(${1 + minimumWords(this.#schema, value)}) }, (): [string, ${recordValueType(value)}] => [r.string(), ${this.expression(value, file)}])`;
        // fromEntries defines own properties, so that no key reaches a prototype.
        return this.#names.recordsAsObjects ? `Object.fromEntries(${entries})` : entries;
      }
      case 'nullable':
        if (type.inner.kind === 'object') {
          return `(objects.nullableObject(r, ${this.typesOf(type.inner.interfaces)}) as ${this.#objectType(type.inner.interfaces, file)} | null)`;
        }
        return `(r.boolean() ? ${this.expression(type.inner, file)} : null)`;
      case 'union':
        return `${file.value('decodeUnion', WIRE)}<${apiType(type, `${file.namespace('api', API)}.`, false)}>(r, [${type.members.map((member) => `() => ${this.expression(member, file)}`).join(', ')}])`;
      default:
        throw new Error(`a ${type.kind} cannot cross the wire`);
    }
  }

  /** Like `expression`, for a field: a name may say what its type does not. */
  field(field: FieldSchema, file: SourceFile): string {
    return isLabel(field) ? 'r.label()' : this.expression(field.type, file);
  }

  /** The interfaces as a mask of their numbers. */
  typesOf(interfaces: readonly string[]): string {
    const numbers = interfaces.map((name) => numberOf(this.#schema, name)).filter((number) => number > 0);
    return `0x${numbers.reduce((mask, number) => mask + 2 ** number, 0).toString(16)}`;
  }

  #objectType(interfaces: readonly string[], file: SourceFile): string {
    const api = file.namespace('api', API);
    return interfaces.map((name) => `${api}.${name}`).join(' | ');
  }

  /** Statements that read a dictionary into `v`. Absent fields stay absent: the backend knows the same defaults. */
  dictionaryStatements(dictionary: DictionarySchema, file: SourceFile): Lines[] {
    const bits = dictionary.fields.flatMap((field) => (field.bit === undefined ? [] : [field.bit]));
    const count = Math.max(-1, ...bits) + 1;
    const removed = bits.reduce((mask, bit) => mask - 2 ** bit, 2 ** count - 1);
    return [
      `${count > 0 ? 'const present = ' : ''}r.presence(${count});`,
      // Bits of members that a later revision took away: what follows could not be read.
      removed > 0 && `if (present & ${removed}) r.fail('unknown-field', 'a member that was removed');`,
      dictionary.fields.map((field) => {
        const read = canBeAbsent(field) ? 'r.optionalU32()' : this.field(field, file);
        const assign = `v.${field.name} = ${read};`;
        if (field.bit === undefined) return assign;
        const fallback = this.#names.fillsDefaults ? defaultValue(field) : 'undefined';
        return `if (present & ${2 ** field.bit}) ${assign}${fallback === 'undefined' ? '' : ` else v.${field.name} = ${fallback};`}`;
      }),
    ];
  }
}

/** An integer that has no default: see `WireReader.optionalU32`. */
function canBeAbsent({ required, default: fallback, type }: FieldSchema): boolean {
  return !required && fallback === undefined && type.kind === 'integer' && type.bits === 32 && !type.signed;
}

function recordValueType(type: TypeSchema): string {
  return type.kind === 'string' ? 'string' : 'number';
}
