import { constantName, memberName, prefixParameters, typeName } from '../../packages/codegen/src/emit/c-names.ts';
import type { CTypes } from '../../packages/codegen/src/emit/c-types.ts';
import { plain } from '../../packages/codegen/src/emit/encode.ts';
import type { CommandSchema, FieldSchema, TypeSchema, WireSchema } from '../../packages/codegen/src/schema/schema.ts';
import type { Random } from './random.ts';

/** One value twice: as the TypeScript encoders take it, and as an expression of C. */
export interface Sample {
  value: unknown;
  c: string;
}

/** What `bytes` and long strings are taken from; the C program makes the same. */
export const PATTERN_BYTES = (3 << 20) + 64;

export function pattern(): Uint8Array {
  return Uint8Array.from({ length: PATTERN_BYTES }, (_, i) => (Math.imul(i, 31) + (i >>> 8)) & 0xff);
}

const TEXTS = [
  '',
  'a',
  'main',
  'vertex shader',
  'Grüße',
  '日本語',
  '🦀 and 👩‍🚀',
  'quote " \\ ? \n\t\0 end',
  'x'.repeat(63),
  'é'.repeat(70),
];
const U32 = [0, 1, 2, 255, 4096, 0x7fffffff, 0x80000000, 0xffffffff];
const U64 = [0, 1, 65536, 0xffffffff, 0x1_0000_0000, 2 ** 40 + 3, Number.MAX_SAFE_INTEGER];
const F64 = [0, -0, 1, -1.5, 0.1, 1e300, 5e-324, Infinity, -Infinity, NaN];
const F32 = [0, -0, 1, -1.5, 0.25, 32, 3.4028234663852886e38, Infinity, NaN].map(Math.fround);

/** Makes samples of the types of a schema. */
export class Sampler {
  readonly #schema: WireSchema;
  readonly #types: CTypes;
  readonly #random: Random;
  readonly #pattern: Uint8Array;

  constructor(schema: WireSchema, types: CTypes, random: Random, patternBytes: Uint8Array) {
    this.#schema = schema;
    this.#types = types;
    this.#random = random;
    this.#pattern = patternBytes;
  }

  /** Arguments of a command's encoders, without the writer. */
  command(command: CommandSchema): { values: unknown[]; c: string[] } {
    const prefix = prefixParameters(command).map(() => this.#random.u32());
    const values: unknown[] = [...prefix];
    const c = prefix.map((word) => `UINT32_C(${word})`);
    for (const field of command.fields) {
      const sample = this.#argument(field);
      values.push(sample.value);
      c.push(sample.c);
    }
    return { values, c: c.map((text) => text.replaceAll(SEPARATOR, ', ')) };
  }

  #argument(field: FieldSchema): Sample {
    const { type } = field;
    const isPointer = type.kind === 'dictionary' || type.kind === 'shape' || type.kind === 'union';
    const isFlagged = !field.required && field.default === undefined && !isPointer;
    const isAbsent = !field.required && this.#random.chance(2);
    if (isAbsent && (isPointer || isFlagged)) {
      return { value: undefined, c: isPointer ? 'NULL' : `false, ${this.#flat(this.sample(type)).join(', ')}` };
    }
    const given = isAbsent ? this.#default(field) : this.sample(type);
    if (isPointer) return { value: given.value, c: `&${given.c}` };
    return { value: given.value, c: [...(isFlagged ? ['true'] : []), ...this.#flat(given)].join(', ') };
  }

  /** A sequence is two arguments; its sample says both, separated by this. */
  #flat(sample: Sample): string[] {
    return sample.c.split(SEPARATOR);
  }

  sample(type: TypeSchema): Sample {
    const random = this.#random;
    switch (type.kind) {
      case 'boolean': {
        const value = random.chance(2);
        return { value, c: String(value) };
      }
      case 'integer':
        return this.#integer(type);
      case 'float':
        return type.bits === 32 ? f32(random.pick(F32)) : f64(random.pick(F64));
      case 'string':
        return string(random.pick(TEXTS));
      case 'enum': {
        const one = this.#schema.enums.find((other) => other.name === type.name)!;
        return this.#enum(type.name, random.pick(one.values).name);
      }
      case 'dictionary':
      case 'shape':
        return this.#dictionary(type.name);
      case 'object': {
        const id = random.u32();
        return { value: id, c: `UINT32_C(${id})` };
      }
      case 'bytes':
        return this.bytes(random.below(40), random.chance(12) ? (1 << 20) + random.below(9) : random.below(20));
      case 'sequence':
      case 'frozenArray':
        return this.sequence(type.element, random.pick([0, 1, 2, 3]));
      case 'record':
        return this.#record(plain(type.value));
      case 'nullable':
        return this.#nullable(type);
      case 'union': {
        const member = random.pick(type.members);
        const inner = this.sample(member);
        const name = this.#types.memberOf(member);
        return {
          value: inner.value,
          c: `(${this.#types.name(type)}){ .kind = ${this.#types.tag(type, member)}, .as.${name} = ${inner.c} }`,
        };
      }
      default:
        throw new Error(`no sample of a ${type.kind}`);
    }
  }

  #integer(type: Extract<TypeSchema, { kind: 'integer' }>): Sample {
    const random = this.#random;
    if (type.bits === 64) {
      const value = random.pick(U64);
      return { value, c: `UINT64_C(${value})` };
    }
    const bits = random.chance(2) ? random.pick(U32) : random.u32();
    if (type.bits === 16) return { value: bits & 0xffff, c: `(uint16_t)${bits & 0xffff}` };
    if (type.signed) return { value: bits | 0, c: `(int32_t)UINT32_C(${bits})` };
    return { value: bits, c: `UINT32_C(${bits})` };
  }

  #enum(name: string, value: string): Sample {
    return { value, c: constantName(name, value === '' ? 'empty' : value) };
  }

  bytes(offset: number, size: number): Sample {
    return {
      value: this.#pattern.subarray(offset, offset + size),
      c: `(vesper_bytes){ pattern + ${offset}, ${size} }`,
    };
  }

  sequence(element: TypeSchema, length: number): Sample {
    const items = Array.from({ length }, () => this.sample(element));
    return list(
      this.#types.name(element),
      items.map((item) => item.value),
      items.map((item) => item.c),
    );
  }

  #record(value: TypeSchema): Sample {
    const items = Array.from({ length: this.#random.below(3) }, () => {
      const key = string(this.#random.pick(TEXTS));
      return { key, inner: this.sample(value) };
    });
    const entry = this.#types.elementOf({ kind: 'record', value, scalarValueKeys: true })!;
    return list(
      entry,
      items.map(({ key, inner }) => [key.value, inner.value]),
      items.map(({ key, inner }) => `{ ${key.c}, ${inner.c} }`),
    );
  }

  #nullable(type: Extract<TypeSchema, { kind: 'nullable' }>): Sample {
    const isNull = this.#random.chance(3);
    if (type.inner.kind === 'object') return isNull ? { value: null, c: '0' } : this.sample(type.inner);
    const name = this.#types.name(type);
    if (isNull) return { value: null, c: `(${name}){ .has_value = false }` };
    const inner = this.sample(type.inner);
    return { value: inner.value, c: `(${name}){ .has_value = true, .value = ${inner.c} }` };
  }

  #dictionary(name: string): Sample {
    const one = this.#schema.dictionaries.find((other) => other.name === name)!;
    const value: Record<string, unknown> = {};
    const parts: string[] = [];
    for (const field of one.fields) {
      // Absent, given as what it is anyway, or given as something else.
      const way = field.required ? 2 : this.#random.below(3);
      const fallback = this.#default(field);
      const given = way === 2 ? this.sample(field.type) : fallback;
      value[field.name] = way === 0 ? fallback.value : given.value;
      const member = memberName(field.name);
      const isGiven = way === 2 || (way === 1 && fallback.value !== undefined);
      if (!isGiven) continue;
      if (!field.required) parts.push(`.has_${member} = true`);
      const [first, count] = this.#flat(given);
      parts.push(`.${member} = ${first!}`);
      if (count !== undefined) parts.push(`.${member}_count = ${count}`);
    }
    return { value, c: `(${typeName(name)}){ ${parts.join(', ') || '0'} }` };
  }

  #default(field: FieldSchema): Sample {
    const fallback = field.default;
    if (fallback === undefined || fallback === 'empty-dictionary') return { value: undefined, c: '' };
    if (fallback === 'empty-sequence') return list('', [], []);
    switch (field.type.kind) {
      case 'string':
        return string(String(fallback));
      case 'enum':
        return this.#enum(field.type.name, String(fallback));
      case 'integer':
        return { value: fallback, c: field.type.bits === 64 ? `UINT64_C(${String(fallback)})` : String(fallback) };
      case 'float':
        return field.type.bits === 32 ? f32(Number(fallback)) : f64(Number(fallback));
      default:
        return { value: fallback, c: String(fallback) };
    }
  }
}

const SEPARATOR = '\u0001';

function list(element: string, values: unknown[], c: string[]): Sample {
  const items = c.length === 0 ? 'NULL' : `(const ${element}[]){ ${c.join(', ')} }`;
  return { value: values, c: `${items}${SEPARATOR}${c.length}` };
}

/** Text as a literal: what is no letter or digit as three octal digits, so that none is taken for an escape. */
export function string(value: string): Sample {
  const bytes = Buffer.from(value, 'utf8');
  const text = Array.from(bytes, (byte) =>
    /[A-Za-z0-9 ]/.test(String.fromCharCode(byte))
      ? String.fromCharCode(byte)
      : `\\${byte.toString(8).padStart(3, '0')}`,
  ).join('');
  return { value, c: `(vesper_string){ "${text}", ${bytes.length} }` };
}

function f32(value: number): Sample {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return { value, c: `f32(UINT32_C(${view.getUint32(0)}))` };
}

function f64(value: number): Sample {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return { value, c: `f64(UINT64_C(${view.getBigUint64(0)}))` };
}
