import type { CommandSchema, FieldSchema, TypeSchema, WireSchema } from '../schema/schema.ts';
import type { Decoding } from './decode.ts';
import { hasState } from './encoder-state.ts';
import { fixedWords, literalText, ownerWord } from './names.ts';
import { SourceFile, type Lines } from './source.ts';
import { API, ENUMS, WIRE } from './types.ts';

const HANDLERS = 'host/handlers.ts';

/** So many commands are checked before they are executed: enough for both loops to stay in the processor's caches. */
const SIZE = 128;

/**
 * Commands that are checked ahead of their execution: those of an encoder whose arguments are single words or two, and
 * that change nothing which checking another one depends on.
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
      return `${type.name}Names[words[${at}]!]!`;
    default:
      return undefined;
  }
}

function isObject(type: TypeSchema): boolean {
  return type.kind === 'object' || (type.kind === 'nullable' && type.inner.kind === 'object');
}

/** `host/batch.ts`: the commands that a frame is made of, checked in one loop and executed in another. None without such. */
export function emitBatch(schema: WireSchema, decoding: Decoding): SourceFile[] {
  const commands = schema.commands.filter((command) => isBatched(schema, command));
  if (commands.length === 0) return [];
  const file = new SourceFile('host/batch.ts');
  const owners = [...new Set(commands.map(({ name }) => ownerWord(name.split('.')[0]!)))];
  const api = file.namespace('api', API);
  const highest = Math.max(...schema.commands.map((command) => command.opcode));
  file.doc('By opcode, 1 where `CommandBatch` may take a command.');
  file.add(
    `export const isBatched = new Uint8Array(${highest + 1});`,
    `for (const opcode of [${commands.map((command) => command.opcode).join(', ')}]) isBatched[opcode] = 1;`,
    '',
    `const SIZE = ${SIZE};`,
    '',
  );
  file.doc(
    'Commands of the current encoder, all checked before the first is executed: the code of a backend that is called in',
    'between displaces that of the decoder from the processor, which then takes several times as long.',
  );
  file.add(
    'export class CommandBatch {',
    '/** How many records were checked. */',
    'records = 0;',
    '/** Whether some of them change nothing, and are not to be executed: 1 in `skips`. */',
    '#hasSkips = false;',
    'readonly #skips = new Uint8Array(SIZE);',
    '',
    '/**',
    ' * Takes records from word `position` on, at most `most`, up to one that is none of its kind or not as it should be: that',
    ' * is for its own decoder, which says what is wrong.',
    ' * @returns the word at which it stopped.',
    ' */',
    `check(words: Int32Array, position: number, most: number, session: ${file.type('BatchSession', WIRE)}): number {`,
    'const encoder = 1 << session.encoderType;',
    'const { keepsState } = session;',
    'const limit = Math.min(most, SIZE);',
    'let records = 0;',
    'let at = position;',
    'this.#hasSkips = false;',
    'checking: for (; records < limit && at < words.length; records++) {',
    'const opcode = words[at]! & 0xffff;',
    'const length = words[at]! >>> 16;',
    'if (length > words.length - at) break;',
    'switch (opcode) {',
    commands.map((command) => checkCase(command, file, decoding)),
    'default: break checking;',
    '}',
    'if (keepsState) this.#look(opcode, words, at, length, records, session);',
    'at += length;',
    '}',
    'this.records = records;',
    'return at;',
    '}',
    '',
    '#look(',
    'opcode: number,',
    'words: Int32Array,',
    'at: number,',
    'length: number,',
    'record: number,',
    `session: ${file.type('BatchSession', WIRE)},`,
    '): void {',
    'const isSkipped = session.setsAgain(opcode, words, at, at + length);',
    'this.#skips[record] = isSkipped ? 1 : 0;',
    'if (isSkipped) this.#hasSkips = true;',
    '}',
    '',
    '/**',
    ' * Executes what was checked from word `position` on: nothing may have happened to the words or to the session since.',
    ' * Where a command throws, those behind it are not executed.',
    ' * @param activity is told the number of each, counted on from `number`, and its opcode.',
    ' */',
    'execute(',
    'words: Int32Array,',
    'position: number,',
    `session: ${file.type('BatchSession', WIRE)},`,
    'encoder: object,',
    `handlers: ${file.type('Handlers', HANDLERS)},`,
    'activity: Int32Array,',
    'number: number,',
    '): void {',
    'const { records } = this;',
    'const skips = this.#hasSkips ? this.#skips : undefined;',
    `const { ${owners.join(', ')} } = handlers;`,
    'let next = position;',
    'for (let i = 0; i < records; i++) {',
    'const at = next;',
    'const opcode = words[at]! & 0xffff;',
    'const length = words[at]! >>> 16;',
    'next += length;',
    'if (skips !== undefined && skips[i] === 1) continue;',
    'activity[0] = number + i + 1;',
    'activity[1] = opcode;',
    'switch (opcode) {',
    commands.map((command) => executeCase(command, api, file)),
    '}',
    '}',
    '}',
    '}',
  );
  return [file];
}

/** Where each field begins, in words behind the header, and where the last ends; not of a list at the end. */
function endsOf({ fields }: CommandSchema): number[] {
  const fixed = fields.filter((field) => field.default !== 'empty-sequence');
  return fixed.reduce<number[]>((all, field) => [...all, all.at(-1)! + fixedWords(field.type)!], [1]);
}

/** Leaves the loop where the record of `length` words at `at` is not what it should be. */
function checkCase(command: CommandSchema, file: SourceFile, decoding: Decoding): Lines {
  // A list at the end that is not empty is for the command's own decoder.
  const ends = endsOf(command);
  const lengths = ends.slice(command.fields.filter((field) => field.required).length);
  const isOff = [
    ...(lengths.length === 1
      ? [`length !== ${lengths[0]}`]
      : lengths.length - 1 === lengths.at(-1)! - lengths[0]!
        ? [`length < ${lengths[0]}`, `length > ${lengths.at(-1)}`]
        : [`(${lengths.map((length) => `length !== ${length}`).join(' && ')})`]),
    `(encoder & ${decoding.typesOf(command.target.interfaces)}) === 0`,
  ];
  const lines = [`if (${isOff.join(' || ')}) break checking;`];
  for (const [i, { type, required }] of command.fields.entries()) {
    const word = `words[at + ${ends[i]!}]`;
    if (isObject(type)) {
      const object = type.kind === 'nullable' ? type.inner : type;
      if (object.kind !== 'object') throw new Error(`a ${object.kind} is no object`);
      const isUnbound = `session.find(${word}! >>> 0, ${decoding.typesOf(object.interfaces)}) === undefined`;
      lines.push(`if (${type.kind === 'nullable' ? `${word} !== 0 && ` : ''}${isUnbound}) break checking;`);
    } else if (type.kind === 'enum') {
      const isUnknown = `${file.value(`${type.name}Names`, ENUMS)}[${word}!] === undefined`;
      lines.push(`if (${required ? '' : `length > ${ends[i]!} && `}${isUnknown}) break checking;`);
    }
  }
  return [`case ${command.opcode}: {`, lines, 'break;', '}'];
}

function executeCase(command: CommandSchema, api: string, file: SourceFile): Lines {
  const [owner, member] = command.name.split('.') as [string, string];
  const encoder = command.target.interfaces.map((name) => `${api}.${name}`).join(' | ');
  const ends = endsOf(command);
  const given = command.fields.map((field, i) => argument(field, ends[i]!, api, file));
  return [
    `case ${command.opcode}:`,
    `${ownerWord(owner)}.${member}(${[`encoder as ${encoder}`, ...given].join(', ')});`,
    'break;',
  ];
}

/** An expression for what a record that was checked has from its word `offset` on. */
function argument(field: FieldSchema, offset: number, api: string, file: SourceFile): string {
  const { type, required } = field;
  if (field.default === 'empty-sequence') return `${file.value('NO_ITEMS', WIRE)} as number[]`;
  const at = `at + ${offset}`;
  if (type.kind === 'object') return bound(type.interfaces, at, api);
  if (type.kind === 'nullable') {
    return `words[${at}] === 0 ? null : (${bound((type.inner as { interfaces: string[] }).interfaces, at, api)})`;
  }
  const value = read(field, at)!;
  const fallback = field.default === undefined ? 'undefined' : literalText(field);
  return required ? value : `length > ${offset} ? ${value} : ${fallback}`;
}

function bound(interfaces: readonly string[], at: string, api: string): string {
  return `session.bound(words[${at}]!) as ${interfaces.map((name) => `${api}.${name}`).join(' | ')}`;
}
