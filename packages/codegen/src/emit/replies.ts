import type { WireSchema } from '../schema/schema.ts';
import { defaultValue } from './convert.ts';
import { Decoding } from './decode.ts';
import { encodeDictionaryBody, type EncoderNames } from './encode.ts';
import { SourceFile } from './source.ts';
import { valueType, WIRE } from './types.ts';

export function replyPath(name: string): string {
  return `replies/${name}.ts`;
}

export const replyEncoders: EncoderNames = {
  encoder: (file, name) => file.value(`encode${name}`, replyPath(name)),
};

/** `replies/NAME.ts`: what the host sends, encoded on the host and decoded on the guest. */
export function emitReplies(schema: WireSchema): SourceFile[] {
  const decoding = new Decoding(schema, {
    decoder: (file, name) => file.value(`decode${name}`, replyPath(name)),
    context: '',
    recordsAsObjects: false,
    fillsDefaults: true,
  });
  return schema.dictionaries
    .filter((one) => one.fromHost)
    .map((one) => {
      const file = new SourceFile(replyPath(one.name));
      file.doc(one.spec);
      file.add(
        `export interface ${one.name}Value {`,
        one.fields.map((field) => {
          const isAlways = field.required || defaultValue(field) !== 'undefined';
          return `${field.name}${isAlways ? '' : '?'}: ${valueType(field.type, file, replyPath)}${isAlways ? '' : ' | undefined'};`;
        }),
        '}',
        '',
        `/** Writes ${one.name}: presence mask, then the fields that are present. */`,
        `export function encode${one.name}(w: ${file.type('WireWriter', WIRE)}, v: ${one.name}Value): void {`,
        encodeDictionaryBody(one, file, replyEncoders),
        '}',
        '',
        `/** Reads ${one.name}; absent fields get their defaults. */`,
        `export function decode${one.name}(r: ${file.type('WireReader', WIRE)}): ${one.name}Value {`,
        `const v = {} as ${one.name}Value;`,
        decoding.dictionaryStatements(one, file),
        'return v;',
        '}',
      );
      return file;
    });
}
