import { policyEnums, policyFlags, type PolicyType } from '@vesper-gpu/protocol/host';
import { policyPaths, type PolicyPath } from './catalog.ts';
import type { JsonValue } from './json-text.ts';
import type { Constraint } from './policy.ts';
import { didYouMean } from './suggest.ts';
import { shown, type ValueReader } from './values.ts';

/** What a path of `where` leads to. */
type Constrained = Extract<PolicyPath, { kind: 'command' | 'field' }>;

/** Reads a member of `where`, and says where it does not fit what the IDL says of that path. */
export function readConstraint(
  values: ValueReader,
  json: JsonValue,
  path: string,
  key: string,
): Constraint | undefined {
  const target = policyPaths.get(key);
  if (target?.kind !== 'command' && target?.kind !== 'field') {
    const known = [...policyPaths.values()].filter(({ kind }) => kind === 'command' || kind === 'field');
    const remedy = didYouMean(
      key,
      known.map((one) => one.path),
      'Name a field (GPUBufferDescriptor.size), an argument (GPUQueue.submit.commandBuffers) or a command.',
    );
    values.problems.add(path, target === undefined ? 'there is no such path' : 'it has no value to constrain', remedy);
    return undefined;
  }
  return new ConstraintReader(values, target).read(json, path);
}

class ConstraintReader {
  readonly #values: ValueReader;
  readonly #target: Constrained;
  /** The types that a value, or an element of it, may be of; none for a command. */
  readonly #leaves: readonly PolicyType[];

  constructor(values: ValueReader, target: Constrained) {
    this.#values = values;
    this.#target = target;
    this.#leaves = target.kind === 'field' ? leavesOf(target.field.type) : [];
  }

  read(json: JsonValue, path: string): Constraint | undefined {
    const values = this.#values;
    const number = (value: JsonValue, at: string) => this.#fits('number', at, 'number') && values.number(value, at);
    const result = values.object<Constraint>(json, path, {
      min: number,
      max: number,
      oneOf: (value, at) => values.list(value, at, (one, place) => this.#member(one, place, false)),
      noneOf: (value, at) => values.list(value, at, (one, place) => this.#member(one, place, true)),
      within: (value, at) =>
        this.#fits('flags', at, 'flags') && values.list(value, at, (one, place) => this.#bit(one, place)),
      productMax: (value, at) => this.#hasProduct(at) && values.amount(value, at),
      lengthMax: (value, at) => this.#hasLength(at) && values.amount(value, at),
      absent: (value, at) => this.#absent(value, at),
    });
    if (result?.min !== undefined && result.max !== undefined && result.min > result.max) {
      values.problems.add(
        path,
        `min ${result.min} is above max ${result.max}`,
        'Nothing would be allowed: exchange them.',
      );
    }
    return result;
  }

  #has(kind: PolicyType['kind']): boolean {
    return this.#leaves.some((leaf) => leaf.kind === kind);
  }

  #fits(kind: PolicyType['kind'], path: string, noun: string): true | undefined {
    return this.#has(kind) ? true : this.#misfit(path, `it is no ${noun}`);
  }

  #misfit(path: string, why: string): undefined {
    const target = this.#target;
    const is = target.kind === 'command' ? 'a command' : typeName(target.field.type);
    const remedy = `${target.path} is ${is}; it takes ${this.#fitting().join(', ')}.`;
    this.#values.problems.add(path, `this does not fit ${target.path}: ${why}`, remedy);
    return undefined;
  }

  /** The keys that would fit. */
  #fitting(): string[] {
    const target = this.#target;
    const names: string[] = [];
    if (this.#has('number')) names.push('min', 'max');
    if (this.#hasValues()) names.push('oneOf');
    if (this.#hasValues() || this.#has('flags')) names.push('noneOf');
    if (this.#has('flags')) names.push('within');
    if (productOf(target)) names.push('productMax');
    if (target.kind === 'field' && lengthOf(target.field.type)) names.push('lengthMax');
    return target.kind === 'field' ? [...names, 'absent'] : names.length > 0 ? names : ['no constraint'];
  }

  #hasValues(): boolean {
    return this.#has('enum') || this.#has('string') || this.#has('number');
  }

  /** A member of `oneOf` or `noneOf`. */
  #member(json: JsonValue, path: string, isNoneOf: boolean): string | number | undefined {
    if (isNoneOf && this.#has('flags')) return this.#bit(json, path);
    if (!this.#hasValues()) return this.#misfit(path, this.#has('flags') ? 'flags are sets' : 'it has no such values');
    if (typeof json === 'number') return this.#has('number') ? json : this.#misfit(path, 'it is no number');
    if (typeof json !== 'string') return this.#misfit(path, `${shown(json)} is neither a string nor a number`);
    if (this.#has('string')) return json;
    const known = this.#leaves.flatMap((leaf) =>
      leaf.kind === 'enum' ? Object.keys(policyEnums[leaf.name] ?? {}) : [],
    );
    if (known.length > 0) return this.#values.name(json, path, known);
    return this.#values.number(json, path);
  }

  #bit(json: JsonValue, path: string): string | undefined {
    const known = this.#leaves.flatMap((leaf) =>
      leaf.kind === 'flags' ? Object.keys(policyFlags[leaf.name] ?? {}) : [],
    );
    return this.#values.name(json, path, known);
  }

  #hasProduct(path: string): true | undefined {
    return productOf(this.#target) ? true : this.#misfit(path, 'there are no numbers to multiply');
  }

  #hasLength(path: string): true | undefined {
    const target = this.#target;
    return target.kind === 'field' && lengthOf(target.field.type) ? true : this.#misfit(path, 'it has no length');
  }

  #absent(json: JsonValue, path: string): true | undefined {
    if (this.#target.kind === 'command') return this.#misfit(path, 'a command is denied by not allowing it');
    if (json === true) return true;
    this.#values.problems.add(path, `${shown(json)} is not true`, 'Write true, or leave the key out.');
    return undefined;
  }
}

/** What a value or, in a sequence or record, an element is. */
function leavesOf(type: PolicyType): PolicyType[] {
  if (type.kind === 'sequence' || type.kind === 'record') return leavesOf(type.element);
  if (type.kind === 'union') return type.members.flatMap(leavesOf);
  return [type];
}

/** Whether it holds numbers side by side: arguments, the members of a dictionary, the elements of a sequence. */
function productOf(target: Constrained): boolean {
  if (target.kind === 'command') return target.command.fields.some(({ type }) => type.kind === 'number');
  const { type } = target.field;
  if (type.kind === 'sequence') return type.element.kind === 'number';
  return (
    type.kind === 'dictionary' &&
    [...policyPaths.values()].some(
      (one) => one.kind === 'field' && one.path.startsWith(`${type.name}.`) && one.field.type.kind === 'number',
    )
  );
}

function lengthOf(type: PolicyType): boolean {
  return type.kind === 'sequence' || type.kind === 'record' || type.kind === 'string' || type.kind === 'bytes';
}

/** A type in words. */
export function typeName(type: PolicyType): string {
  switch (type.kind) {
    case 'sequence':
    case 'record':
      return `a ${type.kind} whose elements are each ${typeName(type.element)}`;
    case 'union':
      return type.members.map(typeName).join(' or ');
    case 'enum':
    case 'object':
      return type.kind === 'enum' ? `a ${type.name}` : 'an object';
    case 'flags':
      return `flags of ${type.name}`;
    case 'bytes':
      return 'bytes';
    case 'dictionary':
      return `a ${type.name}`;
    default:
      return `a ${type.kind}`;
  }
}
