import { GenerateError } from '../errors.ts';
import type { CommandSchema, FieldSchema, WireSchema } from '../schema/schema.ts';
import { wordOf } from './names.ts';
import { SourceFile, type Lines } from './source.ts';
import { ENUMS } from './types.ts';

export const ENCODER_STATE = 'guest/encoder-state.ts';

/** Of what is set by slot or index, so many are remembered: as many as the default limits of WebGPU allow. */
const KEYS = 8;

/** Where the arguments of a command that sets a part of its encoder's state are remembered. */
interface Place {
  /** The first number. */
  readonly at: number;
  /** What is remembered of each call, without the key. */
  readonly fields: readonly FieldSchema[];
}

/** Commands whose encoder has a state, as something sets it. */
export function hasState(schema: WireSchema, command: CommandSchema): boolean {
  const interfaces = new Set(command.target.interfaces);
  return schema.commands.some(
    (one) => one.state?.kind === 'sets' && one.target.interfaces.some((name) => interfaces.has(name)),
  );
}

function places(schema: WireSchema): { length: number; of: Map<string, Place> } {
  const of = new Map<string, Place>();
  let length = 0;
  for (const command of schema.commands) {
    if (command.state?.kind !== 'sets') continue;
    const fields = command.fields.filter(
      (field) => field.name !== command.state!.key && field.type.kind !== 'sequence',
    );
    of.set(command.name, { at: length, fields });
    length += fields.length * (command.state.key === undefined ? 1 : KEYS);
  }
  return { length, of };
}

/** `guest/encoder-state.ts`: how much is remembered of the current encoder, and where, for members written by hand. */
export function emitEncoderState(schema: WireSchema): SourceFile {
  const file = new SourceFile(ENCODER_STATE);
  const { length, of } = places(schema);
  file.doc('How many numbers tell the state of an encoder: for each command that sets a part of it, its arguments.');
  file.add(`export const ENCODER_STATE_LENGTH = ${length};`, '');
  file.doc('Slots and indices from this one on are not remembered.');
  file.add(`export const ENCODER_STATE_KEYS = ${KEYS};`, '');
  for (const command of schema.commands) {
    const place = of.get(command.name);
    if (place === undefined || command.guest !== 'hand') continue;
    if (place.fields.length !== 1) {
      throw new GenerateError(`${command.name} sets more than one number by hand; let its guest side be generated.`);
    }
    file.doc(`Where ${command.name} is remembered: one number for each ${command.state!.key ?? 'encoder'}.`);
    file.add(`export const ${wordOf(command.name)}State = ${place.at};`, '');
  }
  return file;
}

/**
 * What a generated member does about the state of its encoder before it is encoded: returns where nothing would change.
 * The encoder is the current one, and `this`.
 */
export function stateLines(schema: WireSchema, command: CommandSchema, file: SourceFile): Lines {
  if (command.target.kind !== 'currentEncoder' || !hasState(schema, command)) return [];
  const { state } = command;
  if (state === undefined) return 'this.stream.dropState(this);';
  if (state.kind === 'keeps') return [];
  if (state.kind === 'clears') return 'this.stream.forgetState();';
  if (command.fields.some((field) => field.type.kind === 'sequence')) {
    throw new GenerateError(
      `${command.name} sets a sequence; write its guest side by hand, and say so in the overlay.`,
    );
  }
  const { at, fields } = places(schema).of.get(command.name)!;
  const values = fields.map((field) => numberOf(command, field, file));
  const word = (i: number): string =>
    state.key === undefined ? `state[${at + i}]` : i === 0 ? 'state[at]' : `state[at + ${i}]`;
  const body = [
    `if (${values.map((value, i) => `${word(i)} === ${value}`).join(' && ')}) return;`,
    values.map((value, i) => `${word(i)} = ${value};`),
  ];
  return [
    'const state = this.stream.encoderState;',
    state.key === undefined
      ? body
      : [
          `if (${state.key} < ${file.value('ENCODER_STATE_KEYS', ENCODER_STATE)}) {`,
          `const at = ${at} + ${state.key} * ${fields.length};`,
          body,
          '}',
        ],
  ];
}

/** An argument as a number that no other argument has. */
function numberOf(command: CommandSchema, field: FieldSchema, file: SourceFile): string {
  const isAbsent = !field.required && field.default === undefined;
  const { type } = field;
  switch (type.kind) {
    case 'integer':
    case 'float':
      return isAbsent ? `(${field.name} ?? -1)` : field.name;
    case 'object':
      return field.name;
    case 'nullable':
      if (type.inner.kind === 'object') return `(${field.name} ?? 0)`;
      break;
    case 'enum':
      return `${file.value(`${type.name}Numbers`, ENUMS)}[${field.name}]`;
    default:
  }
  throw new GenerateError(
    `${command.name}: "${field.name}" of kind ${type.kind} is no number; remove "state" from the overlay.`,
  );
}
