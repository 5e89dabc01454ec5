import * as fc from 'fast-check';
import { isLabel } from '../../packages/codegen/src/emit/names.ts';
import { dictionary, enumValues, type FieldSchema, type TypeSchema, wellFormed } from './schema.ts';

/** An id as a guest allocates them: never 0, which stands for null. */
export const id = fc.integer({ min: 1, max: 0xffff_ffff });

const u32 = fc.oneof(
  fc.constantFrom(0, 1, 2, 255, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);

const u64 = fc.oneof(
  fc.constantFrom(0, 1, 0xffff_ffff, 0x1_0000_0000, 2 ** 53 - 1, 2 ** 52 + 1),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
);

/** UTF-16 as JavaScript has it: lone surrogates too, of any length up to where the writer's paths change. */
const unit16 = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: unit16, maxLength: 40 }),
  fc.string({ unit: 'grapheme', minLength: 55, maxLength: 80 }),
);

/** Labels are cut, so some are longer than what is sent of them. */
const label = fc.oneof({ weight: 9, arbitrary: text }, fc.string({ minLength: 1020, maxLength: 1030 }));

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  // Other sources of bytes than Uint8Array.
  fc.uint8Array({ maxLength: 12 }).map((array) => new DataView(array.slice().buffer)),
  fc.uint8Array({ maxLength: 12 }).map((array) => array.slice().buffer),
  fc.float64Array({ maxLength: 3 }),
);

function integer(type: Extract<TypeSchema, { kind: 'integer' }>): fc.Arbitrary<number> {
  if (type.bits === 64) return u64;
  if (type.bits === 16) return fc.integer({ min: 0, max: 0xffff });
  return type.signed ? fc.oneof(fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31)), fc.integer()) : u32;
}

/** Values of a type in the form that the encoders take: ids for objects, converted by Web IDL's rules otherwise. */
export function arbitraryOf(type: TypeSchema): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return integer(type);
    case 'float':
      return type.bits === 32 ? fc.float() : fc.double();
    case 'string':
      return text;
    case 'enum':
      return fc.constantFrom(...enumValues(type.name).map((value) => value.name));
    case 'dictionary':
    case 'shape':
      return dictionaryArbitrary(type.name);
    case 'object':
      return id;
    case 'bytes':
      return bytes;
    case 'sequence':
    case 'frozenArray':
      return fc.array(arbitraryOf(type.element), { maxLength: 4 });
    case 'record': {
      const value = type.value.kind === 'nullable' && type.value.undefinable ? type.value.inner : type.value;
      const key = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', '0', '4294967295'));
      // A record has each key once: the conversion sees to it. Keys that become one on the wire count as one.
      return fc.uniqueArray(fc.tuple(key, arbitraryOf(value)), {
        maxLength: 4,
        selector: ([one]) => wellFormed(one),
      });
    }
    case 'nullable':
      return fc.option(arbitraryOf(type.inner), { nil: null, freq: 3 });
    case 'union':
      return fc.oneof(...type.members.map(arbitraryOf));
    default:
      throw new Error(`there is no arbitrary for a ${type.kind}`);
  }
}

/** Whether an absent value crosses as "absent"; one with a default is given by the conversion. */
export function canBeUndefined(field: Pick<FieldSchema, 'required' | 'default'>): boolean {
  return !field.required && (field.default === undefined || field.default === 'empty-dictionary');
}

/** A field's values: absent or the default as often as anything else, so that eliding is exercised. */
export function fieldArbitrary(field: FieldSchema): fc.Arbitrary<unknown> {
  const value = isLabel(field) ? label : arbitraryOf(field.type);
  if (field.required) return value;
  if (canBeUndefined(field)) return fc.option(value, { nil: undefined, freq: 2 });
  const fallback = field.default === 'empty-sequence' ? [] : field.default;
  return fc.oneof(value, fc.constant(fallback));
}

const dictionaries = new Map<string, fc.Arbitrary<unknown>>();

/** WebGPU's dictionaries do not contain themselves, so this ends. */
function dictionaryArbitrary(name: string): fc.Arbitrary<unknown> {
  const known = dictionaries.get(name);
  if (known !== undefined) return known;
  const fields = dictionary(name).fields.map((field) => [field.name, fieldArbitrary(field)] as const);
  const made = fc.record(Object.fromEntries(fields));
  dictionaries.set(name, made);
  return made;
}
