import type { JsonValue } from './json-text.ts';
import { memberPath, type Problems } from './policy-error.ts';
import { didYouMean, listed } from './suggest.ts';

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
/** Node's timers cannot wait longer, in milliseconds: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How a member of an object is read; undefined when its value is wrong, which the problems then say. */
export type ReadMember = (value: JsonValue, path: string) => unknown;

/** Reads the values of a policy file. Each method says in the problems what is wrong, and gives undefined then. */
export class ValueReader {
  readonly problems: Problems;

  constructor(problems: Problems) {
    this.problems = problems;
  }

  /** An object whose keys are known. */
  object<T>(value: JsonValue, path: string, members: { [K in keyof T]-?: ReadMember }): T | undefined {
    if (!(value instanceof Map)) return this.#wrong(value, path, 'an object');
    const known = new Set(Object.keys(members));
    const result: Record<string, unknown> = {};
    for (const [key, member] of value as ReadonlyMap<string, JsonValue>) {
      const keyPath = memberPath(path, key);
      if (!known.has(key)) {
        const remedy = didYouMean(key, known, `Known keys: ${listed([...known])}.`);
        this.problems.add(keyPath, 'there is no such key', remedy);
        continue;
      }
      const read = members[key as keyof T](member, keyPath);
      if (read !== undefined) result[key] = read;
    }
    return result as T;
  }

  /** An object whose keys are names; `read` also judges the key. */
  record<T>(
    value: JsonValue,
    path: string,
    read: (member: JsonValue, path: string, key: string) => T | undefined,
  ): Record<string, T> | undefined {
    if (!(value instanceof Map)) return this.#wrong(value, path, 'an object');
    const entries: [string, T][] = [];
    for (const [key, member] of value as ReadonlyMap<string, JsonValue>) {
      const one = read(member, memberPath(path, key), key);
      if (one !== undefined) entries.push([key, one]);
    }
    return Object.fromEntries(entries);
  }

  list<T>(value: JsonValue, path: string, read: (element: JsonValue, path: string) => T | undefined): T[] | undefined {
    if (!Array.isArray(value)) return this.#wrong(value, path, 'an array');
    const elements = (value as readonly JsonValue[]).map((element, i) => read(element, `${path}[${i}]`));
    return elements.filter((element) => element !== undefined);
  }

  text(value: JsonValue, path: string): string | undefined {
    return typeof value === 'string' ? value : this.#wrong(value, path, 'a string');
  }

  boolean(value: JsonValue, path: string): boolean | undefined {
    return typeof value === 'boolean' ? value : this.#wrong(value, path, 'true or false');
  }

  /** One of some names. */
  name<T extends string>(value: JsonValue, path: string, names: readonly T[]): T | undefined {
    const name = names.find((one) => one === value);
    if (name !== undefined) return name;
    const list = `It is one of ${listed(names.map((one) => JSON.stringify(one)))}.`;
    if (typeof value !== 'string') return this.#wrong(value, path, 'one of the known names', list);
    this.problems.add(path, `${shown(value)} is not known here`, didYouMean(value, names, list));
    return undefined;
  }

  /** Any number, or a size such as "64KiB". */
  number(value: JsonValue, path: string): number | undefined {
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    return this.#size(value) ?? this.#wrong(value, path, 'a number or a size', 'Write 65536 or "64KiB".');
  }

  /** A whole number from `least`, or a size such as "2GiB". */
  amount(value: JsonValue, path: string, least = 0): number | undefined {
    const amount = typeof value === 'number' ? value : this.#size(value);
    if (amount !== undefined) return this.#whole(amount, path, least, Number.MAX_SAFE_INTEGER);
    return this.#wrong(value, path, 'a whole number or a size', 'Write 65536, "64KiB", "512MiB" or "2GiB".');
  }

  /** A whole number from `least`. */
  count(value: JsonValue, path: string, least = 0, most: number = Number.MAX_SAFE_INTEGER): number | undefined {
    if (typeof value !== 'number') return this.#wrong(value, path, 'a number', 'It is a plain number, without a unit.');
    return this.#whole(value, path, least, most);
  }

  /** A duration that a timer can wait for. */
  milliseconds(value: JsonValue, path: string): number | undefined {
    return this.count(value, path, 1, MAX_TIMER_MS);
  }

  #size(value: JsonValue): number | undefined {
    if (typeof value !== 'string') return undefined;
    const [, digits, unit] = /^(\d+(?:\.\d+)?)(KiB|MiB|GiB|TiB)$/.exec(value) ?? [];
    return digits === undefined || unit === undefined ? undefined : Math.floor(Number(digits) * UNITS[unit]!);
  }

  #whole(value: number, path: string, least: number, most: number): number | undefined {
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    this.problems.add(path, `${value} is out of range`, `It is a whole number from ${least} to ${most}.`);
    return undefined;
  }

  #wrong(value: JsonValue, path: string, expected: string, remedy = `Give ${expected}.`): undefined {
    this.problems.add(path, `${shown(value)} is not ${expected}`, remedy);
    return undefined;
  }
}

/** A value in a message, cut. */
export function shown(value: JsonValue): string {
  if (value instanceof Map) return 'an object';
  if (Array.isArray(value)) return 'an array';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
