import type { DictionarySchema, FieldSchema, TypeSchema, WireSchema } from '../schema/schema.ts';
import { isWrapped, literalText } from './names.ts';
import type { Lines, SourceFile } from './source.ts';
import { ENUMS, WEBIDL } from './types.ts';

export function dictionaryPath(name: string): string {
  return `guest/dictionaries/${name}.ts`;
}

export function interfacePath(name: string): string {
  return `guest/${name}.ts`;
}

/** Emits Web IDL conversions: expressions that turn what a program gave into a value, or throw a TypeError. */
export class Conversions {
  readonly #schema: WireSchema;

  constructor(schema: WireSchema) {
    this.#schema = schema;
  }

  /**
   * An expression that converts `value`.
   * @param context an expression for the place in messages.
   */
  expression(type: TypeSchema, value: string, context: string, file: SourceFile): string {
    const call = (name: string, ...more: string[]): string =>
      `${file.value(name, WEBIDL)}(${[value, ...more].join(', ')})`;
    switch (type.kind) {
      case 'boolean':
        return `Boolean(${value})`;
      case 'integer': {
        const sign = type.signed ? 'Int' : 'Uint';
        if (type.conversion === 'enforceRange') return call(`to${sign}${type.bits}Enforced`, context);
        return call(`to${sign}${type.bits}${type.conversion === 'clamp' ? 'Clamped' : ''}`);
      }
      case 'float':
        return call(type.bits === 32 ? 'toFloat' : 'toDouble', context);
      case 'string':
        return call(type.scalarValues ? 'toUSVString' : 'toDOMString', context);
      case 'enum':
        return call('toEnum', file.value(`${type.name}Numbers`, ENUMS), `'${type.name}'`, context);
      case 'dictionary':
      case 'shape':
        return `${file.value(`convert${type.name}`, dictionaryPath(type.name))}(${value}, stream, ${context})`;
      case 'object':
        return this.#object(type.interfaces, value, context, file);
      case 'bytes':
        return call(type.type === 'Uint32Array' ? 'toUint32Array' : 'toBufferSource', context);
      case 'sequence':
        return call('toSequence', `(item) => ${this.expression(type.element, 'item', context, file)}`, context);
      case 'record': {
        const inner = type.value.kind === 'nullable' ? type.value.inner : type.value;
        const converted = this.expression(inner, 'item', context, file);
        const item = type.value.kind === 'nullable' ? `(item === undefined ? undefined : ${converted})` : converted;
        return call('toRecord', String(type.scalarValueKeys), `(item) => ${item}`, context);
      }
      case 'nullable':
        return `(${value} === null || ${value} === undefined ? null : ${this.expression(type.inner, value, context, file)})`;
      case 'union':
        return this.#union(type.members, value, context, file);
      default:
        return value;
    }
  }

  #object(interfaces: readonly string[], value: string, context: string, file: SourceFile): string {
    const known = interfaces.filter((name) => isWrapped(this.#schema, name));
    if (known.length === 0) return value;
    const attempts = known.map((name) => `${file.value(`idOf${name}`, interfacePath(name))}(${value}, stream)`);
    return `(${attempts.join(' || ')} || ${file.value('notAnObjectOf', WEBIDL)}('${interfaces.join(' or ')}', ${context}))`;
  }

  /** Interfaces are tried first, then an object is a dictionary, and anything else is an enum's string. */
  #union(members: readonly TypeSchema[], value: string, context: string, file: SourceFile): string {
    const objects = members.find((member) => member.kind === 'object');
    const other = members.find((member) => member.kind !== 'object');
    if (
      objects?.kind !== 'object' ||
      !other ||
      members.length !== 2 ||
      (other.kind !== 'enum' && other.kind !== 'dictionary')
    )
      return value;
    const attempts = objects.interfaces
      .filter((name) => isWrapped(this.#schema, name))
      .map((name) => `${file.value(`idOf${name}`, interfacePath(name))}(${value}, stream)`);
    return `(${attempts.join(' || ')} || ${this.expression(other, value, context, file)})`;
  }

  /** A field's conversion: absent ones get their default, or fail when they are required. */
  #field(field: FieldSchema, owner: string, file: SourceFile): Lines[] {
    const context = `'${owner}.${field.name}'`;
    const local = `${field.name}Given`;
    const converted = this.expression(field.type, local, context, file);
    const absent = field.required ? `${file.value('missingMember', WEBIDL)}(${context})` : defaultValue(field);
    return [
      `const ${local} = given?.['${field.name}'];`,
      `const ${field.name} = ${local} === undefined ? ${absent} : ${converted};`,
    ];
  }

  /** The function that converts a dictionary: members are read in Web IDL's order. */
  dictionaryBody(dictionary: DictionarySchema, file: SourceFile): Lines[] {
    const fields = dictionary.conversionOrder.map((name) => dictionary.fields.find((field) => field.name === name)!);
    return [
      `${fields.length > 0 ? 'const given = ' : ''}${file.value('toDictionary', WEBIDL)}(value, context);`,
      fields.map((field) => this.#field(field, dictionary.name, file)),
      `return { ${dictionary.fields.map((field) => field.name).join(', ')} };`,
    ];
  }

  /** A shape is a sequence of its members' values, or a dictionary. */
  shapePrelude(dictionary: DictionarySchema, file: SourceFile): Lines[] {
    const first = dictionary.fields[0]!;
    const minimum = dictionary.fields.filter((field) => field.required).length;
    const items = `${file.value('toShapeItems', WEBIDL)}(value, (item) => ${this.expression(first.type, 'item', 'context', file)}, ${minimum}, ${dictionary.fields.length}, context)`;
    const members = dictionary.fields.map(
      (field, index) => `${field.name}: items[${index}]${field.required ? '!' : ` ?? ${literalText(field)}`}`,
    );
    return [
      `if (${file.value('isIterable', WEBIDL)}(value)) {`,
      `const items = ${items};`,
      `return { ${members.join(', ')} };`,
      '}',
    ];
  }
}

/** What an absent optional member becomes. */
export function defaultValue(field: Pick<FieldSchema, 'default'>): string {
  return field.default === undefined || field.default === 'empty-dictionary' ? 'undefined' : literalText(field);
}
