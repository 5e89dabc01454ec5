import type { LiteralSchema, TypeSchema } from '../schema/schema.ts';

/** What a type's bytes are, as one short text: two types with one signature look the same on the wire. */
export function typeSignature(type: TypeSchema): string {
  switch (type.kind) {
    case 'integer':
      return type.bits === 64 ? 'u64' : type.signed ? 'i32' : 'u32';
    case 'float':
      return `f${type.bits}`;
    case 'enum':
      return `enum ${type.name}`;
    case 'dictionary':
    case 'shape':
      return type.name;
    case 'object':
      return `object ${type.interfaces.join('|')}`;
    case 'bytes':
      return type.type === 'Uint32Array' ? 'sequence<u32>' : 'bytes';
    case 'sequence':
    case 'frozenArray':
      return `sequence<${typeSignature(type.element)}>`;
    case 'record':
      return `record<string, ${typeSignature(type.value)}>`;
    case 'nullable':
      return `${typeSignature(type.inner)}?`;
    case 'union':
      return `union<${type.members.map(typeSignature).join(', ')}>`;
    case 'promise':
      return `promise<${typeSignature(type.inner)}>`;
    case 'external':
      return `external ${type.name}`;
    default:
      return type.kind;
  }
}

/** What a field is to both sides: a default is part of it, as it is left out and filled in by the other side. */
export function fieldSignature(required: boolean, type: TypeSchema, fallback: LiteralSchema | undefined): string {
  const text = typeSignature(type);
  if (required) return text;
  return fallback === undefined ? `optional ${text}` : `optional ${text} = ${JSON.stringify(fallback)}`;
}
