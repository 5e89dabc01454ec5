import type { TypeSchema } from '../schema/schema.ts';
import type { SourceFile } from './source.ts';

export const API = 'api.ts';
export const ENUMS = 'enums.ts';
export const WIRE = '@vesper-gpu/wire';
export const WEBIDL = '@vesper-gpu/webidl';

const EXTERNAL_TYPES: Record<string, string> = {
  PredefinedColorSpace: 'PredefinedColorSpace',
  EventHandler: 'EventHandler',
};

/** A type of the public API. `input` where the program gives it: any iterable is a sequence then. */
export function apiType(type: TypeSchema, prefix: string, input: boolean): string {
  const of = (inner: TypeSchema): string => apiType(inner, prefix, input);
  switch (type.kind) {
    case 'undefined':
    case 'boolean':
      return type.kind;
    case 'integer':
    case 'float':
      return 'number';
    case 'string':
      return 'string';
    case 'enum':
    case 'dictionary':
      return prefix + type.name;
    case 'shape':
      return `Iterable<number> | ${prefix}${type.name}`;
    case 'object':
      return type.interfaces.map((name) => prefix + name).join(' | ');
    case 'bytes':
      return type.type === 'AllowSharedBufferSource' ? `${prefix}AllowSharedBufferSource` : type.type;
    case 'sequence':
      return input ? `Iterable<${of(type.element)}>` : `${parenthesised(of(type.element))}[]`;
    case 'frozenArray':
      return `readonly ${parenthesised(of(type.element))}[]`;
    case 'record':
      return `Record<string, ${of(type.value)}>`;
    case 'nullable':
      return `${of(type.inner)} | ${type.undefinable ? 'undefined' : input ? 'null | undefined' : 'null'}`;
    case 'union':
      return type.members.map(of).join(' | ');
    case 'promise':
      return `Promise<${of(type.inner)}>`;
    case 'external':
      return EXTERNAL_TYPES[type.name] === undefined ? 'object' : prefix + EXTERNAL_TYPES[type.name];
  }
}

function parenthesised(text: string): string {
  return text.includes(' ') ? `(${text})` : text;
}

/**
 * A converted value, as the encoders take it: ids for objects, every default filled in.
 * The members of a union are told apart by `typeof`: number for an object, string for an enum, object for a dictionary.
 */
export function valueType(type: TypeSchema, file: SourceFile, dictionaryFile: (name: string) => string): string {
  const of = (inner: TypeSchema): string => valueType(inner, file, dictionaryFile);
  switch (type.kind) {
    case 'undefined':
      return 'void';
    case 'boolean':
      return type.kind;
    case 'integer':
    case 'float':
    case 'object':
      return 'number';
    case 'string':
      return 'string';
    case 'enum':
      return file.type(type.name, ENUMS);
    case 'dictionary':
    case 'shape':
      return file.type(`${type.name}Value`, dictionaryFile(type.name));
    case 'bytes':
      return type.type === 'Uint32Array' ? 'Uint32Array' : file.type('ByteSource', WIRE);
    case 'sequence':
    case 'frozenArray':
      return `readonly ${parenthesised(of(type.element))}[]`;
    case 'record':
      // Undefined values are dropped by the conversion.
      return `readonly (readonly [string, ${of(type.value.kind === 'nullable' ? type.value.inner : type.value)}])[]`;
    case 'nullable':
      return `${of(type.inner)} | null`;
    case 'union':
      return type.members.map(of).join(' | ');
    default:
      return 'unknown';
  }
}
