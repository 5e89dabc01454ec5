import { memberPath, type Problems } from './policy-error.ts';

/** A JSON value; objects are maps, so that no key is special. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | ReadonlyMap<string, JsonValue>;

/** Arrays and objects in each other; a policy needs five. */
const MAX_DEPTH = 16;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// Control characters must be escaped in JSON.
// oxlint-disable-next-line no-control-regex
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SPACE = /[ \t\r\n]*/y;

/**
 * Reads JSON, and finds duplicate keys, of which `JSON.parse` silently drops all but the last.
 * @param lines is filled with the line that each member and element begins in, the first being 1, by its path
 * @returns undefined when the text is no JSON; the problems say where it ends to be
 */
export function readJson(text: string, problems: Problems, lines?: Map<string, number>): JsonValue | undefined {
  const reader = new JsonReader(text, problems, lines);
  try {
    return reader.document();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const { line, column } = reader.place();
    problems.add('', `it is no JSON at line ${line}, column ${column}: ${error.message}`, 'Correct it there.');
    return undefined;
  }
}

class JsonReader {
  readonly #text: string;
  readonly #problems: Problems;
  readonly #lines: Map<string, number> | undefined;
  #at = 0;
  /** The line of a place that was passed. */
  #line = { at: 0, number: 1 };

  constructor(text: string, problems: Problems, lines?: Map<string, number>) {
    // A byte order mark is no part of the text.
    this.#text = text.startsWith('\ufeff') ? text.slice(1) : text;
    this.#problems = problems;
    this.#lines = lines;
  }

  document(): JsonValue {
    const value = this.#value('', 0);
    if (this.#at < this.#text.length) throw new SyntaxError('more text follows the end of the value');
    return value;
  }

  place(): { line: number; column: number } {
    const lines = this.#text.slice(0, this.#at).split('\n');
    return { line: lines.length, column: lines.at(-1)!.length + 1 };
  }

  #noteLine(path: string): void {
    if (this.#lines === undefined) return;
    let { at, number } = this.#line;
    for (; at < this.#at; at++) if (this.#text[at] === '\n') number++;
    this.#line = { at, number };
    this.#lines.set(path, number);
  }

  #value(path: string, depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw new SyntaxError(`more than ${MAX_DEPTH} arrays and objects are in each other`);
    this.#take(SPACE);
    const value = this.#bare(path, depth);
    this.#take(SPACE);
    return value;
  }

  #bare(path: string, depth: number): JsonValue {
    if (this.#skip('{')) return this.#object(path, depth);
    if (this.#skip('[')) return this.#array(path, depth);
    const scalar = this.#take(STRING) ?? this.#take(SCALAR);
    if (scalar === undefined) throw new SyntaxError('a value is missing, or is none');
    return JSON.parse(scalar) as string | number | boolean | null;
  }

  #object(path: string, depth: number): JsonValue {
    const members = new Map<string, JsonValue>();
    this.#take(SPACE);
    if (this.#skip('}')) return members;
    do {
      this.#take(SPACE);
      const quoted = this.#take(STRING);
      if (quoted === undefined) throw new SyntaxError('a key in double quotes is missing');
      const key = JSON.parse(quoted) as string;
      const keyPath = memberPath(path, key);
      this.#noteLine(keyPath);
      if (members.has(key)) {
        const { line } = this.place();
        this.#problems.add(keyPath, `the key is there twice (again in line ${line})`, 'Keep one of them.');
      }
      this.#take(SPACE);
      if (!this.#skip(':')) throw new SyntaxError('a colon is missing');
      members.set(key, this.#value(keyPath, depth + 1));
    } while (this.#skip(','));
    if (!this.#skip('}')) throw new SyntaxError('a comma or a closing brace is missing');
    return members;
  }

  #array(path: string, depth: number): JsonValue {
    const elements: JsonValue[] = [];
    this.#take(SPACE);
    if (this.#skip(']')) return elements;
    do {
      const elementPath = `${path}[${elements.length}]`;
      this.#take(SPACE);
      this.#noteLine(elementPath);
      elements.push(this.#value(elementPath, depth + 1));
    } while (this.#skip(','));
    if (!this.#skip(']')) throw new SyntaxError('a comma or a closing bracket is missing');
    return elements;
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}
