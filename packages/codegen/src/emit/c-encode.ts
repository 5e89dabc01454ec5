import { GenerateError } from '../errors.ts';
import type { FieldSchema, TypeSchema, WireSchema } from '../schema/schema.ts';
import { constantName, memberName, snake } from './c-names.ts';
import { END_SWITCH } from './c-source.ts';
import type { CTypes } from './c-types.ts';
import { plain } from './encode.ts';
import { isLabel } from './names.ts';
import type { Lines } from './source.ts';

/** Emits C statements that write values. A value is an expression; what starts with `*` is behind a pointer. */
export class CEncoding {
  readonly #schema: WireSchema;
  readonly #types: CTypes;

  constructor(schema: WireSchema, types: CTypes) {
    this.#schema = schema;
    this.#types = types;
  }

  /** Statements that write `value`. `isFlat` where a sequence is two variables, `value` and `value_count`. */
  statements(type: TypeSchema, value: string, isFlat = false, depth = 0): Lines[] {
    switch (type.kind) {
      case 'boolean':
        return [`vesper_write_bool(w, ${value});`];
      case 'integer':
        return [`vesper_write_${type.bits === 64 ? 'u64' : type.signed ? 'i32' : 'u32'}(w, ${value});`];
      case 'float':
        return [`vesper_write_f${type.bits}(w, ${value});`];
      case 'string':
        return [`vesper_write_string(w, ${value});`];
      case 'bytes':
        return [`vesper_write_bytes(w, ${value});`];
      case 'enum':
        return [`vesper_write_u32(w, (uint32_t)${value});`];
      case 'object':
        return [`vesper_write_u32(w, ${value});`];
      case 'dictionary':
      case 'shape':
        return [`write_${snake(type.name)}(w, ${addressOf(value)});`];
      case 'sequence':
      case 'frozenArray':
        return this.#loop(value, isFlat, depth, true, (item) => this.statements(type.element, item, false, depth + 1));
      case 'record':
        return this.#loop(value, isFlat, depth, true, (item) => [
          `vesper_write_string(w, ${item}.key);`,
          this.statements(plain(type.value), `${item}.value`, true, depth + 1),
        ]);
      case 'nullable':
        if (type.inner.kind === 'object') return [`vesper_write_u32(w, ${value});`];
        return [
          `vesper_write_bool(w, ${memberOf(value, 'has_value')});`,
          `if (${memberOf(value, 'has_value')}) {`,
          this.statements(type.inner, memberOf(value, 'value'), true, depth),
          '}',
        ];
      case 'union':
        return [
          `vesper_write_u32(w, (uint32_t)${memberOf(value, 'kind')});`,
          this.#switch(type, value, (member, inner) => this.statements(member, inner, false, depth)),
        ];
      default:
        throw new GenerateError(`a ${type.kind} cannot cross the wire`);
    }
  }

  /** Statements that send what is too long for a record ahead of it; none where a type holds no bytes. */
  bulk(type: TypeSchema, value: string, isFlat = false, depth = 0): Lines[] {
    if (!this.hasBytes(type)) return [];
    switch (type.kind) {
      case 'bytes':
        return [`vesper_write_bulk(w, ${value});`];
      case 'dictionary':
      case 'shape':
        return [`bulk_${snake(type.name)}(w, ${addressOf(value)});`];
      case 'sequence':
      case 'frozenArray':
        return this.#loop(value, isFlat, depth, false, (item) => this.bulk(type.element, item, false, depth + 1));
      case 'record':
        return this.#loop(value, isFlat, depth, false, (item) =>
          this.bulk(plain(type.value), `${item}.value`, true, depth + 1),
        );
      case 'nullable':
        return [
          `if (${memberOf(value, 'has_value')}) {`,
          this.bulk(type.inner, memberOf(value, 'value'), true, depth),
          '}',
        ];
      case 'union':
        return this.#switch(type, value, (member, inner) => this.bulk(member, inner, false, depth));
      default:
        return [];
    }
  }

  #loop(value: string, isFlat: boolean, depth: number, counted: boolean, body: (item: string) => Lines[]): Lines[] {
    const count = isFlat ? `${value}_count` : `${value}.count`;
    const items = isFlat ? value : `${value}.items`;
    const index = `i${depth || ''}`;
    return [
      counted && `vesper_write_count(w, ${count});`,
      `for (size_t ${index} = 0; ${index} < ${count}; ${index}++) {`,
      body(`${items}[${index}]`),
      '}',
    ];
  }

  #switch(
    type: Extract<TypeSchema, { kind: 'union' }>,
    value: string,
    body: (member: TypeSchema, inner: string) => Lines[],
  ): Lines[] {
    return [
      `switch (${memberOf(value, 'kind')}) {`,
      type.members.map((member) => [
        `case ${this.#types.tag(type, member)}:`,
        body(member, `${memberOf(value, 'as')}.${this.#types.memberOf(member)}`),
        'break;',
      ]),
      END_SWITCH,
    ];
  }

  /** Whether a value can hold bytes, which may have to go ahead of the record. */
  hasBytes(type: TypeSchema, within: readonly string[] = []): boolean {
    switch (type.kind) {
      case 'bytes':
        return true;
      case 'dictionary':
      case 'shape': {
        if (within.includes(type.name)) return false;
        const { fields } = this.#schema.dictionaries.find((one) => one.name === type.name)!;
        return fields.some((field) => this.hasBytes(field.type, [...within, type.name]));
      }
      case 'sequence':
      case 'frozenArray':
        return this.hasBytes(type.element, within);
      case 'record':
        return this.hasBytes(type.value, within);
      case 'nullable':
        return this.hasBytes(type.inner, within);
      case 'union':
        return type.members.some((member) => this.hasBytes(member, within));
      default:
        return false;
    }
  }

  /** Whether an optional field is sent: it is given, differs from its default, and the host knows it. */
  presence(field: FieldSchema, value: string, given?: string): string {
    const tests = [
      ...(field.since > 1 ? [`w->revision >= ${field.since}`] : []),
      ...(given === undefined ? [] : [given]),
      ...this.#differs(field, value),
    ];
    return tests.join(' && ') || 'true';
  }

  #differs(field: FieldSchema, value: string): string[] {
    const fallback = field.default;
    if (fallback === undefined || fallback === 'empty-dictionary') return [];
    if (fallback === 'empty-sequence') return [`${value}_count != 0`];
    switch (field.type.kind) {
      case 'boolean':
        return [fallback === true ? `!${value}` : value];
      case 'integer':
        return [`${value} != ${integerText(field.type, Number(fallback))}`];
      case 'float':
        return [`!vesper_is_number(${value}, ${floatText(Number(fallback))})`];
      case 'enum':
        return [`${value} != ${constantName(field.type.name, String(fallback))}`];
      case 'string':
        return [fallback === '' ? `${value}.length != 0` : `!vesper_is_string(${value}, ${JSON.stringify(fallback)})`];
      default:
        throw new GenerateError(`a default of a ${field.type.kind}; teach packages/codegen/src/emit/c-encode.ts`);
    }
  }

  /** Whether an optional argument is sent. */
  argumentPresence(field: FieldSchema): string {
    const name = memberName(field.name);
    if (field.type.kind === 'dictionary' || field.type.kind === 'shape')
      return this.presence(field, name, `${name} != NULL`);
    return this.presence(field, name, field.default === undefined ? `has_${name}` : undefined);
  }

  /** A field's statements. */
  field(field: FieldSchema, value: string): Lines[] {
    if (isLabel(field)) return [`vesper_write_label(w, ${value});`];
    return this.statements(field.type, value, true);
  }
}

function addressOf(value: string): string {
  return value.startsWith('*') ? value.slice(1) : `&${value}`;
}

function memberOf(value: string, member: string): string {
  return value.startsWith('*') ? `${value.slice(1)}->${member}` : `${value}.${member}`;
}

function integerText(type: Extract<TypeSchema, { kind: 'integer' }>, value: number): string {
  if (type.bits === 64) return `UINT64_C(${value})`;
  return type.signed ? String(value) : `${value}u`;
}

function floatText(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
