import { GenerateError } from '../errors.ts';
import type {
  IdlArgument,
  IdlDefinition,
  IdlDictionary,
  IdlEnum,
  IdlInterface,
  IdlLiteral,
  IdlMember,
  IdlNamespace,
  IdlType,
  IdlTypedef,
} from '../parse/idl.ts';
import type { ArgumentSchema, LiteralSchema, TypeSchema } from '../schema/schema.ts';

/** Interfaces of other specifications that WebGPU's IDL names; they are types of the platform. */
const EXTERNAL = new Set([
  'EventHandler',
  'EventTarget',
  'Event',
  'EventInit',
  'DOMException',
  'PredefinedColorSpace',
  'Navigator',
  'WorkerNavigator',
  'HTMLVideoElement',
  'VideoFrame',
  'ImageBitmap',
  'ImageData',
  'HTMLImageElement',
  'HTMLCanvasElement',
  'OffscreenCanvas',
]);

const INTEGERS: Record<string, { bits: 16 | 32 | 64; signed: boolean }> = {
  'unsigned short': { bits: 16, signed: false },
  'unsigned long': { bits: 32, signed: false },
  long: { bits: 32, signed: true },
  'unsigned long long': { bits: 64, signed: false },
};

export interface ResolvedMember {
  name: string;
  kind: 'attribute' | 'operation' | 'constructor' | 'setlike';
  declaredBy: string;
  readonly: boolean;
  sameObject: boolean;
  type: TypeSchema;
  overloads: ArgumentSchema[][];
}

export interface ResolvedInterface {
  name: string;
  isMixin: boolean;
  inherits?: string;
  serializable: boolean;
  /** Members that it declares itself, partials included, overloads merged. */
  own: ResolvedMember[];
  mixins: string[];
  file: string;
}

export interface ResolvedField {
  name: string;
  type: TypeSchema;
  required: boolean;
  default?: LiteralSchema;
}

export interface ResolvedDictionary {
  name: string;
  inherits?: string;
  /** Inherited fields first, in declaration order. */
  fields: ResolvedField[];
  conversionOrder: string[];
  file: string;
}

/** The IDL with partials and mixins merged, typedefs replaced and inheritance flattened. */
export interface ResolvedIdl {
  interfaces: ResolvedInterface[];
  dictionaries: ResolvedDictionary[];
  enums: IdlEnum[];
  namespaces: IdlNamespace[];
}

/** @throws GenerateError for a name that nothing declares. */
export function resolveIdl(definitions: readonly IdlDefinition[]): ResolvedIdl {
  return new Resolver(definitions).resolve();
}

class Resolver {
  readonly #interfaces = new Map<string, IdlInterface>();
  readonly #dictionaries = new Map<string, IdlDictionary>();
  readonly #enums = new Map<string, IdlEnum>();
  readonly #typedefs = new Map<string, IdlTypedef>();
  readonly #namespaces: IdlNamespace[] = [];
  readonly #includes: { target: string; mixin: string; file: string }[] = [];
  /** Files by declared name: two declarations of different kinds cannot share one either. */
  readonly #declared = new Map<string, string>();
  /** Typedefs that are being replaced: one that comes up again would never end. */
  readonly #expanding = new Set<string>();

  constructor(definitions: readonly IdlDefinition[]) {
    const partials: (IdlInterface | IdlDictionary)[] = [];
    for (const definition of definitions) {
      if ('partial' in definition && definition.partial) partials.push(definition);
      else if (definition.kind === 'interface' || definition.kind === 'mixin')
        this.#declare(this.#interfaces, definition);
      else if (definition.kind === 'dictionary') this.#declare(this.#dictionaries, definition);
      else if (definition.kind === 'enum') this.#declare(this.#enums, definition);
      else if (definition.kind === 'typedef') this.#declare(this.#typedefs, definition);
      else if (definition.kind === 'namespace') {
        this.#claim(definition);
        this.#namespaces.push(definition);
      } else if (definition.kind === 'includes') this.#includes.push(definition);
    }
    for (const partial of partials) this.#merge(partial);
  }

  #declare<T extends { name: string; file: string }>(table: Map<string, T>, definition: T): void {
    this.#claim(definition);
    table.set(definition.name, definition);
  }

  #claim(definition: { name: string; file: string }): void {
    const earlier = this.#declared.get(definition.name);
    if (earlier !== undefined) {
      throw new GenerateError(
        `${definition.file}: ${definition.name} is declared twice (first in ${earlier}); remove one, or make it partial.`,
      );
    }
    this.#declared.set(definition.name, definition.file);
  }

  #merge(partial: IdlInterface | IdlDictionary): void {
    const table: Map<string, IdlInterface | IdlDictionary> =
      partial.kind === 'dictionary' ? this.#dictionaries : this.#interfaces;
    const whole = table.get(partial.name);
    if (!whole)
      throw new GenerateError(
        `${partial.file}: partial ${partial.kind} ${partial.name} has nothing to add to; declare ${partial.name}.`,
      );
    if (whole.kind === 'dictionary' && partial.kind === 'dictionary') {
      table.set(whole.name, { ...whole, fields: [...whole.fields, ...partial.fields] });
    } else if (whole.kind !== 'dictionary' && partial.kind !== 'dictionary') {
      table.set(whole.name, { ...whole, members: [...whole.members, ...partial.members] });
    }
  }

  resolve(): ResolvedIdl {
    for (const { target, mixin, file } of this.#includes) {
      if (!EXTERNAL.has(target) && this.#interfaces.get(target)?.kind !== 'interface')
        throw new GenerateError(
          `${file}: ${target} includes ${mixin}, but no interface ${target} is declared; declare it, or remove the line.`,
        );
    }
    return {
      interfaces: [...this.#interfaces.values()].map((one) => this.#interface(one)),
      dictionaries: [...this.#dictionaries.values()].map((one) => this.#dictionary(one)),
      enums: [...this.#enums.values()],
      namespaces: this.#namespaces,
    };
  }

  #interface(one: IdlInterface): ResolvedInterface {
    const own: ResolvedMember[] = [];
    for (const idl of one.members) {
      const member = this.#member(idl, one);
      const other = own.find((earlier) => earlier.name === member.name);
      if (!other) own.push(member);
      else if (other.kind === 'operation' && member.kind === 'operation') other.overloads.push(...member.overloads);
      else throw new GenerateError(`${one.file}: ${one.name}.${member.name} is declared twice; remove one.`);
    }
    if (one.inherits && !EXTERNAL.has(one.inherits) && !this.#interfaces.has(one.inherits))
      throw new GenerateError(`${one.file}: ${one.name} inherits ${one.inherits}, which is not declared; declare it.`);
    const mixins = this.#includes.filter((includes) => includes.target === one.name).map((includes) => includes.mixin);
    for (const mixin of mixins) {
      if (this.#interfaces.get(mixin)?.kind !== 'mixin')
        throw new GenerateError(
          `${one.file}: ${one.name} includes ${mixin}, which is no mixin; declare interface mixin ${mixin}, or remove the line.`,
        );
    }
    return {
      name: one.name,
      isMixin: one.kind === 'mixin',
      ...(one.inherits ? { inherits: one.inherits } : {}),
      serializable: one.serializable,
      own,
      mixins,
      file: one.file,
    };
  }

  #member(idl: IdlMember, owner: IdlInterface): ResolvedMember {
    const place = `${owner.file}: ${owner.name}.${idl.name}`;
    const base = { name: idl.name, kind: idl.kind, declaredBy: owner.name, readonly: true, sameObject: false };
    switch (idl.kind) {
      case 'attribute':
        return {
          ...base,
          readonly: idl.readonly,
          sameObject: idl.sameObject,
          type: this.#type(idl.type, place),
          overloads: [],
        };
      case 'operation':
        return { ...base, type: this.#type(idl.returns, place), overloads: [this.#arguments(idl.arguments, place)] };
      case 'constructor':
        return { ...base, type: { kind: 'undefined' }, overloads: [this.#arguments(idl.arguments, place)] };
      case 'setlike':
        return { ...base, type: this.#type(idl.element, place), overloads: [] };
    }
  }

  #arguments(list: readonly IdlArgument[], place: string): ArgumentSchema[] {
    return list.map((argument) => ({
      name: argument.name,
      type: this.#type(argument.type, `${place}(${argument.name})`),
      optional: argument.optional,
      ...literal(argument.default),
    }));
  }

  #dictionary(one: IdlDictionary): ResolvedDictionary {
    const chain: IdlDictionary[] = [];
    for (let next: IdlDictionary | undefined = one; next;) {
      chain.unshift(next);
      const parent: string | undefined = next.inherits;
      if (!parent || EXTERNAL.has(parent)) break;
      next = this.#dictionaries.get(parent);
      if (!next)
        throw new GenerateError(`${one.file}: ${one.name} inherits ${parent}, which is not declared; declare it.`);
      if (chain.includes(next))
        throw new GenerateError(`${one.file}: ${one.name} inherits itself; remove one of the inheritances.`);
    }
    const fields = chain.flatMap((dictionary) =>
      dictionary.fields.map((field) => ({
        name: field.name,
        type: this.#type(field.type, `${dictionary.file}: ${dictionary.name}.${field.name}`),
        required: field.required,
        ...literal(field.default),
      })),
    );
    const twice = fields.find((field, index) => fields.findIndex((other) => other.name === field.name) !== index);
    if (twice) throw new GenerateError(`${one.file}: ${one.name}.${twice.name} is declared twice; remove one.`);
    return {
      name: one.name,
      ...(one.inherits ? { inherits: one.inherits } : {}),
      fields,
      // Web IDL reads the dictionaries from the least derived one, each one's members in lexicographical order.
      conversionOrder: chain.flatMap((dictionary) => dictionary.fields.map((field) => field.name).toSorted()),
      file: one.file,
    };
  }

  #type(idl: IdlType, place: string): TypeSchema {
    const inner = this.#bareType(idl, place);
    return idl.nullable ? { kind: 'nullable', inner, undefinable: false } : inner;
  }

  #bareType(idl: IdlType, place: string): TypeSchema {
    if (idl.kind === 'union') return this.#union(idl.members, place);
    if (idl.kind === 'generic') {
      const [first, second] = idl.arguments.map((argument) => this.#type(argument, place));
      switch (idl.name) {
        case 'sequence':
          return { kind: 'sequence', element: first! };
        case 'FrozenArray':
          return { kind: 'frozenArray', element: first! };
        case 'Promise':
          return { kind: 'promise', inner: first! };
        case 'record':
          return { kind: 'record', value: second!, scalarValueKeys: first!.kind === 'string' && first!.scalarValues };
      }
    }
    return this.#named(idl.name, idl.attributes, place);
  }

  #named(name: string, attributes: { enforceRange?: true; clamp?: true }, place: string): TypeSchema {
    const integer = INTEGERS[name];
    if (integer) {
      const conversion = attributes.enforceRange ? 'enforceRange' : attributes.clamp ? 'clamp' : 'modulo';
      return { kind: 'integer', ...integer, conversion };
    }
    switch (name) {
      case 'undefined':
        return { kind: 'undefined' };
      case 'boolean':
        return { kind: 'boolean' };
      case 'float':
        return { kind: 'float', bits: 32 };
      case 'double':
        return { kind: 'float', bits: 64 };
      case 'DOMString':
      case 'USVString':
        return { kind: 'string', scalarValues: name === 'USVString' };
      case 'ArrayBuffer':
      case 'Uint32Array':
      case 'AllowSharedBufferSource':
        return { kind: 'bytes', type: name };
    }
    const typedef = this.#typedefs.get(name);
    if (typedef) {
      if (this.#expanding.has(name))
        throw new GenerateError(`${typedef.file}: the typedef ${name} stands for itself; give it a type.`);
      this.#expanding.add(name);
      const type = this.#type(typedef.type, place);
      this.#expanding.delete(name);
      // WebGPU names the type of a set of bits after their namespace: GPUBufferUsageFlags, GPUBufferUsage.
      const flags = /^(.+)Flags$/.exec(name)?.[1];
      const isSet =
        type.kind === 'integer' && flags !== undefined && this.#namespaces.some((one) => one.name === flags);
      return isSet ? { ...type, flags } : type;
    }
    if (this.#enums.has(name)) return { kind: 'enum', name };
    if (this.#dictionaries.has(name)) return { kind: 'dictionary', name };
    if (this.#interfaces.has(name)) return { kind: 'object', interfaces: [name] };
    if (EXTERNAL.has(name)) return { kind: 'external', name };
    throw new GenerateError(
      `${place}: type ${name} is not declared; declare it, or add it to the external types in packages/codegen/src/resolve.`,
    );
  }

  /** Interfaces come together in one object type; a sequence beside a dictionary of its values is a shape. */
  #union(members: readonly IdlType[], place: string): TypeSchema {
    const types = members.map((member) => this.#type(member, place));
    const defined = types.filter((type) => type.kind !== 'undefined');
    const objects = defined.flatMap((type) => (type.kind === 'object' ? type.interfaces : []));
    const others = defined.filter((type) => type.kind !== 'object');
    const merged: TypeSchema[] = objects.length > 0 ? [{ kind: 'object', interfaces: objects }, ...others] : others;
    const [first, second] = merged;
    let result: TypeSchema;
    if (merged.length === 1) result = first!;
    else if (merged.length === 2 && first!.kind === 'sequence' && second!.kind === 'dictionary') {
      result = { kind: 'shape', name: second!.name };
    } else result = { kind: 'union', members: merged };
    return defined.length < types.length ? { kind: 'nullable', inner: result, undefinable: true } : result;
  }
}

function literal(value: IdlLiteral | undefined): { default?: LiteralSchema } {
  if (value === undefined) return {};
  if (value.kind === 'sequence') return { default: 'empty-sequence' };
  if (value.kind === 'dictionary') return { default: 'empty-dictionary' };
  return { default: value.value };
}
