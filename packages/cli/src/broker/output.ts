import type { Readable } from 'node:stream';
import { LineReader, type Flood, type LineCaps } from './line-reader.ts';
import { plainText } from './messages.ts';

/** Longest line that is kept, in UTF-16 units. */
const MAX_LINE_LENGTH = 200;
/** Of a stream. A driver that says something of each of a guest's calls may go on; one that does nothing else may not. */
const OUTPUT_CAPS: LineCaps = { length: MAX_LINE_LENGTH, lines: 20_000, text: 8 * 2 ** 20 };
/** Lines that are passed on as they come; a guest can make a driver write without end. */
const MAX_LINES = 50;
/** Lines that are kept for the message about a crash. */
const TAIL_LINES = 10;

/** What an executor's process writes. It may quote the guest, so it is bounded and made plain. */
export class OutputCapture {
  readonly #line: (line: string) => void;
  readonly #flooded: (flood: Flood) => void;
  readonly #tail: string[] = [];
  #lines = 0;

  /**
   * @param line called for each of the first 50 lines
   * @param flooded called when more comes in a second than is looked at; nothing more is read of that stream then
   */
  constructor(line: (line: string) => void, flooded: (flood: Flood) => void) {
    this.#line = line;
    this.#flooded = flooded;
  }

  /** Reads `stream` to its end. */
  add(stream: Readable): void {
    const reader = new LineReader(OUTPUT_CAPS, (line) => this.#add(line), this.#flooded);
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => reader.push(text));
    stream.on('end', () => reader.end());
    stream.on('error', () => {});
  }

  /** The last lines, oldest first. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  #add(text: string): void {
    const line = plainText(text, MAX_LINE_LENGTH).trim();
    if (line === '') return;
    this.#tail.push(line);
    if (this.#tail.length > TAIL_LINES) this.#tail.shift();
    this.#lines++;
    if (this.#lines <= MAX_LINES) this.#line(line);
  }
}
