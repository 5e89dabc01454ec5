import type { MemberSchema, WireSchema } from '../schema/schema.ts';
import { publicInterfaces } from './names.ts';
import { SourceFile, doc, type Lines } from './source.ts';
import { API, apiType, ENUMS } from './types.ts';

/** Interfaces of the platform that ours extend. */
const PLATFORM_BASES = new Set(['EventTarget', 'Event', 'DOMException']);

/** `api.ts`: the WebGPU API as TypeScript types, from our own IDL; what guest classes offer and the host calls. */
export function emitApi(schema: WireSchema): SourceFile {
  const file = new SourceFile(API);
  file.add(
    ...doc('Any buffer or view of one, shared or not. https://webidl.spec.whatwg.org/#AllowSharedBufferSource'),
    'export type AllowSharedBufferSource = ArrayBuffer | SharedArrayBuffer | ArrayBufferView;',
    ...doc('https://html.spec.whatwg.org/multipage/canvas.html#predefinedcolorspace'),
    "export type PredefinedColorSpace = 'srgb' | 'display-p3';",
    ...doc('https://html.spec.whatwg.org/multipage/webappapis.html#eventhandler'),
    'export type EventHandler = ((event: GPUUncapturedErrorEvent) => unknown) | null;',
    '',
  );
  file.add(`export type { ${schema.enums.map((one) => one.name).join(', ')} } from './${ENUMS}';`, '');
  for (const one of schema.enums) file.type(one.name, ENUMS);
  for (const one of schema.dictionaries.filter((dictionary) => dictionary.use === 'api')) {
    const parent = schema.dictionaries.find((other) => other.name === one.inherits);
    const own = one.fields.filter((field) => !parent?.fields.some((inherited) => inherited.name === field.name));
    file.doc(one.spec);
    file.add(
      `export interface ${one.name}${parent ? ` extends ${parent.name}` : ''} {`,
      own.map((field) => {
        const text = apiType(field.type, '', true);
        return [
          field.default !== undefined && `/** Default: ${JSON.stringify(field.default)}. */`,
          `${field.name}${field.required ? '' : '?'}: ${text}${field.required ? '' : ' | undefined'};`,
        ];
      }),
      '}',
      '',
    );
  }
  for (const one of publicInterfaces(schema)) {
    const inherited = publicInterfaces(schema).some(
      (other) => other.name === one.inherits || other.inherits === one.name,
    );
    const base = one.inherits && (PLATFORM_BASES.has(one.inherits) || inherited);
    file.doc(one.spec);
    file.add(
      `export interface ${one.name}${base ? ` extends ${one.inherits!}` : ''} {`,
      // Told apart by name, as the interfaces are; not where one extends another of ours.
      !inherited && `readonly __brand: '${one.name}';`,
      one.members.map((member) => apiMember(member)),
      '}',
      '',
    );
  }
  return file;
}

function apiMember(member: MemberSchema): Lines[] {
  const comment = doc(member.spec);
  switch (member.kind) {
    case 'attribute':
      return [comment, `${member.readonly ? 'readonly ' : ''}${member.name}: ${apiType(member.type, '', false)};`];
    case 'operation':
      return member.overloads.map((list) => [
        comment,
        `${member.name}(${parameters(list)}): ${apiType(member.type, '', false)};`,
      ]);
    case 'setlike': {
      const element = apiType(member.type, '', false);
      return [
        comment,
        'readonly size: number;',
        `has(value: ${element}): boolean;`,
        `keys(): SetIterator<${element}>;`,
        `values(): SetIterator<${element}>;`,
        `entries(): SetIterator<[${element}, ${element}]>;`,
        `forEach(callback: (value: ${element}, key: ${element}, set: ReadonlySet<${element}>) => void, thisArg?: unknown): void;`,
        `[Symbol.iterator](): SetIterator<${element}>;`,
      ];
    }
    case 'constructor':
      return [];
  }
}

export function parameters(list: MemberSchema['overloads'][number], prefix = ''): string {
  return list
    .map((argument) => `${argument.name}${argument.optional ? '?' : ''}: ${apiType(argument.type, prefix, true)}`)
    .join(', ');
}
