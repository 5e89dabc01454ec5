import { bytesOf, MAX_LABEL_LENGTH, type ByteSource } from '@vesper-gpu/wire';
import { isLabel } from '../../packages/codegen/src/emit/names.ts';
import { dictionary, type FieldSchema, type TypeSchema, wellFormed } from './schema.ts';

/** How the side that decodes represents what has more than one form. */
export interface Form {
  /** What an id becomes: a marker on the host, the number itself on the guest. */
  object(id: number): unknown;
  /** Whether a record is an object (what the backend takes) or a list of entries. */
  recordsAsObjects: boolean;
  /** Whether absent fields come back as the IDL's default, or stay absent: the backend has the same defaults. */
  fillsDefaults: boolean;
}

/** @returns where `decoded` is not what `given` is on the other side, or undefined when it is. */
export function difference(
  type: TypeSchema,
  given: unknown,
  decoded: unknown,
  form: Form,
  path: string,
): string | undefined {
  const differs = (what = ''): string => `${path}: ${show(given)} became ${show(decoded)}${what}`;
  switch (type.kind) {
    case 'boolean':
    case 'integer':
    case 'enum':
      return given === decoded ? undefined : differs();
    case 'float': {
      // NaN stays NaN, and -0 stays -0.
      const sent = type.bits === 32 ? Math.fround(given as number) : given;
      return Object.is(sent, decoded) ? undefined : differs();
    }
    case 'string':
      return wellFormed(given as string) === decoded ? undefined : differs();
    case 'object':
      return Object.is(form.object(given as number), decoded) ? undefined : differs();
    case 'bytes':
      return decoded instanceof Uint8Array && Buffer.compare(bytesOf(given as ByteSource), decoded) === 0
        ? undefined
        : differs();
    case 'sequence':
    case 'frozenArray':
      return sequenceDifference(type.element, given as unknown[], decoded, form, path);
    case 'record':
      return recordDifference(type.value, given as [string, unknown][], decoded, form, path);
    case 'nullable':
      if (given === null || decoded === null) return given === decoded ? undefined : differs();
      return difference(type.inner, given, decoded, form, path);
    case 'union':
      return difference(memberOf(type.members, given), given, decoded, form, path);
    case 'dictionary':
    case 'shape':
      return dictionaryDifference(type.name, given, decoded, form, path);
    default:
      throw new Error(`there is no comparison of a ${type.kind}`);
  }
}

/** The member that a converted value belongs to: ids are numbers, enums strings, dictionaries objects. */
function memberOf(members: readonly TypeSchema[], given: unknown): TypeSchema {
  const kind = typeof given === 'number' ? 'object' : typeof given === 'string' ? 'enum' : 'dictionary';
  const member = members.find((one) => one.kind === kind);
  if (member === undefined) throw new Error(`no union member takes a ${kind}`);
  return member;
}

function sequenceDifference(
  element: TypeSchema,
  given: unknown[],
  decoded: unknown,
  form: Form,
  path: string,
): string | undefined {
  if (!Array.isArray(decoded) || decoded.length !== given.length)
    return `${path}: ${given.length} items became ${show(decoded)}`;
  for (const [index, item] of given.entries()) {
    const found = difference(element, item, decoded[index], form, `${path}[${index}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function recordDifference(
  value: TypeSchema,
  given: [string, unknown][],
  decoded: unknown,
  form: Form,
  path: string,
): string | undefined {
  const inner = value.kind === 'nullable' && value.undefinable ? value.inner : value;
  const entries = form.recordsAsObjects ? Object.entries(decoded as object) : (decoded as [string, unknown][]);
  if (entries.length !== given.length) return `${path}: ${given.length} entries became ${entries.length}`;
  const byKey = new Map(entries);
  for (const [key, item] of given) {
    const name = wellFormed(key);
    if (!byKey.has(name)) return `${path}: the key ${show(key)} is missing`;
    const found = difference(inner, item, byKey.get(name), form, `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function dictionaryDifference(
  name: string,
  given: unknown,
  decoded: unknown,
  form: Form,
  path: string,
): string | undefined {
  if (typeof decoded !== 'object' || decoded === null) return `${path}: ${show(decoded)} is no ${name}`;
  const { fields } = dictionary(name);
  const names = new Set(fields.map((field) => field.name));
  for (const key of Object.keys(decoded)) if (!names.has(key)) return `${path}: ${name} has no member ${key}`;
  for (const field of fields) {
    const place = `${path}.${field.name}`;
    const found = fieldDifference(
      field,
      (given as Record<string, unknown>)[field.name],
      decoded as Record<string, unknown>,
      form,
      place,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

function fieldDifference(
  field: FieldSchema,
  given: unknown,
  decoded: Record<string, unknown>,
  form: Form,
  path: string,
): string | undefined {
  const isThere = Object.hasOwn(decoded, field.name) && decoded[field.name] !== undefined;
  if (isThere) {
    if (given === undefined) return `${path}: was absent, became ${show(decoded[field.name])}`;
    return difference(field.type, asSent(field, given), decoded[field.name], form, path);
  }
  // Absent: because it was, or because the other side knows that it has its default.
  if (given === undefined && !field.required) return undefined;
  if (form.fillsDefaults || field.required) return `${path}: ${show(given)} is missing`;
  return isDefault(field, given) ? undefined : `${path}: ${show(given)} is missing, and is not the default`;
}

function isDefault(field: FieldSchema, given: unknown): boolean {
  if (field.default === 'empty-sequence') return Array.isArray(given) && given.length === 0;
  return Object.is(given, field.default);
}

/** A label is cut before it is sent. */
export function asSent(field: FieldSchema, given: unknown): unknown {
  if (isLabel(field)) return (given as string).slice(0, MAX_LABEL_LENGTH);
  const { required, type } = field;
  // What a backend would take for absent: see WireReader.optionalU32.
  const mayBeAbsent =
    !required && field.default === undefined && type.kind === 'integer' && type.bits === 32 && !type.signed;
  return mayBeAbsent && given === 0xffff_ffff ? 0xffff_fffe : given;
}

function show(value: unknown): string {
  if (Object.is(value, -0)) return '-0';
  return (
    JSON.stringify(value, (_, one: unknown) =>
      typeof one === 'number' && !Number.isFinite(one) ? String(one) : one,
    ) ?? 'undefined'
  );
}
