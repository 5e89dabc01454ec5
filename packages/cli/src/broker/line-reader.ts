/** What of a pipe is read in a second, and of a line. Lengths are in UTF-16 units. */
export interface LineCaps {
  /** Longest line; what is longer is cut. */
  readonly length: number;
  /** Lines in a second. */
  readonly lines: number;
  /** Text in a second. */
  readonly text: number;
}

/** Which of the caps of a second was exceeded, and how high it is. `pieces`: how often there was something to read. */
export interface Flood {
  readonly unit: 'messages' | 'lines' | 'characters' | 'pieces';
  readonly perSecond: number;
}

/** How often in a second something may be read: whoever writes letter by letter costs more than the text says. */
const MAX_PIECES_PER_SECOND = 10_000;

/**
 * Takes the lines out of what comes from a process that nobody trusts. However much comes, it keeps no more than one
 * line, and looks at no more in a second than the caps say; beyond that it looks at nothing any more.
 */
export class LineReader {
  readonly #caps: LineCaps;
  readonly #line: (line: string) => void;
  readonly #exceeded: (flood: Flood) => void;
  #partial = '';
  #countedFromMs = -Infinity;
  #lines = 0;
  #text = 0;
  #pieces = 0;
  #isOver = false;

  /**
   * @param line called for each line, without its end
   * @param exceeded called once, when there was more in a second than may be
   */
  constructor(caps: LineCaps, line: (line: string) => void, exceeded: (flood: Flood) => void) {
    this.#caps = caps;
    this.#line = line;
    this.#exceeded = exceeded;
  }

  push(text: string): void {
    if (this.#isOver) return;
    const nowMs = performance.now();
    if (nowMs - this.#countedFromMs > 1000) {
      this.#countedFromMs = nowMs;
      this.#lines = this.#text = this.#pieces = 0;
    }
    this.#text += text.length;
    if (this.#text > this.#caps.text) return this.#end({ unit: 'characters', perSecond: this.#caps.text });
    if (++this.#pieces > MAX_PIECES_PER_SECOND) return this.#end({ unit: 'pieces', perSecond: MAX_PIECES_PER_SECOND });
    let from = 0;
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      this.#keep(text.slice(from, to));
      from = to + 1;
      if (++this.#lines > this.#caps.lines) return this.#end({ unit: 'lines', perSecond: this.#caps.lines });
      this.end();
    }
    this.#keep(text.slice(from));
  }

  /** Passes on what has been read of a line: nothing comes behind it. */
  end(): void {
    const line = this.#partial;
    this.#partial = '';
    if (!this.#isOver) this.#line(line);
  }

  #keep(text: string): void {
    const room = this.#caps.length - this.#partial.length;
    if (room > 0) this.#partial += text.length > room ? text.slice(0, room) : text;
  }

  #end(flood: Flood): void {
    this.#isOver = true;
    this.#partial = '';
    this.#exceeded(flood);
  }
}
