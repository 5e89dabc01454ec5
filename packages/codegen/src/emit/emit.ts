import { format, type FormatOptions } from 'oxfmt';
import { GenerateError } from '../errors.ts';
import type { WireSchema } from '../schema/schema.ts';
import { emitApi } from './api.ts';
import { emitC } from './c.ts';
import { emitEnums, emitNamespaces, emitNumbers } from './constants.ts';
import { emitDocs } from './docs.ts';
import { emitEncoderState } from './encoder-state.ts';
import { emitCommandFiles, emitGuestEvents } from './guest-commands.ts';
import { emitGuestDictionaries } from './guest-dictionaries.ts';
import { emitGuestInterfaces, emitImplementations } from './guest-interfaces.ts';
import { emitHost } from './host.ts';
import { generatedInterfaces } from './names.ts';
import { emitPolicy } from './policy.ts';
import { policySchema } from './policy-schema.ts';
import { emitReplies } from './replies.ts';
import { SourceFile } from './source.ts';

/** As .oxfmtrc.json has it, so that `oxfmt --check` agrees. */
const FORMAT: FormatOptions = { printWidth: 120, singleQuote: true };

/**
 * Everything that is generated from a schema.
 * @returns text by path, relative to the output folder.
 */
export async function emit(schema: WireSchema, schemaOfSchema: object): Promise<Map<string, string>> {
  const interfaces = emitGuestInterfaces(schema);
  const commandFiles = emitCommandFiles(schema, new Set(generatedInterfaces(schema).map((one) => one.name)));
  const dictionaries = emitGuestDictionaries(schema);
  const replies = emitReplies(schema);
  const sources = [
    emitEnums(schema),
    emitNamespaces(schema),
    ...emitNumbers(schema),
    emitApi(schema),
    ...replies,
    barrel('replies/index.ts', replies),
    ...dictionaries,
    emitImplementations(schema),
    emitEncoderState(schema),
    emitGuestEvents(schema),
    ...commandFiles,
    ...interfaces,
    guestIndex(schema, [...commandFiles, ...interfaces, ...dictionaries]),
    ...emitHost(schema),
    emitPolicy(schema),
    rootIndex(),
  ];
  const files = new Map<string, string>();
  for (const source of sources) files.set(`src/${source.path}`, await formatted(source.path, source.render(schema)));
  files.set('schema/vesper.schema.json', await formatted('vesper.schema.json', JSON.stringify(schema)));
  files.set(
    'schema/vesper.schema.schema.json',
    await formatted('vesper.schema.schema.json', JSON.stringify(schemaOfSchema)),
  );
  files.set(
    'schema/vesper.policy.schema.json',
    await formatted('vesper.policy.schema.json', JSON.stringify(policySchema(schema))),
  );
  for (const [path, text] of emitC(schema)) files.set(`c/${path}`, text);
  for (const [path, text] of emitDocs(schema)) files.set(`docs/${path}`, await formatted(path, text));
  return files;
}

/** Formats as the repository's own formatter would. */
export async function formatted(path: string, text: string): Promise<string> {
  const { code, errors } = await format(path, text, FORMAT);
  if (errors.length > 0)
    throw new GenerateError(
      `the generator wrote ${path}, which does not parse: ${errors[0]!.message}. This is a bug of the generator.\n${text}`,
    );
  return code;
}

function barrel(path: string, files: readonly SourceFile[]): SourceFile {
  const index = new SourceFile(path);
  index.add(files.map((file) => `export * from './${file.path.split('/').at(-1)!}';`));
  return index;
}

function guestIndex(schema: WireSchema, files: readonly SourceFile[]): SourceFile {
  const index = new SourceFile('guest/index.ts');
  index.add(
    [...files].map((file) => `export * from './${file.path.slice('guest/'.length)}';`),
    "export * from './events.ts';",
    "export * from './implementations.ts';",
    "export * from './encoder-state.ts';",
    "export * from '../identity.ts';",
    "export * from '../interfaces.ts';",
    "export * from '../opcodes.ts';",
    "export * from '../namespaces.ts';",
    "export * from '../enums.ts';",
    "export * from '../replies/index.ts';",
    "export type * as api from '../api.ts';",
    '',
  );
  const names = generatedInterfaces(schema).map((one) => one.name);
  for (const name of names) index.value(name, `guest/${name}.ts`);
  const namespaces = schema.namespaces.map((one) => index.value(one.name, 'namespaces.ts'));
  index.doc('What belongs on the global object, except the classes that are written by hand.');
  index.add(`export const generatedGlobals = { ${[...names, ...namespaces].join(', ')} };`);
  return index;
}

function rootIndex(): SourceFile {
  const index = new SourceFile('index.ts');
  index.add(
    "export * from './identity.ts';",
    "export * from './interfaces.ts';",
    "export * from './opcodes.ts';",
    "export * from './enums.ts';",
    "export * from './namespaces.ts';",
    "export type * as api from './api.ts';",
  );
  return index;
}
