import type { CommandSchema, EventSchema, WireSchema } from '../schema/schema.ts';
import { interfacePath, dictionaryPath } from './convert.ts';
import { Decoding } from './decode.ts';
import { encodeRecordBody, encodeUsualRecordBody, revisionGuard } from './encode.ts';
import { guestEncoders } from './guest-dictionaries.ts';
import { capital, literalText, wordOf } from './names.ts';
import { replyPath } from './replies.ts';
import { SourceFile } from './source.ts';
import { valueType, WIRE } from './types.ts';

/** Words of a command before its fields, as parameters of its encoder. */
function prefixOf(command: CommandSchema): string[] {
  const words: string[] = [];
  if (command.target.kind === 'object') words.push('target');
  if (command.class === 'request') words.push('requestId');
  command.creates.forEach((name) => words.push(`new${name.replace(/^GPU/, '')}`));
  return words;
}

/** The encoder of one command. */
export function emitCommandEncoder(command: CommandSchema, file: SourceFile): void {
  const prefix = prefixOf(command);
  const parameters = command.fields.map((field) => {
    const isOptional = !field.required && (field.default === undefined || field.default === 'empty-dictionary');
    return `${field.name}: ${valueType(field.type, file, dictionaryPath)}${isOptional ? ' | undefined' : ''}`;
  });
  file.doc(
    `${command.name}, opcode ${command.opcode}, since revision ${command.since}. Words:`,
    '- header',
    ...(command.target.kind === 'object' ? [`- target: id of a ${command.target.interfaces.join(', ')}`] : []),
    ...(command.class === 'request' ? ['- requestId: comes back in the reply'] : []),
    ...command.creates.map((name) => `- new${name.replace(/^GPU/, '')}: id that the guest allocated for the ${name}`),
    ...command.fields.map(
      (field) =>
        `- ${field.name}${field.required ? '' : `, left out at the end when ${field.default === undefined ? 'absent' : literalText(field)}`}`,
    ),
    ...(command.target.kind === 'currentEncoder' ? ['It goes to the current encoder: see streamSelectEncoder.'] : []),
    command.spec,
  );
  const name = `encode${capital(wordOf(command.name))}`;
  const signature = `(w: ${file.type('WireWriter', WIRE)}, ${[...prefix.map((word) => `${word}: number`), ...parameters].join(', ')}): void`;
  const body = encodeRecordBody(command.opcode, prefix, command.fields, file, guestEncoders);
  const given = ['w', ...prefix, ...command.fields.map((field) => field.name)].join(', ');
  const others = `${name}Whole`;
  const usual = encodeUsualRecordBody(command.opcode, prefix, command.fields, file, `${others}(${given})`);
  file.add(`export function ${name}${signature} {`, revisionGuard(command, 'w'), usual ?? body, '}', '');
  // Apart, so that V8 can inline the usual one.
  if (usual !== undefined) file.add(`function ${others}${signature} {`, body, '}', '');
}

/** `guest/NAME.ts` for mixins and extensions: encoders only. */
export function emitCommandFiles(schema: WireSchema, skip: ReadonlySet<string>): SourceFile[] {
  const owners = new Set(
    schema.commands.map((command) => command.name.split('.')[0]!).filter((owner) => !skip.has(owner)),
  );
  return [...owners].map((owner) => {
    const file = new SourceFile(interfacePath(owner));
    for (const command of commandsOf(schema, owner)) emitCommandEncoder(command, file);
    return file;
  });
}

export function commandsOf(schema: WireSchema, owner: string): CommandSchema[] {
  return schema.commands.filter((command) => command.name.startsWith(`${owner}.`) && command.class !== 'runtime');
}

/** `guest/events.ts`: what the host sends unasked. */
export function emitGuestEvents(schema: WireSchema): SourceFile {
  const file = new SourceFile('guest/events.ts');
  const decoding = new Decoding(schema, {
    decoder: (source, name) => source.value(`decode${name}`, replyPath(name)),
    context: '',
    recordsAsObjects: false,
    fillsDefaults: true,
  });
  const parameters = (event: EventSchema): string =>
    [
      ...(event.target.kind === 'object' ? ['target: number'] : []),
      ...event.fields.map((field) => `${field.name}: ${valueType(field.type, file, replyPath)}`),
    ].join(', ');
  file.doc('What to do about each event.');
  file.add(
    'export interface EventHandlers {',
    schema.events.map((event) => [
      `/** ${event.name}: ${event.spec} */`,
      `${wordOf(event.name)}(${parameters(event)}): void;`,
    ]),
    '}',
    '',
  );
  file.doc('Reads an event. Returns what to do about it, or undefined when the record is no event.');
  file.add(
    `export function decodeEvent(r: ${file.type('WireReader', WIRE)}, handlers: EventHandlers): (() => void) | undefined {`,
    'switch (r.opcode) {',
    schema.events.map((event) => [
      `case ${event.opcode}: {`,
      event.target.kind === 'object' && 'const target = r.u32();',
      event.fields.map((field) => `const ${field.name} = ${decoding.expression(field.type, file)};`),
      `return () => handlers.${wordOf(event.name)}(${[...(event.target.kind === 'object' ? ['target'] : []), ...event.fields.map((field) => field.name)].join(', ')});`,
      '}',
    ]),
    'default:',
    'return undefined;',
    '}',
    '}',
  );
  return file;
}
