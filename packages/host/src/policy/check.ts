import {
  policyCommands,
  policyDictionaries,
  policyFlags,
  type PolicyField,
  type PolicyType,
} from '@vesper-gpu/protocol/host';
import type { Constraint, Policy } from './policy.ts';
import { Refusal } from './refusal.ts';

/** Looks at the arguments of a command: those of its fields, in order, as the host's handlers get them. */
export type Check = (args: readonly unknown[]) => Refusal | undefined;

/** Looks at one value. Null and undefined were dealt with before. */
type ValueCheck = (value: unknown) => Refusal | undefined;

/**
 * What a policy says of each command, by IDL path: no entry where everything is allowed, so that it costs nothing.
 * A command that the policy does not name has an entry that refuses it.
 */
export function compileChecks(policy: Policy): ReadonlyMap<string, Check> {
  return new Compiler(policy).compile();
}

class Compiler {
  readonly #policy: Policy;
  readonly #allowed: ReadonlySet<string>;
  readonly #denied: ReadonlySet<string>;
  /** The checks of dictionaries that were met, while they are being made too. */
  readonly #dictionaries = new Map<string, ValueCheck | undefined>();

  constructor(policy: Policy) {
    this.#policy = policy;
    this.#allowed = new Set(policy.allow);
    this.#denied = new Set(policy.deny);
  }

  compile(): Map<string, Check> {
    const checks = new Map<string, Check>();
    for (const { name, fields } of policyCommands) {
      const check = this.#allowed.has(name) ? this.#arguments(name, fields) : refuseAll(name);
      if (check !== undefined) checks.set(name, check);
    }
    return checks;
  }

  #arguments(command: string, fields: readonly PolicyField[]): Check | undefined {
    const checks: Check[] = [];
    for (const [i, field] of fields.entries()) {
      const check = this.#field(`${command}.${field.name}`, field);
      if (check !== undefined) checks.push((args) => check(args[i]));
    }
    const { productMax } = this.#policy.where[command] ?? {};
    if (productMax !== undefined) checks.push(productCheck(command, productMax));
    return firstOf(checks);
  }

  /** The check of a field or argument, absent values included. */
  #field(path: string, field: PolicyField): ValueCheck | undefined {
    const { type } = field;
    const checks: ValueCheck[] = [];
    const constraint = this.#policy.where[path];
    if (this.#denied.has(path)) checks.push(absentCheck(path, 'allow', field));
    if (constraint?.absent) checks.push(absentCheck(path, 'where.absent', field));
    if (constraint !== undefined) checks.push(...constraintChecks(path, constraint, type));
    const inner = this.#type(path, type);
    if (inner !== undefined) checks.push(inner);
    const check = firstOf(checks);
    return check && ((value) => (value === undefined || value === null ? undefined : check(value)));
  }

  /** What follows from a value's type alone: fields of dictionaries, and values of enumerations that are denied. */
  #type(path: string, type: PolicyType): ValueCheck | undefined {
    switch (type.kind) {
      case 'dictionary':
        return this.#dictionary(type.name);
      case 'enum': {
        const { name } = type;
        const prefix = `${name}.`;
        if (!this.#policy.deny.some((denied) => denied.startsWith(prefix))) return undefined;
        return (value) =>
          this.#denied.has(prefix + String(value))
            ? new Refusal('validation', path, 'allow', `does not allow "${value}"`, String(value))
            : undefined;
      }
      case 'sequence':
      case 'record': {
        const check = this.#type(path, type.element);
        return check && ((value) => firstRefusal(elementsOf(value), check));
      }
      case 'union': {
        // A member of a union that is a dictionary is told from an object of the backend by its prototype.
        const checks = type.members.flatMap((member) => {
          const check = this.#type(path, member);
          return check === undefined ? [] : [(value: unknown) => (isOf(value, member) ? check(value) : undefined)];
        });
        return firstOf(checks);
      }
      default:
        return undefined;
    }
  }

  #dictionary(name: string): ValueCheck | undefined {
    if (this.#dictionaries.has(name)) return this.#dictionaries.get(name);
    // A dictionary that holds itself is looked at through this, once it is known.
    this.#dictionaries.set(name, (value) => this.#dictionaries.get(name)?.(value));
    const checks: ValueCheck[] = [];
    for (const field of policyDictionaries[name] ?? []) {
      const check = this.#field(`${name}.${field.name}`, field);
      if (check !== undefined) checks.push((value) => check((value as Record<string, unknown>)[field.name]));
    }
    const check = firstOf(checks);
    this.#dictionaries.set(name, check);
    return check;
  }
}

function firstOf<T>(
  checks: readonly ((value: T) => Refusal | undefined)[],
): ((value: T) => Refusal | undefined) | undefined {
  const [first] = checks;
  if (checks.length <= 1) return first;
  return (value) => {
    for (const check of checks) {
      const refusal = check(value);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  };
}

function firstRefusal(values: Iterable<unknown>, check: ValueCheck): Refusal | undefined {
  for (const value of values) {
    const refusal = value === undefined || value === null ? undefined : check(value);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** The elements of a decoded sequence, or the values of a decoded record. */
export function elementsOf(value: unknown): Iterable<unknown> {
  return Symbol.iterator in (value as object) ? (value as Iterable<unknown>) : Object.values(value as object);
}

/** Whether a decoded value can be of a member of a union: which of them it is has been decided when it was decoded. */
export function isOf(value: unknown, { kind }: PolicyType): boolean {
  if (kind === 'dictionary') return typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
  if (kind === 'sequence') return Array.isArray(value) || ArrayBuffer.isView(value);
  if (kind === 'enum' || kind === 'string') return typeof value === 'string';
  return true;
}

function refuseAll(command: string): Check {
  return () => new Refusal('validation', command, 'allow', 'does not allow it');
}

function absentCheck(path: string, rule: string, { default: fallback, isEmptyByDefault }: PolicyField): ValueCheck {
  return (value) => {
    if (value === fallback || (isEmptyByDefault && isEmpty(value as object))) return undefined;
    return new Refusal('validation', path, rule, 'wants it left out');
  };
}

function isEmpty(value: object): boolean {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return lengthOf(value) === 0;
  return Object.getPrototypeOf(value) === Object.prototype && Object.keys(value).length === 0;
}

/** The product of all numbers among some values; what is less than one counts as one, so that a zero hides nothing. */
export function productOf(values: Iterable<unknown>): number {
  let product = 1;
  for (const value of values) if (typeof value === 'number') product *= value >= 1 || value !== value ? value : 1;
  return product;
}

function productCheck(path: string, max: number): (values: readonly unknown[]) => Refusal | undefined {
  return (values) => {
    const product = productOf(values);
    if (product <= max) return undefined;
    return new Refusal('validation', path, 'where.productMax', `allows a product of ${max} at most`, String(product));
  };
}

/** The checks that a constraint stands for, on a value of a type. */
function constraintChecks(path: string, constraint: Constraint, type: PolicyType): ValueCheck[] {
  const checks: ValueCheck[] = [];
  const each = (check: ValueCheck): void => {
    const isList = type.kind === 'sequence' || type.kind === 'record';
    checks.push(isList ? (value) => firstRefusal(elementsOf(value), check) : check);
  };
  const refuse = (rule: string, what: string, value: unknown): Refusal =>
    new Refusal('validation', path, `where.${rule}`, what, String(value));
  const { min, max, oneOf, noneOf, within, productMax, lengthMax } = constraint;
  // Written so that NaN, which is no number between two others, is refused.
  if (min !== undefined)
    each((value) => (Number(value) >= min ? undefined : refuse('min', `allows ${min} or more`, value)));
  if (max !== undefined)
    each((value) => (Number(value) <= max ? undefined : refuse('max', `allows ${max} at most`, value)));
  const flags = flagsOf(type);
  if (flags !== undefined) {
    const [some, all] = [maskOf(flags, noneOf), maskOf(flags, within)];
    if (noneOf !== undefined)
      each((value) =>
        (Number(value) & some) === 0 ? undefined : refuse('noneOf', `allows none of ${noneOf.join(', ')}`, value),
      );
    if (within !== undefined)
      each((value) =>
        (Number(value) & ~all) === 0 ? undefined : refuse('within', `allows only ${within.join(', ')}`, value),
      );
  } else if (noneOf !== undefined) {
    const set = new Set<unknown>(noneOf);
    each((value) => (set.has(value) ? refuse('noneOf', 'does not allow this value', value) : undefined));
  }
  if (oneOf !== undefined) {
    const set = new Set<unknown>(oneOf);
    each((value) => (set.has(value) ? undefined : refuse('oneOf', `allows only ${oneOf.join(', ')}`, value)));
  }
  if (productMax !== undefined) {
    const check = productCheck(path, productMax);
    checks.push((value) => check([...elementsOf(value)]));
  }
  if (lengthMax !== undefined)
    checks.push((value) => {
      const length = lengthOf(value as string | object);
      return length <= lengthMax ? undefined : refuse('lengthMax', `allows a length of ${lengthMax} at most`, length);
    });
  return checks;
}

function lengthOf(value: string | object): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  // A sequence of numbers is decoded to a typed array; data are bytes.
  if (ArrayBuffer.isView(value)) return 'length' in value ? Number(value.length) : value.byteLength;
  return Object.keys(value).length;
}

function flagsOf(type: PolicyType): Readonly<Record<string, number>> | undefined {
  if (type.kind === 'sequence' || type.kind === 'record') return flagsOf(type.element);
  return type.kind === 'flags' ? policyFlags[type.name] : undefined;
}

function maskOf(flags: Readonly<Record<string, number>>, names: readonly (string | number)[] | undefined): number {
  return (names ?? []).reduce<number>((mask, name) => mask | (flags[name] ?? 0), 0);
}
