import type { FieldSchema, InterfaceSchema, TypeSchema, WireSchema } from '../schema/schema.ts';

/** `queueWriteBuffer`: the one word by which a record is found, in every language. */
export function wordOf(record: string): string {
  const [owner, member] = record.split('.') as [string, string];
  const stem = owner.replace(/^(GPU|Vesper)/, '').replace(/Mixin$/, '');
  const word = stem.charAt(0).toLowerCase() + stem.slice(1);
  return (word === '' ? 'gpu' : word) + capital(member);
}

/** The word of an interface or mixin: `queue`, `renderCommands`. */
export function ownerWord(owner: string): string {
  return wordOf(`${owner}.x`).slice(0, -1);
}

export function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

export function numberOf(schema: WireSchema, interfaceName: string): number {
  return schema.interfaces.find((one) => one.name === interfaceName)!.number;
}

/** Interfaces whose objects the guest library makes itself: wrapped implementations. */
export function isWrapped(schema: WireSchema, name: string): boolean {
  const one = schema.interfaces.find((other) => other.name === name);
  return one !== undefined && !one.isHandWritten;
}

/** Interfaces of the public API, with their own classes. */
export function publicInterfaces(schema: WireSchema): InterfaceSchema[] {
  return schema.interfaces.filter((one) => !one.name.startsWith('Vesper'));
}

export function generatedInterfaces(schema: WireSchema): InterfaceSchema[] {
  return publicInterfaces(schema).filter((one) => !one.isHandWritten);
}

/** Whether a type, once encoded, always takes the same number of words; and how many. */
export function fixedWords(type: TypeSchema): number | undefined {
  switch (type.kind) {
    case 'boolean':
    case 'enum':
    case 'object':
      return 1;
    case 'integer':
      return type.bits === 64 ? 2 : 1;
    case 'float':
      return type.bits / 32;
    case 'nullable':
      return type.inner.kind === 'object' ? 1 : undefined;
    default:
      return undefined;
  }
}

/** The fewest words that a value of a type takes: what a count of them can be checked against. */
export function minimumWords(schema: WireSchema, type: TypeSchema): number {
  switch (type.kind) {
    case 'dictionary':
    case 'shape': {
      const fields = schema.dictionaries.find((one) => one.name === type.name)!.fields;
      const required = fields.filter((field) => field.required);
      // The presence mask comes first.
      return 1 + required.reduce((sum, field) => sum + minimumWords(schema, field.type), 0);
    }
    case 'union':
      return 2;
    case 'bytes':
      return 2;
    default:
      return fixedWords(type) ?? 1;
  }
}

/** Whether a field only serves messages: long ones are cut, to MAX_LABEL_LENGTH of packages/wire. */
export function isLabel(field: FieldSchema): boolean {
  return field.type.kind === 'string' && /^(label|groupLabel|markerLabel)$/.test(field.name);
}

/** A default as a TypeScript literal. */
export function literalText(field: Pick<FieldSchema, 'default'>): string {
  const value = field.default;
  if (value === 'empty-sequence') return '[]';
  if (value === 'empty-dictionary') return '{}';
  return typeof value === 'string' ? `'${value}'` : String(value);
}
