import type { FieldSchema, TypeSchema, WireSchema } from '../schema/schema.ts';

type Json = Record<string, unknown>;

/** A number of bytes or a limit. */
const SIZE: Json = { anyOf: [{ type: 'number' }, { type: 'string', pattern: '^\\d+(\\.\\d+)?(KiB|MiB|GiB|TiB)$' }] };
const COUNT: Json = { type: 'number' };

const WGSL = { maxBytes: SIZE, maxFunctions: COUNT, maxExpandedCalls: COUNT, compileMs: COUNT };
const BUDGET = {
  gpuMemory: SIZE,
  processMemory: SIZE,
  objects: COUNT,
  inflightSubmits: COUNT,
  gpuMsPerSec: COUNT,
  gpuMsTotal: COUNT,
  hangMs: COUNT,
  bytesPerSec: SIZE,
  commandsPerSec: COUNT,
  bytes: SIZE,
  commands: COUNT,
  wallMs: COUNT,
};

/**
 * `vesper.policy.schema.json`: the JSON Schema of policy files, with every name that one can have, by which editors
 * complete them. What it cannot say, the reader in the host checks.
 */
export function policySchema(schema: WireSchema): object {
  return new PolicySchema(schema).build();
}

class PolicySchema {
  readonly #schema: WireSchema;
  readonly #definitions: Record<string, Json> = {};

  constructor(schema: WireSchema) {
    this.#schema = schema;
  }

  build(): object {
    const commands = this.#schema.commands.filter((command) => command.class !== 'runtime');
    const dictionaries = this.#schema.dictionaries.filter((one) => one.fromGuest);
    const where: Record<string, Json> = {};
    const values = this.#schema.enums.flatMap((one) => one.values.map((value) => `${one.name}.${value.name}`));
    for (const command of commands) {
      const keys: Record<string, Json> = command.fields.some(({ type }) => isNumber(type)) ? { productMax: SIZE } : {};
      where[command.name] = object(keys);
      for (const field of command.fields) where[`${command.name}.${field.name}`] = this.#constraint(field);
    }
    for (const one of dictionaries) {
      for (const field of one.fields) where[`${one.name}.${field.name}`] = this.#constraint(field);
    }
    const interfaces = new Set(commands.map((command) => command.name.slice(0, command.name.indexOf('.'))));
    const paths = [...this.#groups(), ...interfaces, ...Object.keys(where), ...values];
    this.#definitions['path'] = { enum: paths };
    this.#definitions['role'] = this.#role(where);
    return {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'Vesper policy file',
      ...object(
        {
          $schema: { type: 'string' },
          vesperPolicy: { const: 1 },
          schemaRevision: {
            description: 'What is newer than this revision of the schema is denied unless it is named.',
            enum: Array.from({ length: this.#schema.revision }, (_, i) => i + 1),
          },
          roles: { type: 'object', properties: {}, required: [], additionalProperties: { $ref: '#/$defs/role' } },
        },
        ['vesperPolicy', 'roles'],
      ),
      $defs: this.#definitions,
    };
  }

  #groups(): string[] {
    const members = this.#schema.interfaces.flatMap((one) => one.members.map((member) => member.group));
    return [...new Set([...this.#schema.commands.map((command) => command.group), ...members])].map(
      (name) => `@${name}`,
    );
  }

  #role(where: Record<string, Json>): Json {
    const limits = this.#schema.interfaces.find((one) => one.name === 'GPUSupportedLimits')?.members ?? [];
    const sha256 = list({ type: 'string', pattern: '^[0-9a-f]{64}$' });
    return object({
      extends: { type: 'string' },
      allow: list({ $ref: '#/$defs/path' }),
      features: list(this.#values('GPUFeatureName')),
      limits: object(Object.fromEntries(limits.map(({ name }) => [name, SIZE]))),
      where: object(where),
      wgsl: object({ ...WGSL, sha256 }),
      budget: object(BUDGET),
      adapterInfo: { enum: ['full', 'bucketed', 'redacted', 'deny'] },
      timestamps: {
        anyOf: [{ enum: ['full', 'quantised', 'deny'] }, object({ quantumUs: COUNT }, ['quantumUs'])],
      },
      forceFallbackAdapter: { type: 'boolean' },
    });
  }

  /** The constraints that fit a field; one definition for all fields of a type. */
  #constraint({ type }: FieldSchema): Json {
    const keys: Record<string, Json> = {};
    const outer = withoutNull(type);
    for (const leaf of leavesOf(outer)) this.#leaf(leaf, keys);
    if (hasProduct(outer, this.#schema)) keys['productMax'] = SIZE;
    if (['sequence', 'frozenArray', 'record', 'string', 'bytes'].includes(outer.kind)) keys['lengthMax'] = SIZE;
    keys['absent'] = { const: true };
    const name = `constraint of ${describe(outer)}`.replaceAll(' ', '-');
    this.#definitions[name] ??= object(keys);
    return { $ref: `#/$defs/${name}` };
  }

  #leaf(leaf: TypeSchema, keys: Record<string, Json>): void {
    const flags = leaf.kind === 'integer' ? leaf.flags : undefined;
    if (flags !== undefined) {
      const namespace = this.#schema.namespaces.find((one) => one.name === flags);
      const bits = list({ enum: namespace?.constants.map(({ name }) => name) ?? [] });
      keys['noneOf'] = bits;
      keys['within'] = bits;
    } else if (isNumber(leaf)) {
      Object.assign(keys, { min: SIZE, max: SIZE, oneOf: list(SIZE), noneOf: list(SIZE) });
    } else if (leaf.kind === 'enum' || leaf.kind === 'string') {
      const value = leaf.kind === 'enum' ? this.#values(leaf.name) : { type: 'string' };
      Object.assign(keys, { oneOf: list(value), noneOf: list(value) });
    }
  }

  #values(enumeration: string): Json {
    const values = this.#schema.enums.find((one) => one.name === enumeration)?.values ?? [];
    this.#definitions[enumeration] ??= { enum: values.map(({ name }) => name) };
    return { $ref: `#/$defs/${enumeration}` };
  }
}

function object(properties: Record<string, Json>, required: readonly string[] = []): Json {
  return { type: 'object', properties, required, additionalProperties: false };
}

function list(items: Json): Json {
  return { type: 'array', items };
}

function isNumber(type: TypeSchema): boolean {
  return type.kind === 'float' || (type.kind === 'integer' && type.flags === undefined);
}

function withoutNull(type: TypeSchema): TypeSchema {
  return type.kind === 'nullable' ? withoutNull(type.inner) : type;
}

function elementOf(type: TypeSchema): TypeSchema | undefined {
  if (type.kind === 'sequence' || type.kind === 'frozenArray') return withoutNull(type.element);
  return type.kind === 'record' ? withoutNull(type.value) : undefined;
}

/** What a value or, in a sequence or record, an element is. */
function leavesOf(type: TypeSchema): TypeSchema[] {
  const element = elementOf(type);
  if (element !== undefined) return leavesOf(element);
  return type.kind === 'union' ? type.members.flatMap((member) => leavesOf(withoutNull(member))) : [type];
}

/** Whether it holds numbers side by side. */
function hasProduct(type: TypeSchema, schema: WireSchema): boolean {
  if (type.kind === 'sequence' || type.kind === 'frozenArray') return isNumber(withoutNull(type.element));
  if (type.kind !== 'dictionary' && type.kind !== 'shape') return false;
  const dictionary = schema.dictionaries.find((one) => one.name === type.name);
  return dictionary?.fields.some((field) => isNumber(withoutNull(field.type))) ?? false;
}

/** A type's name among the definitions. */
function describe(type: TypeSchema): string {
  const element = elementOf(type);
  if (element !== undefined) return `${type.kind} of ${describe(element)}`;
  switch (type.kind) {
    case 'integer':
      return type.flags ?? 'number';
    case 'float':
      return 'number';
    case 'enum':
      return type.name;
    case 'dictionary':
    case 'shape':
      return type.name;
    case 'union':
      return type.members.map((member) => describe(withoutNull(member))).join(' or ');
    default:
      return type.kind;
  }
}
