import type { CommandSchema, FieldSchema, TypeSchema, WireSchema } from '../schema/schema.ts';
import type { Decoding } from './decode.ts';
import { hasState } from './encoder-state.ts';
import { fixedWords, literalText, ownerWord } from './names.ts';
import { SourceFile, type Lines } from './source.ts';
import { API, ENUMS, WIRE } from './types.ts';

const HANDLERS = 'host/handlers.ts';

/** So many commands are decoded before they are executed: enough for both loops to stay in the processor's caches. */
const SIZE = 128;

/**
 * Commands that are decoded ahead of their execution: those of an encoder whose arguments are single words or two, and
 * that change nothing which decoding another one depends on.
 */
function isBatched(schema: WireSchema, command: CommandSchema): boolean {
  if (command.class !== 'command' || command.target.kind !== 'currentEncoder') return false;
  if (!hasState(schema, command) || command.state === undefined || command.state.kind === 'clears') return false;
  return command.fields.every((field) =>
    isObject(field.type) ? field.required : read(field, 'at') !== undefined || field.default === 'empty-sequence',
  );
}

/** An expression for a number or name that begins at word `at`; undefined for what is neither. */
function read({ type }: FieldSchema, at: string): string | undefined {
  switch (type.kind) {
    case 'integer':
      if (type.bits === 64) return `(words[${at} + 1]! >>> 0) * 0x1_0000_0000 + (words[${at}]! >>> 0)`;
      return type.signed ? `words[${at}]!` : `words[${at}]! >>> 0`;
    case 'enum':
      return `${type.name}Names[words[${at}]!]`;
    default:
      return undefined;
  }
}

function isObject(type: TypeSchema): boolean {
  return type.kind === 'object' || (type.kind === 'nullable' && type.inner.kind === 'object');
}

/** `host/batch.ts`: the commands that a frame is made of, decoded in one loop and executed in another. None without such. */
export function emitBatch(schema: WireSchema, decoding: Decoding): SourceFile[] {
  const commands = schema.commands.filter((command) => isBatched(schema, command));
  if (commands.length === 0) return [];
  const file = new SourceFile('host/batch.ts');
  const columns = Array.from(
    { length: Math.max(...commands.map((command) => command.fields.length)) },
    (_, i) => `argument${i}`,
  );
  const withObjects = columns.filter((_, i) => commands.some((command) => isObject(command.fields[i]?.type ?? NONE)));
  const owners = [...new Set(commands.map(({ name }) => ownerWord(name.split('.')[0]!)))];
  const api = file.namespace('api', API);
  const highest = Math.max(...schema.commands.map((command) => command.opcode));
  file.doc('By opcode, 1 where `CommandBatch` may take a command.');
  file.add(
    `export const isBatched = new Uint8Array(${highest + 1});`,
    `for (const opcode of [${commands.map((command) => command.opcode).join(', ')}]) isBatched[opcode] = 1;`,
    '',
    `const SIZE = ${SIZE};`,
    'const column = (): unknown[] => Array.from({ length: SIZE });',
    '',
  );
  file.doc(
    'Commands of the current encoder, all decoded before the first is executed: the code of a backend that is called in',
    'between displaces that of the decoder from the processor, which then takes several times as long.',
  );
  file.add(
    'export class CommandBatch {',
    '/** How many are to be executed. */',
    'length = 0;',
    '/** How many records were decoded: with those that change nothing, which are left out. */',
    'records = 0;',
    '/** Where the record of each begins. */',
    'readonly starts = new Int32Array(SIZE);',
    '/** Of each, which of the decoded records it is: 1 is the first. */',
    'readonly numbers = new Int32Array(SIZE);',
    '/** The one that is being executed. */',
    'index = 0;',
    'readonly #opcodes = new Uint16Array(SIZE);',
    columns.map((column) => `readonly #${column} = column();`),
    '',
    '/**',
    ' * Takes records from word `position` on, at most `most`, up to one that is none of its kind or not as it should be: that',
    ' * is for its own decoder, which says what is wrong.',
    ' * @returns the word at which it stopped.',
    ' */',
    `decode(words: Int32Array, position: number, most: number, session: ${file.type('BatchSession', WIRE)}): number {`,
    'const { starts, numbers } = this;',
    'const opcodes = this.#opcodes;',
    columns.map((column) => `const ${column} = this.#${column};`),
    'const encoder = 1 << session.encoderType;',
    'const { keepsState } = session;',
    'const limit = Math.min(most, SIZE);',
    'let records = 0;',
    'let n = 0;',
    'let at = position;',
    'decoding: for (; records < limit && at < words.length; records++) {',
    'const opcode = words[at]! & 0xffff;',
    'const length = words[at]! >>> 16;',
    'if (length > words.length - at) break;',
    'switch (opcode) {',
    commands.map((command) => decodeCase(command, file, decoding)),
    'default: break decoding;',
    '}',
    'const start = at;',
    'at += length;',
    'if (keepsState && session.setsAgain(opcode, words, start, at)) continue;',
    'starts[n] = start;',
    'numbers[n] = records + 1;',
    'opcodes[n] = opcode;',
    'n++;',
    '}',
    'this.length = n;',
    'this.records = records;',
    'return at;',
    '}',
    '',
    '/**',
    ' * Executes them, and forgets them. Where one throws, `index` is its place and the rest is not executed.',
    ' * @param activity is told the number of each, counted on from `number`, and its opcode.',
    ' */',
    `execute(encoder: object, handlers: ${file.type('Handlers', HANDLERS)}, activity: Int32Array, number: number): void {`,
    'const { numbers } = this;',
    'const opcodes = this.#opcodes;',
    columns.map((column) => `const ${column} = this.#${column};`),
    `const { ${owners.join(', ')} } = handlers;`,
    'const { length } = this;',
    'for (let i = 0; i < length; i++) {',
    'this.index = i;',
    'activity[0] = number + numbers[i]!;',
    'activity[1] = opcodes[i]!;',
    'switch (opcodes[i]) {',
    commands.map((command) => executeCase(command, api)),
    '}',
    '}',
    'this.clear();',
    '}',
    '',
    '/** Lets go of the objects, with one behind the last that was decoded for a record which is not among them. */',
    'clear(): void {',
    withObjects.map((column) => `this.#${column}.fill(undefined, 0, this.length + 1);`),
    'this.length = 0;',
    '}',
    '}',
  );
  return [file];
}

const NONE: TypeSchema = { kind: 'undefined' };

/** Reads the arguments of a record of `length` words at `at`; leaves the loop where they are not what they should be. */
function decodeCase(command: CommandSchema, file: SourceFile, decoding: Decoding): Lines {
  const lines: Lines[] = [];
  // A list at the end that is not empty is for the command's own decoder.
  const fixed = command.fields.filter((field) => field.default !== 'empty-sequence');
  const ends = fixed.reduce<number[]>((all, field) => [...all, all.at(-1)! + fixedWords(field.type)!], [1]);
  const required = command.fields.filter((field) => field.required).length;
  const lengths = ends.slice(required);
  const isOff = [
    ...(lengths.length === 1
      ? [`length !== ${lengths[0]}`]
      : lengths.length - 1 === lengths.at(-1)! - lengths[0]!
        ? [`length < ${lengths[0]}`, `length > ${lengths.at(-1)}`]
        : [`(${lengths.map((length) => `length !== ${length}`).join(' && ')})`]),
    `(encoder & ${decoding.typesOf(command.target.interfaces)}) === 0`,
  ];
  lines.push(`if (${isOff.join(' || ')}) break decoding;`);
  for (const [i, field] of command.fields.entries()) {
    const target = `argument${i}[n]`;
    if (field.default === 'empty-sequence') {
      lines.push(`${target} = ${file.value('NO_ITEMS', WIRE)};`);
      continue;
    }
    const at = `at + ${ends[i]!}`;
    if (isObject(field.type)) {
      lines.push(objectLines(field.type, target, at, decoding));
      continue;
    }
    const value = read(field, at)!;
    if (field.type.kind === 'enum') file.value(`${field.type.name}Names`, ENUMS);
    const fallback = field.default === undefined ? 'undefined' : literalText(field);
    lines.push(`${target} = ${field.required ? value : `length > ${ends[i]!} ? ${value} : ${fallback}`};`);
    if (field.type.kind === 'enum') lines.push(`if (${target} === undefined) break decoding;`);
  }
  return [`case ${command.opcode}: {`, lines, 'break;', '}'];
}

function objectLines(type: TypeSchema, target: string, at: string, decoding: Decoding): Lines {
  const object = type.kind === 'nullable' ? type.inner : type;
  if (object.kind !== 'object') throw new Error(`a ${object.kind} is no object`);
  const find = `session.find(words[${at}]! >>> 0, ${decoding.typesOf(object.interfaces)})`;
  return [
    `${target} = ${type.kind === 'nullable' ? `words[${at}] === 0 ? null : ${find}` : find};`,
    `if (${target} === undefined) break decoding;`,
  ];
}

function executeCase(command: CommandSchema, api: string): Lines {
  const [owner, member] = command.name.split('.') as [string, string];
  const encoder = command.target.interfaces.map((name) => `${api}.${name}`).join(' | ');
  const given = command.fields.map((field, i) => `argument${i}[i] as ${argumentType(field, api)}`);
  return [
    `case ${command.opcode}:`,
    `${ownerWord(owner)}.${member}(${[`encoder as ${encoder}`, ...given].join(', ')});`,
    'break;',
  ];
}

function argumentType({ type, required, default: fallback }: FieldSchema, api: string): string {
  if (type.kind === 'sequence') return 'number[]';
  if (type.kind === 'enum') return `${api}.${type.name}`;
  if (type.kind === 'object') return type.interfaces.map((name) => `${api}.${name}`).join(' | ');
  if (type.kind === 'nullable') return `${api}.${(type.inner as { interfaces: string[] }).interfaces[0]!} | null`;
  return required || fallback !== undefined ? 'number' : 'number | undefined';
}
