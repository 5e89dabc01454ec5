import type { DictionarySchema, TypeSchema, WireSchema } from '../schema/schema.ts';
import { Conversions, defaultValue, dictionaryPath } from './convert.ts';
import { encodeDictionaryBody, type EncoderNames } from './encode.ts';
import { generatedInterfaces } from './names.ts';
import { SourceFile } from './source.ts';
import { valueType, WIRE } from './types.ts';

export const guestEncoders: EncoderNames = {
  encoder: (file, name) => file.value(`encode${name}`, dictionaryPath(name)),
};

/** `guest/dictionaries/NAME.ts`: the converted form of a dictionary, its Web IDL conversion, and its encoder. */
export function emitGuestDictionaries(schema: WireSchema): SourceFile[] {
  const conversions = new Conversions(schema);
  const converted = convertedDictionaries(schema);
  const shapes = shapeNames(schema);
  return schema.dictionaries
    .filter((one) => one.fromGuest || converted.has(one.name))
    .map((one) => {
      const file = new SourceFile(dictionaryPath(one.name));
      file.doc(`${one.name}, converted: ids for objects, defaults filled in.`, one.spec);
      file.add(
        `export interface ${one.name}Value {`,
        one.fields.map((field) => {
          const isAlways = field.required || defaultValue(field) !== 'undefined';
          return `${field.name}${isAlways ? '' : '?'}: ${valueType(field.type, file, dictionaryPath)}${isAlways ? '' : ' | undefined'};`;
        }),
        '}',
        '',
      );
      if (converted.has(one.name)) {
        file.doc('Converts what a program gave, by the rules of Web IDL.', '@throws TypeError that names the member.');
        file.add(
          `export function convert${one.name}(value: unknown, stream: ${file.type('CommandStream', WIRE)}, context: string): ${one.name}Value {`,
          'void stream;',
          shapes.has(one.name) && conversions.shapePrelude(one, file),
          conversions.dictionaryBody(one, file),
          '}',
          '',
        );
      }
      if (one.fromGuest) {
        file.doc(...layout(one));
        file.add(
          `export function encode${one.name}(w: ${file.type('WireWriter', WIRE)}, v: ${one.name}Value): void {`,
          one.fields.length === 0 && 'void v;',
          encodeDictionaryBody(one, file, guestEncoders),
          '}',
        );
      }
      return file;
    });
}

/** The field table of a dictionary's encoder. */
function layout(one: DictionarySchema): string[] {
  return [
    `Writes ${one.name}: presence mask, fields in this order.`,
    ...one.fields.map((field) => `- ${field.name}${field.bit === undefined ? '' : ` (bit ${field.bit})`}`),
  ];
}

/** Dictionaries that a program can give to a member which is not excluded. */
function convertedDictionaries(schema: WireSchema): Set<string> {
  const found = new Set<string>();
  const reach = (type: TypeSchema): void => {
    if (type.kind === 'dictionary' || type.kind === 'shape') {
      if (found.has(type.name)) return;
      found.add(type.name);
      for (const field of schema.dictionaries.find((one) => one.name === type.name)!.fields) reach(field.type);
    } else if (type.kind === 'sequence') reach(type.element);
    else if (type.kind === 'record') reach(type.value);
    else if (type.kind === 'nullable') reach(type.inner);
    else if (type.kind === 'union') type.members.forEach(reach);
  };
  for (const one of generatedInterfaces(schema)) {
    for (const member of one.members) {
      if (member.class !== 'excluded')
        for (const list of member.overloads) for (const argument of list) reach(argument.type);
    }
  }
  return found;
}

/** Dictionaries that may be given as a sequence. */
function shapeNames(schema: WireSchema): Set<string> {
  const names = new Set<string>();
  const look = (type: TypeSchema): void => {
    if (type.kind === 'shape') names.add(type.name);
    else if (type.kind === 'nullable') look(type.inner);
  };
  for (const dictionary of schema.dictionaries) for (const field of dictionary.fields) look(field.type);
  for (const one of schema.interfaces)
    for (const member of one.members)
      for (const list of member.overloads) for (const argument of list) look(argument.type);
  return names;
}
