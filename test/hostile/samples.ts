import { dictionary, enumValues, interfaceNumbers, type FieldSchema, type TypeSchema } from '../wire/schema.ts';

/** Where a sample's ids come from. */
export type IdOf = (interfaceName: string) => number;

/**
 * A valid value with every member present, and none equal to its default, so that the whole layout is there.
 * @param variant which of a union's members, of an object's interfaces, of the lengths of strings is taken.
 */
export function sample(type: TypeSchema, idOf: IdOf, variant: number): unknown {
  switch (type.kind) {
    case 'undefined':
      return undefined;
    case 'boolean':
      return true;
    case 'integer':
      return type.bits === 64 ? 8 : 3;
    case 'float':
      return 0.5;
    case 'string':
      // One on each side of the length from which the reader uses TextDecoder, both with padding.
      return variant % 2 === 0 ? 'abcde' : 'Grüße, and a text that is not a short one any more';
    case 'enum':
      return enumValues(type.name).at(-1)!.name;
    case 'object': {
      const interfaces = type.interfaces.filter((name) => interfaceNumbers.has(name));
      return idOf(interfaces[variant % interfaces.length]!);
    }
    case 'bytes':
      return Uint8Array.of(1, 2, 3, 4, 5);
    case 'dictionary':
    case 'shape':
      return Object.fromEntries(
        dictionary(type.name).fields.map((field) => [field.name, fieldSample(field, idOf, variant)]),
      );
    case 'sequence':
    case 'frozenArray':
      return type.element.kind === 'nullable'
        ? [sample(type.element.inner, idOf, variant), null]
        : [sample(type.element, idOf, variant), sample(type.element, idOf, variant + 1)];
    case 'record': {
      const value = type.value.kind === 'nullable' && type.value.undefinable ? type.value.inner : type.value;
      return [
        ['first', sample(value, idOf, variant)],
        ['__proto__', sample(value, idOf, variant)],
      ];
    }
    case 'nullable':
      return sample(type.inner, idOf, variant);
    case 'union':
      return sample(type.members[variant % type.members.length]!, idOf, variant);
    default:
      throw new Error(`there is no sample of a ${type.kind}`);
  }
}

export function fieldSample(field: FieldSchema, idOf: IdOf, variant: number): unknown {
  const { type } = field;
  if (type.kind === 'enum') return enumValues(type.name).findLast((value) => value.name !== field.default)!.name;
  if (type.kind === 'boolean') return field.default !== true;
  return sample(type, idOf, variant);
}
