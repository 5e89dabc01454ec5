import type { Readable } from 'node:stream';
import { plainText } from './messages.ts';

/** Longest line that is kept, in UTF-16 units. */
const MAX_LINE_LENGTH = 200;
/** Lines that are passed on as they come; a guest can make a driver write without end. */
const MAX_LINES = 50;
/** Lines that are kept for the message about a crash. */
const TAIL_LINES = 10;

/** What an executor's process writes. It may quote the guest, so it is bounded and made plain. */
export class OutputCapture {
  readonly #line: (line: string) => void;
  readonly #tail: string[] = [];
  #lines = 0;

  /** @param line called for each of the first 50 lines */
  constructor(line: (line: string) => void) {
    this.#line = line;
  }

  /** Reads `stream` to its end. */
  add(stream: Readable): void {
    let partial = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (partial + text).split('\n');
      // What exceeds the limit will not be shown, so it need not be kept.
      partial = (lines.pop() ?? '').slice(0, MAX_LINE_LENGTH);
      for (const line of lines) this.#add(line);
    });
    stream.on('end', () => this.#add(partial));
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
