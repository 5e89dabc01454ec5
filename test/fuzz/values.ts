import { dictionary, enumValues, type FieldSchema, type TypeSchema } from '../wire/schema.ts';
import type { Random } from './random.ts';

const U32 = [
  0, 0, 1, 1, 2, 3, 4, 8, 16, 64, 255, 256, 4096, 65_535, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
];
const SMALL = [0, 0, 0, 1, 1, 2, 3, 4, 8, 16];
const U64 = [0, 0, 4, 8, 16, 64, 256, 0xffff_ffff, 2 ** 32, 2 ** 53 - 1];
const FLOATS = [0, -0, 0.5, 1, 1, -1, 2, 1e30, 5e-324, Infinity, -Infinity, NaN];
const FINITE = [0, 0, 0.5, 1, 1, 2];
const TEXTS = ['', '', 'a', 'main', 'vs', 'fs', 'Grüße', '🦀', '__proto__', 'x'.repeat(40)];

/** Values that say more than their types; undefined where a field has none. */
export type Override = (owner: string, field: string) => unknown;

/**
 * Makes valid values of the schema's types, in the form that the generated encoders take. Most are such that a backend
 * would accept them, some are edges.
 */
export class Values {
  readonly #random: Random;
  readonly #idOf: (interfaces: readonly string[]) => number;
  readonly #override: Override;

  constructor(random: Random, idOf: (interfaces: readonly string[]) => number, override: Override) {
    this.#random = random;
    this.#idOf = idOf;
    this.#override = override;
  }

  /** A field's value; absent as often as not where it may be. @param owner the dictionary or the command. */
  field(owner: string, field: FieldSchema): unknown {
    if (field.required || this.#random.oneIn(3)) {
      return this.#override(owner, field.name) ?? this.value(field.type);
    }
    if (field.default === undefined || field.default === 'empty-dictionary') return undefined;
    return field.default === 'empty-sequence' ? [] : field.default;
  }

  value(type: TypeSchema): unknown {
    const random = this.#random;
    switch (type.kind) {
      case 'boolean':
        return random.oneIn(2);
      case 'integer':
        if (!random.oneIn(6)) return random.pick(SMALL);
        if (type.bits === 64) return random.pick(U64);
        return type.signed ? random.pick(U32) | 0 : random.pick(U32);
      case 'float':
        return random.pick(random.oneIn(4) ? FLOATS : FINITE);
      case 'string':
        return random.pick(TEXTS);
      case 'enum':
        return random.pick(enumValues(type.name)).name;
      case 'object':
        return this.#idOf(type.interfaces);
      case 'bytes':
        // Small numbers, in words: an indirect call may read them.
        return new Uint8Array(Uint32Array.from({ length: random.below(12) }, () => random.below(4)).buffer);
      case 'dictionary':
      case 'shape': {
        const { fields } = dictionary(type.name);
        return Object.fromEntries(fields.map((field) => [field.name, this.field(type.name, field)]));
      }
      case 'sequence':
      case 'frozenArray':
        return Array.from({ length: random.below(4) }, () => this.value(type.element));
      case 'record': {
        const inner = type.value.kind === 'nullable' ? type.value.inner : type.value;
        return Array.from({ length: random.below(3) }, () => [random.pick(TEXTS), this.value(inner)]);
      }
      case 'nullable':
        return random.oneIn(3) ? null : this.value(type.inner);
      case 'union':
        return this.value(random.pick(type.members));
      default:
        throw new Error(`no value of a ${type.kind}`);
    }
  }
}
