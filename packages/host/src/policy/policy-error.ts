/** One thing that is wrong with a policy file. */
export interface PolicyProblem {
  /** The file, as the caller named it. */
  readonly file: string;
  /** Where in it: `roles.llm-worker.where."GPUBufferDescriptor.usage".noneOf[0]`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** A policy cannot be used. The message has a line for each problem, and says all of them at once. */
export class PolicyError extends Error {
  /** Name of the class. */
  override readonly name = 'PolicyError';
  /** For programs: stays the same. */
  readonly code = 'VESPER_POLICY';
  /** All that is wrong, in the order of the file; at least one. */
  readonly problems: readonly PolicyProblem[];

  /** @param problems all that is wrong, at least one */
  constructor(problems: readonly PolicyProblem[]) {
    super(problems.map(problemText).join('\n'));
    this.problems = problems;
  }
}

function problemText({ file, path, message, remedy }: PolicyProblem): string {
  return `${file}: ${path === '' ? '' : `${path}: `}${message}. ${remedy}`;
}

/** Further problems than these are not written down: the text may be a guest's. */
const MAX_PROBLEMS = 100;

/** Collects what is wrong with one text. */
export class Problems {
  readonly #file: string;
  readonly #found: PolicyProblem[] = [];
  #dropped = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Writes one down. `message` and `remedy` are sentences, the former without its full stop. */
  add(path: string, message: string, remedy: string | (() => string)): void {
    if (this.#found.length === MAX_PROBLEMS) {
      this.#dropped++;
      return;
    }
    const text = typeof remedy === 'string' ? remedy : remedy();
    this.#found.push({ file: this.#file, path, message, remedy: text });
  }

  /** @throws PolicyError when there are any */
  throwAny(): void {
    if (this.#found.length === 0) return;
    const more = { file: this.#file, path: '', message: `there are ${this.#dropped} more problems`, remedy: '' };
    throw new PolicyError(
      this.#dropped === 0 ? this.#found : [...this.#found, { ...more, remedy: 'Solve these first.' }],
    );
  }
}

/** The path of a member, quoted where its name would be ambiguous. */
export function memberPath(path: string, key: string): string {
  const shown = /^[\w@-]+$/.test(key) ? key : JSON.stringify(key.slice(0, 80));
  return path === '' ? shown : `${path}.${shown}`;
}
