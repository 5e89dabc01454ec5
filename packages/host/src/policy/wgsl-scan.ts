/** What a WGSL text costs to compile, as far as its text alone tells. */
export interface WgslCost {
  /** Length of the text in UTF-8 bytes; a lone surrogate counts as U+FFFD, three bytes. */
  bytes: number;
  /** How many functions the text declares. */
  functions: number;
  /**
   * Calls that the costliest function makes once every call of a declared function is replaced by the callee's body:
   * the sum over its calls of one and the callee's own. Infinity where functions call each other in a circle, which WGSL
   * forbids; at most 2⁵³ otherwise.
   */
  expandedCalls: number;
}

/** Where an expansion stops being counted. */
const MOST_CALLS = 2 ** 53;

/**
 * Names that agree in so many UTF-16 units count as one function. Engines do not hash the whole of a long string, so
 * that a table of many long names would be a slow one.
 */
const MAX_NAME_LENGTH = 512;

const OTHER = 0;
const IDENTIFIER = 1;
const DIGIT = 2;
const BLANK = 3;
/** What each ASCII character is to the scanner. */
const CLASSES = Uint8Array.from({ length: 128 }, (_, unit) => {
  const character = String.fromCharCode(unit);
  if (/[A-Za-z_]/.test(character)) return IDENTIFIER;
  if (/[0-9]/.test(character)) return DIGIT;
  return /[\t\n\v\f\r ]/.test(character) ? BLANK : OTHER;
});

const SLASH = 0x2f;
const STAR = 0x2a;
const AT = 0x40;
const OPEN_PARENTHESIS = 0x28;

/**
 * What a character outside a comment is. Beyond ASCII all but the blank space of WGSL counts as part of an identifier:
 * what XID does not hold makes the text invalid anyway, and the tables of Unicode grow.
 * https://www.w3.org/TR/WGSL/#blankspace-and-line-breaks
 */
function classOf(unit: number): number {
  if (unit < 0x80) return CLASSES[unit]!;
  const isBlank = unit === 0x85 || unit === 0x200e || unit === 0x200f || unit === 0x2028 || unit === 0x2029;
  return isBlank ? BLANK : IDENTIFIER;
}

/** Whether a line comment ends at `unit`. */
function isLineBreak(unit: number): boolean {
  return (unit >= 0x0a && unit <= 0x0d) || unit === 0x85 || unit === 0x2028 || unit === 0x2029;
}

/** The index behind the line comment that starts at `from`. */
function skipLineComment(code: string, from: number): number {
  let at = from + 2;
  while (at < code.length && !isLineBreak(code.charCodeAt(at))) at++;
  return at;
}

/** The index behind the block comment that starts at `from`; block comments nest, an open one takes the rest. */
function skipBlockComment(code: string, from: number): number {
  let depth = 1;
  let at = from + 2;
  while (at < code.length && depth > 0) {
    const unit = code.charCodeAt(at++);
    if (unit === STAR && code.charCodeAt(at) === SLASH) {
      depth--;
      at++;
    } else if (unit === SLASH && code.charCodeAt(at) === STAR) {
      depth++;
      at++;
    }
  }
  return at;
}

/** The index of the next character at or behind `from` that is neither blank nor in a comment. */
function skipBlanks(code: string, from: number): number {
  let at = from;
  while (at < code.length) {
    const unit = code.charCodeAt(at);
    if (unit === SLASH) {
      const next = code.charCodeAt(at + 1);
      if (next === SLASH) at = skipLineComment(code, at);
      else if (next === STAR) at = skipBlockComment(code, at);
      else return at;
    } else if (classOf(unit) === BLANK) {
      at++;
    } else {
      return at;
    }
  }
  return at;
}

/** The index behind the identifier, or the number with its suffix, that starts at `from`. */
function skipWord(code: string, from: number): number {
  let at = from + 1;
  while (at < code.length) {
    const kind = classOf(code.charCodeAt(at));
    if (kind !== IDENTIFIER && kind !== DIGIT) break;
    at++;
  }
  return at;
}

/** A list of numbers that may grow to millions. */
class NumberList {
  length = 0;
  #items = new Uint32Array(1024);

  push(value: number): void {
    if (this.length === this.#items.length) {
      const larger = new Uint32Array(this.length * 2);
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items[this.length++] = value;
  }

  at(index: number): number {
    return this.#items[index]!;
  }
}

/** The declared functions by name, and what might be a call of one. */
class Declarations {
  readonly byName = new Map<string, number>();
  count = 0;
  /** Per possible call: the number of the function that it is in, and where its name starts and ends. */
  readonly callers = new NumberList();
  readonly starts = new NumberList();
  readonly ends = new NumberList();
}

function nameAt(code: string, start: number, end: number): string {
  return code.slice(start, Math.min(end, start + MAX_NAME_LENGTH));
}

/** Reads the text once. A function declared twice, which WGSL forbids, counts twice and has the calls of both. */
function readDeclarations(code: string): Declarations {
  const found = new Declarations();
  let current = -1;
  let at = skipBlanks(code, 0);
  while (at < code.length) {
    const unit = code.charCodeAt(at);
    const kind = classOf(unit);
    if (kind === DIGIT) {
      at = skipBlanks(code, skipWord(code, at));
    } else if (kind === IDENTIFIER) {
      const end = skipWord(code, at);
      const next = skipBlanks(code, end);
      if (end - at === 2 && code.startsWith('fn', at) && classOf(code.charCodeAt(next)) === IDENTIFIER) {
        const nameEnd = skipWord(code, next);
        current = declare(found, nameAt(code, next, nameEnd));
        at = skipBlanks(code, nameEnd);
      } else {
        // Outside of functions nothing can call one.
        if (current >= 0 && code.charCodeAt(next) === OPEN_PARENTHESIS) {
          found.callers.push(current);
          found.starts.push(at);
          found.ends.push(end);
        }
        at = next;
      }
    } else {
      at = skipBlanks(code, at + 1);
      // An attribute is no call, whatever function has its name.
      if (unit === AT && classOf(code.charCodeAt(at)) === IDENTIFIER) at = skipBlanks(code, skipWord(code, at));
    }
  }
  return found;
}

function declare(found: Declarations, name: string): number {
  found.count++;
  const known = found.byName.get(name);
  if (known !== undefined) return known;
  const index = found.byName.size;
  found.byName.set(name, index);
  return index;
}

/** Calls as they are expanded, from the functions that call none upwards: no recursion, each call is looked at once. */
function expand(code: string, found: Declarations): number {
  const functions = found.byName.size;
  const calls = found.callers.length;
  const callees = new Int32Array(calls);
  /** Calls per caller whose callee is not yet known. */
  const open = new Uint32Array(functions);
  /** Where the calls of each callee start in `byCallee`. */
  const starts = new Uint32Array(functions + 1);
  for (let call = 0; call < calls; call++) {
    const callee = found.byName.get(nameAt(code, found.starts.at(call), found.ends.at(call))) ?? -1;
    callees[call] = callee;
    if (callee < 0) continue;
    open[found.callers.at(call)]!++;
    starts[callee + 1]!++;
  }
  for (let callee = 0; callee < functions; callee++) starts[callee + 1]! += starts[callee]!;
  const byCallee = new Uint32Array(starts[functions]!);
  const next = starts.slice();
  for (let call = 0; call < calls; call++) {
    const callee = callees[call]!;
    if (callee >= 0) byCallee[next[callee]!++] = found.callers.at(call);
  }

  const expanded = new Float64Array(functions);
  const known: number[] = [];
  for (let index = 0; index < functions; index++) if (open[index] === 0) known.push(index);
  let most = 0;
  // `known` grows while it is walked.
  for (let done = 0; done < known.length; done++) {
    const callee = known[done]!;
    const cost = expanded[callee]!;
    if (cost > most) most = cost;
    for (let at = starts[callee]!; at < starts[callee + 1]!; at++) {
      const caller = byCallee[at]!;
      expanded[caller] = Math.min(MOST_CALLS, expanded[caller]! + 1 + cost);
      if (--open[caller]! === 0) known.push(caller);
    }
  }
  return known.length === functions ? most : Infinity;
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      bytes++;
      continue;
    }
    bytes += 2;
    // A pair is two units and four bytes.
    const isPair = (unit & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    if (isPair) at++;
  }
  return bytes;
}

/**
 * Estimates what compiling `code` costs, in time proportional to its length and without compiling it: a text that a
 * compiler takes minutes for, since each function calls the one before it twice, is known by its call graph. What is no
 * WGSL gives some figure too; never throws. Where the text leaves a doubt the figures are too large, never too small.
 */
export function scanWgsl(code: string): WgslCost {
  const found = readDeclarations(code);
  return { bytes: utf8Length(code), functions: found.count, expandedCalls: expand(code, found) };
}
