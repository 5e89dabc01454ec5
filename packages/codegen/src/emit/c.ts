import type { CommandSchema, DictionarySchema, FieldSchema, WireSchema } from '../schema/schema.ts';
import { CEncoding } from './c-encode.ts';
import { constantName, defaultText, encoderName, memberName, opcodeName, prefixParameters, snake } from './c-names.ts';
import { RUNTIME_DECLARATIONS, RUNTIME_DEFINITIONS } from './c-runtime.ts';
import { cDoc, cFunction, cText } from './c-source.ts';
import { CTypes } from './c-types.ts';
import { header, type Lines } from './source.ts';

const HEADER_START = `#ifndef VESPER_PROTOCOL_H
#define VESPER_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

`;

const HEADER_END = `#ifdef __cplusplus
}
#endif

#endif
`;

/** `c/vesper_protocol.h` and `.c`: the guest's encoders for drivers and shims that are written in C. */
export function emitC(schema: WireSchema): Map<string, string> {
  const types = new CTypes(schema);
  const encoding = new CEncoding(schema, types);
  const commands = schema.commands.filter((command) => command.class !== 'runtime');
  // First, so that every type that a parameter needs is known when the types are written.
  const declarations = commands.map((command) => [commandDoc(command), signature(command, types, ';'), '']);
  const declared = [
    `${header(schema)}\n`,
    HEADER_START,
    cText(identity(schema)),
    RUNTIME_DECLARATIONS,
    cText(numbers(schema), types.declarations(), declarations),
    HEADER_END,
  ].join('');
  const dictionaries = schema.dictionaries.filter((one) => one.fromGuest);
  const defined = [
    `${header(schema)}\n`,
    '#include "vesper_protocol.h"\n\n#include <string.h>\n\n',
    RUNTIME_DEFINITIONS,
    cText(
      dictionaries.map((one) => dictionaryHeads(one, encoding).map((head) => `${head};`)),
      '',
      dictionaries.map((one) => dictionaryEncoder(one, encoding)),
      commands.map((command) => commandEncoder(command, types, encoding)),
    ),
  ].join('');
  return new Map([
    ['vesper_protocol.c', `${defined.trimEnd()}\n`],
    ['vesper_protocol.h', declared],
  ]);
}

function identity(schema: WireSchema): Lines[] {
  return [
    cDoc('Which protocol this is: exchanged in the handshake.'),
    `#define VESPER_WIRE_VERSION ${schema.wireVersion}u`,
    `#define VESPER_SCHEMA_REVISION ${schema.revision}u`,
    `#define VESPER_SCHEMA_HASH "${schema.hash}"`,
    `#define VESPER_IDL_REVISION ${JSON.stringify(schema.idlRevision)}`,
    '',
  ];
}

/** Enums, flags, opcodes and the types of ids. */
function numbers(schema: WireSchema): Lines[] {
  const enumOf = (name: string, values: readonly (readonly [string, number])[]): Lines[] => [
    `typedef enum ${name} {`,
    values.map(([value, number], index) => `${value} = ${number}${index < values.length - 1 ? ',' : ''}`),
    `} ${name};`,
    '',
  ];
  return [
    cDoc('Numbers of the records; a reply has the number of its request.'),
    enumOf(
      'vesper_opcode',
      [...schema.commands, ...schema.events]
        .toSorted((a, b) => a.opcode - b.opcode)
        .map((record) => [opcodeName(record), record.opcode] as const),
    ),
    cDoc('Types of object ids.'),
    enumOf(
      'vesper_interface',
      schema.interfaces
        .filter((one) => one.number > 0)
        .map((one) => [constantName('interface', one.name), one.number] as const),
    ),
    schema.enums.map((one) => [
      cDoc(one.spec),
      enumOf(
        `vesper_${snake(one.name)}`,
        one.values.map(
          (value) => [constantName(one.name, value.name === '' ? 'empty' : value.name), value.number] as const,
        ),
      ),
    ]),
    schema.namespaces.map((one) => [
      cDoc(one.spec),
      one.constants.map(({ name, value }) => `#define ${constantName(one.name, name)} 0x${value.toString(16)}u`),
      '',
    ]),
  ];
}

function commandDoc(command: CommandSchema): string[] {
  return cDoc(
    `${command.name}, opcode ${command.opcode}, since revision ${command.since}. Words:`,
    '- header',
    ...prefixParameters(command).map(({ name, is }) => `- ${name}: ${is}`),
    ...command.fields.map((field) => `- ${memberName(field.name)}${elided(field)}`),
    ...(command.target.kind === 'currentEncoder'
      ? ['It goes to the current encoder: see vesper_encode_stream_select_encoder.']
      : []),
    command.spec,
  );
}

function elided(field: FieldSchema): string {
  if (field.required) return '';
  const since = field.since > 1 ? `, since revision ${field.since}` : '';
  if (field.type.kind === 'dictionary' || field.type.kind === 'shape') return `${since}, left out at the end when NULL`;
  return `${since}, left out at the end when ${field.default === undefined ? 'absent' : defaultText(field.default)}`;
}

function signature(command: CommandSchema, types: CTypes, tail: string): string[] {
  const parameters = command.fields.flatMap((field) => {
    const name = memberName(field.name);
    const { kind } = field.type;
    if (kind === 'dictionary' || kind === 'shape' || kind === 'union')
      return [`const ${types.name(field.type)} *${name}`];
    const value = types.declarators(field.type, name);
    return !field.required && field.default === undefined ? [`bool has_${name}`, ...value] : value;
  });
  return cFunction(
    `void ${encoderName(command)}`,
    ['vesper_writer *w', ...prefixParameters(command).map(({ name }) => `uint32_t ${name}`), ...parameters],
    tail,
  );
}

/** A parameter's value: dictionaries and unions are behind pointers. */
function argument(field: FieldSchema): string {
  const name = memberName(field.name);
  return ['dictionary', 'shape', 'union'].includes(field.type.kind) ? `*${name}` : name;
}

function commandEncoder(command: CommandSchema, types: CTypes, encoding: CEncoding): Lines[] {
  const required = command.fields.filter((field) => field.required);
  const optional = command.fields.filter((field) => !field.required);
  const tests = optional.map((field) => encoding.argumentPresence(field));
  return [
    signature(command, types, ' {'),
    command.since > 1 && [`if (!vesper_needs_revision(w, ${command.since})) {`, 'return;', '}'],
    required.map((field) => encoding.bulk(field.type, argument(field), true)),
    optional.map((field, index) => {
      const statements = encoding.bulk(field.type, argument(field), true);
      return statements.length > 0 && [`if (${tests.slice(index).join(' || ')}) {`, statements, '}'];
    }),
    `const size_t record = vesper_begin_record(w, ${opcodeName(command)});`,
    prefixParameters(command).map(({ name }) => `vesper_write_u32(w, ${name});`),
    required.map((field) => encoding.field(field, argument(field))),
    optional.map((field, index) => [
      `if (${tests
        .slice(index)
        .map((test) => (test.includes('&&') && index < tests.length - 1 ? `(${test})` : test))
        .join(' || ')}) {`,
      encoding.statements(field.type, argument(field), true),
    ]),
    optional.map(() => '}'),
    'vesper_end_record(w, record);',
    '}',
    '',
  ];
}

function hasBulk(one: DictionarySchema, encoding: CEncoding): boolean {
  return encoding.hasBytes({ kind: 'dictionary', name: one.name });
}

function dictionaryHeads(one: DictionarySchema, encoding: CEncoding): string[] {
  const name = snake(one.name);
  const parameters = `(vesper_writer *w, const vesper_${name} *v)`;
  return [
    `static void write_${name}${parameters}`,
    ...(hasBulk(one, encoding) ? [`static void bulk_${name}${parameters}`] : []),
  ];
}

/** A dictionary's encoder: presence mask, then the fields that are present. */
function dictionaryEncoder(one: DictionarySchema, encoding: CEncoding): Lines[] {
  const [head, bulkHead] = dictionaryHeads(one, encoding);
  const valueOf = (field: FieldSchema): string => `v->${memberName(field.name)}`;
  const when = (field: FieldSchema, statements: Lines[]): Lines[] => {
    if (field.required) return statements;
    const test = encoding.presence(field, valueOf(field), `v->has_${memberName(field.name)}`);
    return [`if (${test}) {`, statements, '}'];
  };
  const hasOptional = one.fields.some((field) => !field.required);
  return [
    `${head!} {`,
    one.fields.length === 0 && '(void)v;',
    hasOptional ? ['uint32_t present = 0;', 'const size_t mask = vesper_write_u32(w, 0);'] : 'vesper_write_u32(w, 0);',
    one.fields.map((field) =>
      when(field, [
        field.bit !== undefined && `present |= 0x${(2 ** field.bit).toString(16)}u;`,
        encoding.field(field, valueOf(field)),
      ]),
    ),
    hasOptional && 'vesper_set_u32(w, mask, present);',
    '}',
    '',
    bulkHead !== undefined && [
      `${bulkHead} {`,
      one.fields.map((field) => {
        const statements = encoding.bulk(field.type, valueOf(field), true);
        return statements.length > 0 && when(field, statements);
      }),
      '}',
      '',
    ],
  ];
}
