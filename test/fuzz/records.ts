import {
  dictionary,
  enumValues,
  maskOf,
  type CommandSchema,
  type EventSchema,
  type FieldSchema,
  type TypeSchema,
} from '../wire/schema.ts';
import type { Random } from './random.ts';

/** What a word of a record stands for, so that a mutation can be aimed at it. */
export const Role = {
  header: 0,
  id: 1,
  integer: 2,
  float: 3,
  boolean: 4,
  enum: 5,
  presence: 6,
  count: 7,
  length: 8,
  text: 9,
  tag: 10,
  place: 11,
} as const;

/** Longest record that is made, in words. */
export const MAX_WORDS = 1 << 12;

const U32 = [0, 1, 2, 3, 4, 8, 16, 255, 256, 4096, 65_535, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];
const F32 = [0, 0x8000_0000, 0x3f80_0000, 0xbf80_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 1, 0x7f7f_ffff];
const TEXTS = [
  '',
  'a',
  'main',
  'abcd',
  'Grüße',
  '日本語',
  '🦀',
  '__proto__',
  'constructor',
  'x'.repeat(40),
  'é'.repeat(50),
].map((text) => new TextEncoder().encode(text));
/** Items of a sequence; a record of a few words is the most useful one. */
const COUNTS = [0, 0, 1, 1, 1, 2, 2, 3, 5, 9];

/** Gives the id of an object of one of these interfaces, by the mask of their numbers. */
export type IdOf = (mask: number) => number;

const masks = new WeakMap<object, number>();

function mask(interfaces: readonly string[]): number {
  let found = masks.get(interfaces);
  if (found === undefined) masks.set(interfaces, (found = maskOf(interfaces)));
  return found;
}

const layouts = new Map<string, { fields: readonly FieldSchema[]; bits: number }>();

function layoutOf(name: string): { fields: readonly FieldSchema[]; bits: number } {
  let found = layouts.get(name);
  if (found === undefined) {
    const { fields } = dictionary(name);
    found = { fields, bits: fields.filter((field) => field.bit !== undefined).length };
    layouts.set(name, found);
  }
  return found;
}

const enums = new Map<string, readonly number[]>();

function numbersOf(name: string): readonly number[] {
  let found = enums.get(name);
  if (found === undefined) enums.set(name, (found = enumValues(name).map((value) => value.number)));
  return found;
}

/** Writes valid records of the schema's commands and of the host's messages, with random values, word by word. */
export class RecordWriter {
  readonly words = new Int32Array(MAX_WORDS);
  readonly roles = new Uint8Array(MAX_WORDS);
  /** Words that were written. */
  length = 0;
  readonly #random: Random;
  readonly #idOf: IdOf;

  constructor(random: Random, idOf: IdOf) {
    this.#random = random;
    this.#idOf = idOf;
  }

  /** A guest's command. @param newIds ids for what it creates. */
  command(command: CommandSchema, newIds: () => number): void {
    this.#begin();
    if (command.target.kind === 'object') this.#put(this.#idOf(mask(command.target.interfaces)), Role.id);
    if (command.class === 'request') this.#put(this.#random.word(), Role.integer);
    for (let left = command.creates.length; left > 0; left--) this.#put(newIds(), Role.id);
    if (command.name === 'VesperStream.selectEncoder') this.#put(this.#idOf(ENCODERS), Role.id);
    else if (command.name === 'VesperStream.release') this.#ids();
    else this.#fields(command.fields);
    this.#end(command.opcode);
  }

  /** A host's reply to a request. */
  reply(opcode: number, requestId: number, status: number, type: TypeSchema): void {
    this.#begin();
    this.#put(requestId, Role.integer);
    this.#put(status, Role.tag);
    this.#value(type);
    this.#end(opcode);
  }

  /** A host's event. */
  event(event: EventSchema): void {
    this.#begin();
    if (event.target.kind === 'object') this.#put(this.#idOf(mask(event.target.interfaces)), Role.id);
    this.#fields(event.fields);
    this.#end(event.opcode);
  }

  #begin(): void {
    this.length = 1;
    this.roles[0] = Role.header;
  }

  #end(opcode: number): void {
    this.words[0] = opcode | (this.length << 16);
  }

  #put(word: number, role: number): void {
    // What does not fit is left out: the record is then a harmed one, which is as good.
    if (this.length === MAX_WORDS) return;
    this.words[this.length] = word;
    this.roles[this.length++] = role;
  }

  #ids(): void {
    const count = this.#random.pick(COUNTS);
    this.#put(count, Role.count);
    for (let left = count; left > 0; left--) this.#put(this.#idOf(-1), Role.id);
  }

  #fields(fields: readonly FieldSchema[]): void {
    for (const field of fields) {
      // Behind the first that is left out there are none.
      if (!field.required && this.#random.oneIn(3)) return;
      this.#value(field.type);
    }
  }

  #value(type: TypeSchema): void {
    const random = this.#random;
    switch (type.kind) {
      case 'undefined':
        return;
      case 'boolean':
        return this.#put(random.below(2), Role.boolean);
      case 'integer':
        this.#put(random.pick(U32), Role.integer);
        if (type.bits === 64) this.#put(random.oneIn(3) ? random.pick(U32) : 0, Role.integer);
        return;
      case 'float':
        this.#put(random.pick(F32), Role.float);
        if (type.bits === 64) this.#put(random.pick(F32), Role.float);
        return;
      case 'string':
        return this.#bytes(random.pick(TEXTS), Role.text);
      case 'enum':
        return this.#put(random.pick(numbersOf(type.name)), Role.enum);
      case 'object':
        return this.#put(this.#idOf(mask(type.interfaces)), Role.id);
      case 'bytes':
        return this.#data();
      case 'dictionary':
      case 'shape':
        return this.#dictionary(type.name);
      case 'sequence':
      case 'frozenArray':
        return this.#sequence(type.element);
      case 'record':
        return this.#record(type.value);
      case 'nullable':
        return this.#nullable(type.inner);
      case 'union': {
        const index = random.below(type.members.length);
        this.#put(index, Role.tag);
        return this.#value(type.members[index]!);
      }
      default:
        throw new Error(`no value of a ${type.kind}`);
    }
  }

  #bytes(bytes: Uint8Array, role: number): void {
    this.#put(bytes.byteLength, Role.length);
    for (let i = 0; i < bytes.byteLength; i += 4) {
      this.#put(
        bytes[i]! | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24),
        role,
      );
    }
  }

  #data(): void {
    const isBulk = this.#random.oneIn(4);
    this.#put(isBulk ? 1 : 0, Role.place);
    if (isBulk) this.#put(this.#random.below(64), Role.length);
    else this.#bytes(this.#random.pick(TEXTS), Role.text);
  }

  #dictionary(name: string): void {
    const { fields, bits } = layoutOf(name);
    // All, none, or some.
    const chosen = this.#random.oneIn(4) ? -1 : this.#random.word() & this.#random.word();
    const present = bits === 32 ? chosen : chosen & ((1 << bits) - 1);
    this.#put(present, Role.presence);
    for (const field of fields) if (field.bit === undefined || (present >>> field.bit) & 1) this.#value(field.type);
  }

  #sequence(element: TypeSchema): void {
    const count = this.#random.pick(COUNTS);
    this.#put(count, Role.count);
    for (let left = count; left > 0; left--) this.#value(element);
  }

  #record(type: TypeSchema): void {
    const value = type.kind === 'nullable' && type.undefinable ? type.inner : type;
    const count = this.#random.pick(COUNTS);
    this.#put(count, Role.count);
    for (let left = count; left > 0; left--) {
      this.#bytes(this.#random.pick(TEXTS), Role.text);
      this.#value(value);
    }
  }

  #nullable(inner: TypeSchema): void {
    const isNull = this.#random.oneIn(3);
    if (inner.kind === 'object') return this.#put(isNull ? 0 : this.#idOf(mask(inner.interfaces)), Role.id);
    this.#put(isNull ? 0 : 1, Role.boolean);
    if (!isNull) this.#value(inner);
  }
}

const ENCODERS = maskOf([
  'GPUCommandEncoder',
  'GPUComputePassEncoder',
  'GPURenderPassEncoder',
  'GPURenderBundleEncoder',
]);
