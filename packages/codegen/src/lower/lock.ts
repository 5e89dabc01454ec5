import { GenerateError } from '../errors.ts';

/** A number that was given out, for good. */
interface LockEntry {
  number: number;
  since: number;
  /** What a field's bytes are: a change of it is a change of the protocol. */
  type?: string;
  /** Revision that took it away; the number is not given out again. */
  removed?: number;
}

const TABLES = ['interfaces', 'records', 'fields', 'enumValues'] as const;
type Table = (typeof TABLES)[number];

export interface LockFile {
  revision: number;
  interfaces: Record<string, LockEntry>;
  records: Record<string, LockEntry>;
  fields: Record<string, LockEntry>;
  enumValues: Record<string, LockEntry>;
}

/**
 * The append-only numbers of `idl/wire.lock.json`. A name that is new gets the next number of its scope and the next
 * revision; a name that is gone leaves a tombstone.
 */
export class Lock {
  readonly #old: LockFile;
  readonly #file: string;
  readonly #new: LockFile;
  readonly #seen = new Set<string>();
  #changed = false;

  constructor(text: string | undefined, file: string) {
    this.#file = file;
    this.#old =
      text === undefined ? { revision: 0, interfaces: {}, records: {}, fields: {}, enumValues: {} } : parse(text, file);
    this.#new = structuredClone(this.#old);
  }

  /** The revision that new entries get. */
  get #nextRevision(): number {
    return this.#old.revision + 1;
  }

  /**
   * The number of `name`, given out now if it has none.
   * @param scope names of one scope are numbered together, from `first`: `GPUTextureFormat.` of enum values.
   */
  number(table: Table, scope: string, name: string, first: number, type?: string): { number: number; since: number } {
    const key = scope + name;
    this.#seen.add(`${table} ${key}`);
    const entries = this.#new[table];
    const entry = entries[key];
    if (entry?.removed !== undefined) {
      throw new GenerateError(
        `${this.#file}: ${key} was removed in revision ${entry.removed} and is back; give it another name on the wire.`,
      );
    }
    if (entry) {
      if (type !== undefined && entry.type !== type) {
        throw new GenerateError(
          `${this.#file}: the type of ${key} changed from ${entry.type} to ${type}; deployed guests send the old one. ` +
            `Give the new form a name of its own in idl/vesper.webidl, or start a new wire version.`,
        );
      }
      return entry;
    }
    let number = first;
    for (const [other, taken] of Object.entries(entries)) {
      if (other.startsWith(scope) && !other.slice(scope.length).includes('.') === !name.includes('.'))
        number = Math.max(number, taken.number + 1);
    }
    this.#changed = true;
    const added: LockEntry = { number, since: this.#nextRevision, ...(type === undefined ? {} : { type }) };
    entries[key] = added;
    return added;
  }

  /**
   * The presence bit of an optional field: how many optional fields of its scope have lower numbers, removed ones
   * included, so that a removal moves no bit. To be asked once all fields of the scope are numbered.
   */
  bit(scope: string, number: number): number {
    return this.#scope(scope).filter(([, entry]) => isOptional(entry) && entry.number < number).length;
  }

  /** Required fields of a scope that are not among `names`: those who send them cannot be understood any more. */
  missing(scope: string, names: readonly string[]): string[] {
    return this.#scope(scope)
      .filter(([name, entry]) => !isOptional(entry) && !names.includes(name))
      .map(([name]) => name);
  }

  /** The first revision in which a dictionary crossed the wire: with a field of its own, or as the type of one. */
  firstUse(dictionary: string): number {
    const mention = new RegExp(`\\b${dictionary}\\b`);
    const mentions = Object.values(this.#new.fields).filter((entry) => mention.test(entry.type ?? ''));
    const own = this.#scope(`${dictionary}.`).map(([, entry]) => entry);
    return Math.min(...[...own, ...mentions].map((entry) => entry.since));
  }

  /** Fields of a scope by name; not those of scopes within it. */
  #scope(scope: string): [string, LockEntry][] {
    return Object.entries(this.#new.fields)
      .filter(([key]) => key.startsWith(scope) && !key.slice(scope.length).includes('.'))
      .map(([key, entry]) => [key.slice(scope.length), entry]);
  }

  /** Where the numbers stand, for messages. */
  get file(): string {
    return this.#file;
  }

  /** Marks as removed what was not asked for, and closes the revision. */
  finish(): LockFile {
    for (const table of TABLES) {
      for (const [key, entry] of Object.entries(this.#new[table])) {
        if (entry.removed === undefined && !this.#seen.has(`${table} ${key}`)) {
          entry.removed = this.#nextRevision;
          this.#changed = true;
        }
      }
    }
    if (this.#changed) this.#new.revision = this.#nextRevision;
    return this.#new;
  }
}

function isOptional(entry: LockEntry): boolean {
  return entry.type?.startsWith('optional ') ?? false;
}

function parse(text: string, file: string): LockFile {
  try {
    const lock = JSON.parse(text) as LockFile;
    for (const table of TABLES) if (typeof lock[table] !== 'object') throw new Error(`"${table}" is missing`);
    return lock;
  } catch (error) {
    throw new GenerateError(
      `${file}: ${(error as Error).message}. Restore it from version control: it holds the numbers of deployed guests.`,
    );
  }
}
