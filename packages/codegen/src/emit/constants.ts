import type { WireSchema } from '../schema/schema.ts';
import { wordOf } from './names.ts';
import { SourceFile } from './source.ts';
import { WEBIDL } from './types.ts';

/** `enums.ts`: for each enum its type, its numbers by name, and its names by number. */
export function emitEnums(schema: WireSchema): SourceFile {
  const file = new SourceFile('enums.ts');
  for (const one of schema.enums) {
    const names: string[] = [];
    for (const value of one.values) names[value.number] = `'${value.name}'`;
    file.doc(one.spec);
    file.add(`export type ${one.name} = ${one.values.map((value) => `'${value.name}'`).join(' | ')};`, '');
    file.doc(`Wire number of each ${one.name}.`);
    file.add(
      `export const ${one.name}Numbers: Readonly<Record<${one.name}, number>> = Object.assign(Object.create(null) as object, {`,
      one.values.map((value) => `'${value.name}': ${value.number},`),
      '});',
      '',
    );
    file.doc(`Names by wire number; a removed value leaves a hole.`);
    file.add(
      `export const ${one.name}Names: readonly (${one.name} | undefined)[] = [${Array.from(names, (name) => name ?? 'undefined').join(', ')}];`,
      '',
    );
  }
  return file;
}

/** `namespaces.ts`: GPUBufferUsage and the like. */
export function emitNamespaces(schema: WireSchema): SourceFile {
  const file = new SourceFile('namespaces.ts');
  for (const one of schema.namespaces) {
    file.doc(one.spec);
    file.add(
      `export const ${one.name} = ${file.value('defineNamespace', WEBIDL)}('${one.name}', {`,
      one.constants.map(({ name, value }) => `${name}: 0x${value.toString(16)},`),
      '});',
      '',
    );
  }
  return file;
}

/** `identity.ts`: which protocol this is. `opcodes.ts` and `interfaces.ts`: its numbers. */
export function emitNumbers(schema: WireSchema): SourceFile[] {
  const identity = new SourceFile('identity.ts');
  identity.doc('Which protocol this is: exchanged in the handshake.');
  identity.add(
    `export const PROTOCOL = {`,
    `schemaRevision: ${schema.revision},`,
    `schemaHash: '${schema.hash}',`,
    `idlRevision: '${schema.idlRevision}',`,
    '} as const;',
  );
  const opcodes = new SourceFile('opcodes.ts');
  opcodes.doc('Numbers of the records; a reply has the number of its request.');
  opcodes.add(
    'export const Opcode = {',
    [...schema.commands, ...schema.events].map((record) => [
      ...docOf(record.name, record.spec),
      `${wordOf(record.name)}: ${record.opcode},`,
    ]),
    '} as const;',
  );
  const interfaces = new SourceFile('interfaces.ts');
  interfaces.doc('Types of object ids.');
  interfaces.add(
    'export const InterfaceNumber = {',
    schema.interfaces.filter((one) => one.number > 0).map((one) => `${one.name}: ${one.number},`),
    '} as const;',
  );
  return [identity, opcodes, interfaces];
}

function docOf(name: string, spec: string): string[] {
  return [`/** ${name}: ${spec} */`];
}
