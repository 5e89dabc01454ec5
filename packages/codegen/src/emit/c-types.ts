import { GenerateError } from '../errors.ts';
import type { DictionarySchema, FieldSchema, TypeSchema, WireSchema } from '../schema/schema.ts';
import { cDoc } from './c-source.ts';
import { constantName, defaultText, memberName, snake } from './c-names.ts';
import { plain } from './encode.ts';
import type { Lines } from './source.ts';

/** Types of C itself, by the stem of ours. */
const SCALARS: Record<string, string> = {
  bool: 'bool',
  i16: 'int16_t',
  i64: 'int64_t',
  u16: 'uint16_t',
  u32: 'uint32_t',
  i32: 'int32_t',
  u64: 'uint64_t',
  f32: 'float',
  f64: 'double',
  object: 'uint32_t',
};

/** Names that the runtime has taken. */
const RUNTIME = ['writer', 'status', 'grow', 'full', 'string', 'bytes', 'opcode', 'interface'];

interface StructType {
  lines: Lines[];
  /** Structs that it holds by value, which have to be defined before it. */
  holds: string[];
}

/**
 * The C types of values: scalars, structs of dictionaries, and the small structs that unions, nullable values and
 * sequences within others need. Those are found as the types are asked for.
 */
export class CTypes {
  readonly #structs = new Map<string, StructType>();
  /** What each name stands for, so that no two types share one. */
  readonly #taken = new Map<string, string>(RUNTIME.map((stem) => [stem, 'the runtime']));

  constructor(schema: WireSchema) {
    for (const one of schema.enums) this.#take(snake(one.name), one.name);
    for (const one of schema.dictionaries.filter((dictionary) => dictionary.fromGuest)) this.#dictionary(one);
  }

  #take(stem: string, owner: string): void {
    const other = this.#taken.get(stem);
    if (other !== undefined && other !== owner)
      throw new GenerateError(
        `vesper_${stem} would stand for both ${other} and ${owner} in C; teach packages/codegen/src/emit/c-names.ts`,
      );
    this.#taken.set(stem, owner);
  }

  /** The C type of a value. */
  name(type: TypeSchema): string {
    const stem = this.#stem(type);
    return SCALARS[stem] ?? `vesper_${stem}`;
  }

  /** Declarations of a member or parameter: a sequence has two, its items and how many they are. */
  declarators(type: TypeSchema, name: string): string[] {
    const element = this.elementOf(type);
    if (element !== undefined) return [`const ${element} *${name}`, `size_t ${name}_count`];
    return [`${this.name(type)} ${name}`];
  }

  /** The C type of what a sequence or record holds; undefined for any other type. */
  elementOf(type: TypeSchema): string | undefined {
    if (type.kind === 'sequence' || type.kind === 'frozenArray') return this.name(type.element);
    if (type.kind === 'record') return this.#entry(plain(type.value));
    return undefined;
  }

  /** The tag of a union's member. */
  tag(union: TypeSchema, member: TypeSchema): string {
    return constantName(this.#stem(union), this.#memberStem(member));
  }

  /** The name of a union's member. */
  memberOf(member: TypeSchema): string {
    return memberName(this.#memberStem(member));
  }

  #memberStem(type: TypeSchema): string {
    if (type.kind !== 'object') return this.#stem(type);
    return type.interfaces.length === 1 ? snake(type.interfaces[0]!) : 'object';
  }

  #stem(type: TypeSchema): string {
    switch (type.kind) {
      case 'boolean':
        return 'bool';
      case 'integer':
        return `${type.signed ? 'i' : 'u'}${type.bits}`;
      case 'float':
        return `f${type.bits}`;
      case 'string':
      case 'bytes':
      case 'object':
        return type.kind;
      case 'enum':
      case 'dictionary':
      case 'shape':
        return snake(type.name);
      case 'nullable':
        return type.inner.kind === 'object' ? 'object' : this.#optional(type.inner);
      case 'union':
        return this.#union(type);
      case 'sequence':
      case 'frozenArray':
      case 'record':
        return this.#list(type);
      default:
        throw new GenerateError(`a ${type.kind} cannot cross the wire`);
    }
  }

  #define(stem: string, owner: string, doc: string, held: readonly TypeSchema[], members: () => Lines[]): string {
    this.#take(stem, owner);
    const name = `vesper_${stem}`;
    if (!this.#structs.has(name)) {
      const struct: StructType = { lines: [], holds: [] };
      this.#structs.set(name, struct);
      struct.lines = [cDoc(doc), `struct ${name} {`, members(), '};', ''];
      struct.holds = held.filter((type) => this.elementOf(type) === undefined).map((type) => this.name(type));
    }
    return stem;
  }

  #optional(inner: TypeSchema): string {
    const stem = `optional_${this.#stem(inner)}`;
    return this.#define(stem, stem, 'A value or null.', [inner], () => [
      'bool has_value;',
      this.declarators(inner, 'value').map((text) => `${text};`),
    ]);
  }

  #list(type: TypeSchema): string {
    const element = this.elementOf(type)!;
    const stem = `${element.replace(/^vesper_/, '')}_list`;
    return this.#define(stem, stem, 'A sequence within another type.', [], () => [
      `const ${element} *items;`,
      'size_t count;',
    ]);
  }

  #entry(value: TypeSchema): string {
    const stem = `${this.#stem(value)}_entry`;
    this.#define(stem, stem, 'An entry of a record.', [value], () => [
      'vesper_string key;',
      this.declarators(value, 'value').map((text) => `${text};`),
    ]);
    return `vesper_${stem}`;
  }

  #union(type: Extract<TypeSchema, { kind: 'union' }>): string {
    const stem = type.members.map((member) => this.#memberStem(member)).join('_or_');
    const owner = JSON.stringify(type);
    const tags = type.members.map(
      (member, index) =>
        `${constantName(stem, this.#memberStem(member))} = ${index}${index < type.members.length - 1 ? ',' : ''}`,
    );
    return this.#define(stem, owner, '`kind` says which member of `as` is meant.', type.members, () => [
      'enum {',
      tags,
      '} kind;',
      'union {',
      type.members.map((member) => `${this.name(member)} ${this.memberOf(member)};`),
      '} as;',
    ]);
  }

  #dictionary(one: DictionarySchema): void {
    const fields = one.fields.map((field) => this.#member(field));
    this.#define(
      snake(one.name),
      one.name,
      `${one.name}: ${one.spec}`,
      one.fields.map((field) => field.type),
      () =>
        // C has no empty struct.
        fields.length === 0 ? ['uint8_t reserved;'] : fields,
    );
  }

  #member(field: FieldSchema): Lines[] {
    const name = memberName(field.name);
    const value = this.declarators(field.type, name).map((text) => `${text};`);
    if (field.required) return value;
    const absent = field.default === undefined ? 'absent' : defaultText(field.default);
    const since = field.since > 1 ? ` Since revision ${field.since}.` : '';
    return [`/** Where false: ${absent}.${since} */`, `bool has_${name};`, ...value];
  }

  /** Declarations of all structs, each behind those that it holds. */
  declarations(): Lines[] {
    const names = [...this.#structs.keys()].toSorted();
    const done = new Set<string>();
    const out: Lines[] = [];
    const visit = (name: string, within: readonly string[]): void => {
      const struct = this.#structs.get(name);
      if (!struct || done.has(name)) return;
      if (within.includes(name))
        throw new GenerateError(
          `${[...within, name].join(' holds ')} in C; teach packages/codegen/src/emit/c-types.ts`,
        );
      for (const held of struct.holds) visit(held, [...within, name]);
      done.add(name);
      out.push(struct.lines);
    };
    for (const name of names) visit(name, []);
    return [names.map((name) => `typedef struct ${name} ${name};`), '', ...out];
  }
}
