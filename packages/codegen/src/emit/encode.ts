import type { DictionarySchema, FieldSchema, TypeSchema } from '../schema/schema.ts';
import { fixedWords, isLabel, literalText } from './names.ts';
import { ENUMS, WIRE } from './types.ts';
import type { Lines, SourceFile } from './source.ts';

/** How the encoder of a dictionary is called, and where it stands. */
export interface EncoderNames {
  encoder(file: SourceFile, dictionary: string): string;
}

/** Statements that write `value` to the writer `w`. */
export function encodeStatements(
  type: TypeSchema,
  value: string,
  file: SourceFile,
  names: EncoderNames,
  depth = 0,
): Lines[] {
  switch (type.kind) {
    case 'undefined':
      return [];
    case 'boolean':
      return [`w.boolean(${value});`];
    case 'integer':
      return [`w.${type.bits === 64 ? 'u64' : type.signed ? 'i32' : 'u32'}(${value});`];
    case 'float':
      return [`w.f${type.bits}(${value});`];
    case 'string':
      return [`w.string(${value});`];
    case 'enum':
      return [`w.u32(${file.value(`${type.name}Numbers`, ENUMS)}[${value}]);`];
    case 'object':
      return [`w.u32(${value});`];
    case 'dictionary':
    case 'shape':
      return [`${names.encoder(file, type.name)}(w, ${value});`];
    case 'bytes':
      return [`w.bytes(${value});`];
    case 'sequence':
    case 'frozenArray': {
      const item = `item${depth || ''}`;
      return [
        `w.u32(${value}.length);`,
        `for (const ${item} of ${value}) {`,
        encodeStatements(type.element, item, file, names, depth + 1),
        '}',
      ];
    }
    case 'record': {
      const [key, item] = [`key${depth || ''}`, `item${depth || ''}`];
      return [
        `w.u32(${value}.length);`,
        `for (const [${key}, ${item}] of ${value}) {`,
        `w.string(${key});`,
        encodeStatements(plain(type.value), item, file, names, depth + 1),
        '}',
      ];
    }
    case 'nullable':
      if (type.inner.kind === 'object') return [`w.u32(${value} ?? 0);`];
      return [
        `w.boolean(${value} !== null);`,
        `if (${value} !== null) {`,
        encodeStatements(type.inner, value, file, names, depth),
        '}',
      ];
    case 'union':
      return type.members.map((member, index) => [
        `${index === 0 ? '' : '} else '}${index === type.members.length - 1 ? '' : `if (${unionTest(member, value)}) `}{`,
        `w.u32(${index});`,
        encodeStatements(member, value, file, names, depth),
        index === type.members.length - 1 ? '}' : '',
      ]);
    default:
      throw new Error(`a ${type.kind} cannot cross the wire`);
  }
}

/** A record's undefined entries are dropped by the conversion, so the wire has none. */
export function plain(type: TypeSchema): TypeSchema {
  return type.kind === 'nullable' && type.undefinable ? type.inner : type;
}

function unionTest(member: TypeSchema, value: string): string {
  const kinds: Partial<Record<TypeSchema['kind'], string>> = { object: 'number', enum: 'string', dictionary: 'object' };
  return `typeof ${value} === '${kinds[member.kind]}'`;
}

/** Whether an optional field has a value that need not be sent: the default, which the host knows too. */
export function presenceTest(field: FieldSchema, value: string): string {
  const fallback = field.default;
  if (fallback === undefined || fallback === 'empty-dictionary') return `${value} !== undefined`;
  if (fallback === 'empty-sequence') return `${value}.length !== 0`;
  // A float keeps the sign of its zero; an integer has none on the wire.
  if (field.type.kind === 'float') return `!Object.is(${value}, ${literalText(field)})`;
  return `${value} !== ${literalText(field)}`;
}

/** `presenceTest`, and that the host knows the field at all. */
function gatedTest(field: FieldSchema, value: string): string {
  const test = presenceTest(field, value);
  return field.since > 1 ? `w.revision >= ${field.since} && ${test}` : test;
}

/** A statement that keeps a command from a host which does not know it; nothing for those of the first revision. */
export function revisionGuard(command: { name: string; since: number }, writer: string): Lines {
  return (
    command.since > 1 &&
    `if (${writer}.revision < ${command.since}) throw new Error(\`${command.name} needs schema revision ${command.since}, the host has \${${writer}.revision}\`);`
  );
}

/** A label's encoder cuts it. */
function labelled(field: FieldSchema, value: string, file: SourceFile): string {
  if (!isLabel(field)) return value;
  return `${value}.slice(0, ${file.value('MAX_LABEL_LENGTH', WIRE)})`;
}

/** The body of a dictionary's encoder: presence mask, then the fields that are present. */
export function encodeDictionaryBody(dictionary: DictionarySchema, file: SourceFile, names: EncoderNames): Lines[] {
  const hasOptional = dictionary.fields.some((field) => field.bit !== undefined);
  // The mask is there even when it has no bit yet, so that a first optional member can be added in a later revision.
  return [
    hasOptional ? ['const mask = w.reserve(1);', 'let present = 0;'] : 'w.u32(0);',
    dictionary.fields.map((field) => {
      const value = `v.${field.name}`;
      const statements = encodeStatements(field.type, labelled(field, value, file), file, names);
      if (field.bit === undefined) return statements;
      return [`if (${gatedTest(field, value)}) {`, `present |= ${2 ** field.bit};`, statements, '}'];
    }),
    hasOptional && 'w.words[mask] = present;',
  ];
}

/**
 * The body of a record's encoder. `prefix` are the words before the fields: target, request id, new ids.
 * A record of fixed-size fields is stored word by word; trailing defaults are left out.
 */
export function encodeRecordBody(
  opcode: number,
  prefix: string[],
  fields: FieldSchema[],
  file: SourceFile,
  names: EncoderNames,
): Lines[] {
  return isFixedRecord(fields)
    ? fixedRecord(opcode, prefix, fields, file)
    : variableRecord(opcode, prefix, fields, file, names);
}

/**
 * The body of an encoder for the usual record, where that is of a fixed size because its sequences are empty: it calls
 * `others` where one is not. Nearly every setBindGroup is such a record.
 */
export function encodeUsualRecordBody(
  opcode: number,
  prefix: string[],
  fields: FieldSchema[],
  file: SourceFile,
  others: string,
): Lines[] | undefined {
  const required = fields.filter((field) => field.required);
  const optional = fields.filter((field) => !field.required);
  const isUsual = optional.length > 0 && optional.every((field) => field.default === 'empty-sequence');
  if (!isUsual || !isFixedRecord(required)) return undefined;
  return [`if (${anyPresent(optional)}) return ${others};`, fixedRecord(opcode, prefix, required, file)];
}

function anyPresent(fields: FieldSchema[]): string {
  return fields.map((field) => gatedTest(field, field.name)).join(' || ');
}

function isFixedRecord(fields: FieldSchema[]): boolean {
  return fields.every((field) => fixedWords(field.type) !== undefined && field.type.kind !== 'float');
}

function fixedRecord(opcode: number, prefix: string[], fields: FieldSchema[], file: SourceFile): Lines[] {
  const words = fields.map((field) => fixedWords(field.type)!);
  const base = 1 + prefix.length;
  const total = base + words.reduce((sum, count) => sum + count, 0);
  // Length of the record when the last fields have their defaults.
  const lengths: { test: string; length: number }[] = [];
  let length = total;
  for (let i = fields.length - 1; i >= 0 && !fields[i]!.required; i--) {
    lengths.push({ test: gatedTest(fields[i]!, fields[i]!.name), length });
    length -= words[i]!;
  }
  const lines: Lines[] = [];
  if (lengths.length > 0) lines.push(`const length = ${lengthExpression(lengths, length)};`);
  const size = lengths.length > 0 ? 'length' : String(total);
  lines.push(`const at = w.record(${size});`, 'const words = w.words;');
  lines.push(`words[at] = ${lengths.length > 0 ? `${opcode} | (length << 16)` : `${opcode} | (${total} << 16)`};`);
  prefix.forEach((word, index) => lines.push(`words[at + ${index + 1}] = ${word};`));
  let offset = base;
  let depth = 0;
  fields.forEach((field, index) => {
    if (!field.required) {
      lines.push(`if (length > ${offset}) {`);
      depth++;
    }
    lines.push(storeField(field, 'at', offset, file));
    offset += words[index]!;
  });
  lines.push('}'.repeat(depth));
  return lines;
}

/** Stores a field of a fixed size, `offset` words behind `at`. */
function storeField(field: FieldSchema, at: string, offset: number, file: SourceFile): Lines {
  const type = field.type.kind === 'nullable' ? field.type.inner : field.type;
  const value = field.name + optionalSuffix(field);
  const store = (word: string, next = 0): string => `words[${at} + ${offset + next}] = ${word};`;
  if (type.kind === 'integer' && type.bits === 64) return [store(value), store(`${value} / 0x1_0000_0000`, 1)];
  if (type.kind === 'enum') return store(`${file.value(`${type.name}Numbers`, ENUMS)}[${field.name}]`);
  if (type.kind === 'boolean') return store(`${field.name} ? 1 : 0`);
  return store(field.type.kind === 'nullable' ? `${field.name} ?? 0` : value);
}

/** A field without a default may be undefined by its type, but not where its words are written. */
function optionalSuffix(field: FieldSchema): string {
  return !field.required && field.default === undefined ? '!' : '';
}

/** Ternaries from the last field to the first optional one. */
function lengthExpression(lengths: { test: string; length: number }[], shortest: number): string {
  return lengths.map(({ test, length }) => `${test} ? ${length} : `).join('') + shortest;
}

/** Begins a record with all words that are always there. */
function leadingWords(opcode: number, prefix: string[], fields: FieldSchema[], file: SourceFile): Lines[] {
  if (prefix.length + fields.length === 0) return [`const record = w.begin(${opcode});`];
  const stores: Lines[] = prefix.map((word, index) => `words[record + ${index + 1}] = ${word};`);
  let offset = 1 + prefix.length;
  for (const field of fields) {
    stores.push(storeField(field, 'record', offset, file));
    offset += fixedWords(field.type)!;
  }
  return [`const record = w.record(${offset});`, 'const words = w.words;', `words[record] = ${opcode};`, stores];
}

function variableRecord(
  opcode: number,
  prefix: string[],
  fields: FieldSchema[],
  file: SourceFile,
  names: EncoderNames,
): Lines[] {
  const required = fields.filter((field) => field.required);
  const optional = fields.filter((field) => !field.required);
  const firstVariable = required.findIndex((field) => !isFixedRecord([field]));
  const leading = required.slice(0, firstVariable === -1 ? required.length : firstVariable);
  const lines: Lines[] = [leadingWords(opcode, prefix, leading, file)];
  for (const field of required.slice(leading.length))
    lines.push(encodeStatements(field.type, labelled(field, field.name, file), file, names));
  optional.forEach((field, index) => {
    lines.push(`if (${anyPresent(optional.slice(index))}) {`, encodeStatements(field.type, field.name, file, names));
  });
  lines.push('}'.repeat(optional.length), 'w.end(record);');
  return lines;
}
