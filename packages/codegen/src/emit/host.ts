import type { CommandSchema, EventSchema, TypeSchema, WireSchema } from '../schema/schema.ts';
import { emitBatch } from './batch.ts';
import { Decoding } from './decode.ts';
import { encodeRecordBody, presenceTest } from './encode.ts';
import { hasState } from './encoder-state.ts';
import { capital, literalText, numberOf, ownerWord, wordOf } from './names.ts';
import { replyEncoders, replyPath } from './replies.ts';
import { SourceFile, type Lines } from './source.ts';
import { API, apiType, valueType, WIRE } from './types.ts';

const HANDLERS = 'host/handlers.ts';

function dictionaryPath(name: string): string {
  return `host/dictionaries/${name}.ts`;
}

function ownerPath(owner: string): string {
  return `host/${owner}.ts`;
}

/** Emits everything under `host/`. */
export function emitHost(schema: WireSchema): SourceFile[] {
  const decoding = new Decoding(schema, {
    decoder: (file, name) => file.value(`decode${name}`, dictionaryPath(name)),
    context: ', objects',
    recordsAsObjects: true,
    fillsDefaults: false,
  });
  const commands = schema.commands.filter((command) => command.class !== 'runtime');
  const owners = [...new Set(commands.map((command) => command.name.split('.')[0]!))];
  const batch = emitBatch(schema, decoding);
  return [
    ...schema.dictionaries.filter((one) => one.fromGuest).map((one) => emitDictionary(schema, one.name, decoding)),
    ...owners.map((owner) =>
      emitOwner(
        schema,
        owner,
        commands.filter((command) => command.name.startsWith(`${owner}.`)),
        decoding,
      ),
    ),
    emitHandlers(owners),
    emitDispatch(schema, commands, decoding),
    ...batch,
    emitHostEvents(schema),
    emitIndex(schema, owners, batch),
  ];
}

/** `host/dictionaries/NAME.ts`: bytes to the descriptor that the backend takes, ids turned into objects. */
function emitDictionary(schema: WireSchema, name: string, decoding: Decoding): SourceFile {
  const one = schema.dictionaries.find((other) => other.name === name)!;
  const file = new SourceFile(dictionaryPath(name));
  const type = one.use === 'api' ? `${file.namespace('api', API)}.${name}` : `${name}`;
  if (one.use === 'wire') {
    file.doc(one.spec);
    file.add(
      `export interface ${name} {`,
      one.fields.map((field) => `${field.name}${field.required ? '' : '?'}: ${wireHostType(field.type, file)};`),
      '}',
      '',
    );
  }
  file.doc(`Reads a ${name}. Absent members stay absent: the backend has the same defaults.`, one.spec);
  file.add(
    `export function decode${name}(r: ${file.type('WireReader', WIRE)}, objects: ${file.type('ObjectResolver', WIRE)}): ${type} {`,
    'void objects;',
    `const v = {} as ${type};`,
    decoding.dictionaryStatements(one, file),
    'return v;',
    '}',
  );
  return file;
}

/** Type of a decoded value on the host: the API's, with bytes as a view of the frame. */
function wireHostType(type: TypeSchema, file: SourceFile): string {
  if (type.kind === 'bytes') return 'Uint8Array<ArrayBuffer>';
  if (type.kind === 'sequence') return `${wireHostType(type.element, file)}[]`;
  if (type.kind === 'dictionary' && type.name.startsWith('Vesper'))
    return file.type(type.name, dictionaryPath(type.name));
  if (type.kind === 'dictionary' || type.kind === 'shape') return `${file.namespace('api', API)}.${type.name}`;
  const text = apiType(type, 'api.', false);
  if (text.includes('api.')) file.namespace('api', API);
  return text;
}

function targetType(command: CommandSchema, file: SourceFile): string {
  const api = file.namespace('api', API);
  return command.target.interfaces
    .filter((name) => name.startsWith('GPU'))
    .map((name) => `${api}.${name}`)
    .join(' | ');
}

function replyType(command: CommandSchema, file: SourceFile): string {
  return valueType(command.reply!, file, replyPath);
}

/** `host/NAME.ts`: the handlers of an interface or mixin, and the decoders that call them. */
function emitOwner(schema: WireSchema, owner: string, commands: CommandSchema[], decoding: Decoding): SourceFile {
  const file = new SourceFile(ownerPath(owner));
  const bodies = commands.map((command) => handlerMember(command, file));
  const isAbstract = commands.some((command) => command.host === 'hand');
  file.doc(
    `What the host does for ${owner}: generated where that is the call itself${isAbstract ? ', abstract where it is written by hand in packages/host' : ''}.`,
  );
  file.add(`export ${isAbstract ? 'abstract ' : ''}class ${owner}Handlers {`, bodies, '}', '');
  for (const command of commands) {
    file.doc(`${command.name}, opcode ${command.opcode}. ${command.spec}`);
    file.add(
      `export function decode${capital(wordOf(command.name))}(r: ${file.type('WireReader', WIRE)}, objects: ${file.type('HostSession', WIRE)}, handlers: ${file.type('Handlers', HANDLERS)}): void {`,
      decoderBody(schema, command, owner, file, decoding),
      '}',
      '',
    );
  }
  return file;
}

function handlerParameters(command: CommandSchema, file: SourceFile): string[] {
  return [
    ...(command.target.kind === 'none' ? [] : [`target: ${targetType(command, file)}`]),
    ...(command.class === 'request' ? command.creates.map((name) => `new${name.replace(/^GPU/, '')}: number`) : []),
    ...command.fields.map((field) => {
      const isOptional = !field.required && field.default === undefined;
      return `${field.name}: ${wireHostType(field.type, file)}${isOptional ? ' | undefined' : ''}`;
    }),
  ];
}

function handlerMember(command: CommandSchema, file: SourceFile): Lines {
  const member = command.name.split('.')[1]!;
  const parameters = handlerParameters(command, file).join(', ');
  const result =
    command.class === 'request'
      ? `Promise<${replyType(command, file)}>`
      : command.class === 'create'
        ? `${file.namespace('api', API)}.${command.creates[0]!}`
        : 'void';
  if (command.host === 'hand') return [`/** ${command.spec} */`, `abstract ${member}(${parameters}): ${result};`, ''];
  return [
    `${member}(${parameters}): ${result} {`,
    command.class === 'create' ? `return ${call(command, command.fields.length)};` : shortestCall(command),
    '}',
    '',
  ];
}

/** The call of the backend, with the first `count` arguments. */
function call(command: CommandSchema, count: number): string {
  const names = command.fields.slice(0, count).map((field) => field.name);
  return `target.${command.name.split('.')[1]!}(${names.join(', ')})`;
}

/** What stands for a field that is not there. */
function absentText(field: CommandSchema['fields'][number], file: SourceFile): string {
  if (field.default === undefined) return 'undefined';
  if (field.default === 'empty-dictionary') return '{}';
  // The same one each time: a hot command has such a field.
  return field.default === 'empty-sequence' ? file.value('NO_ITEMS', WIRE) : literalText(field);
}

/** The call without the last arguments where they have their defaults: each costs the backend's binding 30 ns or more. */
function shortestCall(command: CommandSchema): Lines[] {
  const { fields } = command;
  const lines: Lines[] = [];
  let count = fields.length;
  for (; count > 0 && !fields[count - 1]!.required; count--) {
    const last = fields[count - 1]!;
    lines.push(`if (${presenceTest(last, last.name)}) return ${call(command, count)};`);
  }
  return [lines, `${call(command, count)};`];
}

function decoderBody(
  schema: WireSchema,
  command: CommandSchema,
  owner: string,
  file: SourceFile,
  decoding: Decoding,
): Lines {
  const member = command.name.split('.')[1]!;
  const types = decoding.typesOf(command.target.interfaces);
  const lines: Lines[] = [];
  if (command.target.kind === 'object')
    lines.push(`const target = objects.object(r, ${types}) as ${targetType(command, file)};`);
  if (command.target.kind === 'currentEncoder')
    lines.push(`const target = objects.currentEncoder(r, ${types}) as ${targetType(command, file)};`);
  if (command.class === 'request') lines.push('const requestId = r.u32();');
  const ids = command.creates.map((name) => `new${name.replace(/^GPU/, '')}`);
  for (const id of ids) lines.push(`const ${id} = r.u32();`);
  for (const field of command.fields) {
    const read = decoding.field(field, file);
    const absent = absentText(field, file);
    lines.push(
      field.required
        ? `const ${field.name} = ${read};`
        : `const ${field.name}${field.default === 'empty-sequence' || field.default === 'empty-dictionary' ? `: ${wireHostType(field.type, file)}` : ''} = r.more ? ${read} : ${absent};`,
    );
  }
  lines.push('r.finish();');
  const given = [
    ...(command.target.kind === 'none' ? [] : ['target']),
    ...(command.class === 'request' ? ids : []),
    ...command.fields.map((field) => field.name),
  ];
  const call = `handlers.${ownerWord(owner)}.${member}(${given.join(', ')})`;
  if (command.class === 'request') {
    for (const id of ids) lines.push(`objects.reserve(${id});`);
    lines.push(`objects.request(requestId, ${command.opcode}, () => ${call}, ${replyEncoder(command, file)});`);
  } else if (command.class === 'create') {
    lines.push(`objects.create(${ids[0]!}, ${numberOf(schema, command.creates[0]!)}, target, () => ${call});`);
  } else {
    lines.push(`${call};`);
  }
  return lines;
}

function replyEncoder(command: CommandSchema, file: SourceFile): string {
  const type = command.reply!;
  if (type.kind === 'undefined') return '() => {}';
  if (type.kind === 'dictionary') return replyEncoders.encoder(file, type.name);
  throw new Error(`${command.name}: a reply is a dictionary or undefined`);
}

/** `host/handlers.ts`: all handlers by the word of their interface; a missing one does not compile. */
function emitHandlers(owners: string[]): SourceFile {
  const file = new SourceFile(HANDLERS);
  file.doc('The handlers of every interface and mixin. packages/host makes them; a missing one does not compile.');
  file.add(
    'export interface Handlers {',
    owners.map((owner) => `readonly ${ownerWord(owner)}: ${file.type(`${owner}Handlers`, ownerPath(owner))};`),
    '}',
  );
  return file;
}

/** `host/dispatch.ts`: decoders by opcode. */
function emitDispatch(schema: WireSchema, commands: CommandSchema[], decoding: Decoding): SourceFile {
  const file = new SourceFile('host/dispatch.ts');
  const highest = Math.max(...commands.map((command) => command.opcode));
  const byOpcode = new Map(commands.map((command) => [command.opcode, command]));
  const all = Array.from({ length: highest + 1 }, (_, opcode) => byOpcode.get(opcode));
  file.doc('Decodes the rest of a record and does what it says.');
  file.add(
    `export type Decoder = (r: ${file.type('WireReader', WIRE)}, session: ${file.type('HostSession', WIRE)}, handlers: ${file.type('Handlers', HANDLERS)}) => void;`,
    '',
  );
  file.doc('Decoders by opcode; undefined where a number stands for nothing that a guest sends.');
  file.add(
    'export const decoders: readonly (Decoder | undefined)[] = [',
    all.map((command) =>
      command
        ? `${file.value(`decode${capital(wordOf(command.name))}`, ownerPath(command.name.split('.')[0]!))},`
        : 'undefined,',
    ),
    '];',
    '',
  );
  file.doc('What is known of a command besides its decoder: for messages, policy and accounts.');
  file.add(
    'export interface CommandInfo {',
    '/** IDL path, such as `GPUQueue.writeBuffer`. */',
    'readonly name: string;',
    '/** What the first word behind the header names. */',
    "readonly target: 'object' | 'currentEncoder' | 'none';",
    'readonly group: string;',
    'readonly cost: string;',
    '/** What it does to the state of its encoder; `ends`: nothing is known of it from then on. Absent where there is none. */',
    "readonly state?: 'keeps' | 'clears' | 'sets' | 'sets by key' | 'ends';",
    '}',
    '',
    '/** By opcode. */',
    'export const commandInfo: readonly (CommandInfo | undefined)[] = [',
    all.map((command) =>
      command
        ? `{ name: '${command.name}', target: '${command.target.kind}', group: '${command.group}', cost: '${command.cost}'${stateText(schema, command)} },`
        : 'undefined,',
    ),
    '];',
    '',
  );
  file.doc('Mask of the interfaces whose objects can be the current encoder.');
  const encoders = schema.interfaces.filter((one) => one.isEncoder).map((one) => one.name);
  file.add(`export const encoderTypes = ${decoding.typesOf(encoders)};`);
  return file;
}

function stateText(schema: WireSchema, command: CommandSchema): string {
  const { state } = command;
  if (state !== undefined) return `, state: '${state.kind}${state.key === undefined ? '' : ' by key'}'`;
  return command.target.kind === 'currentEncoder' && hasState(schema, command) ? ", state: 'ends'" : '';
}

/** `host/events.ts`: encoders of what the host sends unasked, and of a failed request. */
function emitHostEvents(schema: WireSchema): SourceFile {
  const file = new SourceFile('host/events.ts');
  for (const event of schema.events) {
    file.doc(`${event.name}, opcode ${event.opcode}. ${event.spec}`);
    file.add(
      `export function encode${capital(wordOf(event.name))}(w: ${file.type('WireWriter', WIRE)}, ${eventParameters(event, file)}): void {`,
      event.since > 1 && `if (w.revision < ${event.since}) return;`,
      encodeRecordBody(
        event.opcode,
        event.target.kind === 'object' ? ['target'] : [],
        event.fields,
        file,
        replyEncoders,
      ),
      '}',
      '',
    );
  }
  return file;
}

function eventParameters(event: EventSchema, file: SourceFile): string {
  return [
    ...(event.target.kind === 'object' ? ['target: number'] : []),
    ...event.fields.map((field) => `${field.name}: ${valueType(field.type, file, replyPath)}`),
  ].join(', ');
}

function emitIndex(schema: WireSchema, owners: string[], batch: readonly SourceFile[]): SourceFile {
  const file = new SourceFile('host/index.ts');
  file.add(
    batch.map(() => "export * from './batch.ts';"),
    "export * from './dispatch.ts';",
    "export * from './events.ts';",
    "export * from './handlers.ts';",
    "export * from './policy.ts';",
    owners.map((owner) => `export { ${owner}Handlers } from './${owner}.ts';`),
    "export * from '../replies/index.ts';",
    "export * from '../identity.ts';",
    "export * from '../interfaces.ts';",
    "export * from '../opcodes.ts';",
    "export * from '../namespaces.ts';",
    "export type * as api from '../api.ts';",
    schema.dictionaries
      .filter((one) => one.fromGuest && one.use === 'wire')
      .map((one) => `export type { ${one.name} } from './dictionaries/${one.name}.ts';`),
  );
  return file;
}
