/**
 * The watch over an executor. A frame of a guest is executed synchronously, so that a shader that compiles for ever, or
 * a driver that does not return, blocks the executor's main thread: it cannot watch itself. A worker thread of the
 * executor watches it (`executor-watch.ts`), and tells the broker through a pipe of its own, one JSON object a line;
 * the broker ends the process. Here is what both sides share.
 */
import type { Policy } from '@vesper-gpu/host';
import { LineReader, type Flood, type LineCaps } from './line-reader.ts';
import { plainText } from './messages.ts';

/** What an executor's work may take before it is ended. */
export interface WatchLimits {
  /** How long, in milliseconds, any one command may take, and how long an executor may be silent. */
  readonly hangMs: number;
  /** How long, in milliseconds, a command may take that compiles a shader or makes a pipeline. */
  readonly compileMs: number;
  /** Resident memory of the executor's process, in bytes. Absent: not limited. */
  readonly processMemory?: number;
}

/** The limits where nobody says otherwise. */
export const DEFAULT_WATCH: WatchLimits = { hangMs: 30_000, compileMs: 30_000 };

/** What a policy says of how long work may take, and of the process. */
export function watchLimits({ wgsl, budget }: Policy): Partial<WatchLimits> {
  const { compileMs } = wgsl;
  const { hangMs, processMemory } = budget;
  return {
    ...(hangMs === undefined ? {} : { hangMs }),
    ...(compileMs === undefined ? {} : { compileMs }),
    ...(processMemory === undefined ? {} : { processMemory }),
  };
}

/** Which descriptor of an executor leads to the broker's end of the pipe. */
export const WATCH_DESCRIPTOR = 4;
/** How often, in milliseconds, an executor that serves a guest says that it is there: seldom, as most guests are idle. */
export function beatMs({ hangMs }: WatchLimits): number {
  return Math.min(1000, hangMs / 4);
}

/** Why an executor has to be ended. */
export type Violation =
  /** A command is not done after its limit; the name as in the IDL. */
  | { readonly kind: 'stuck'; readonly command: string; readonly limitMs: number }
  /** No command is being executed, and yet the thread does nothing else either. */
  | { readonly kind: 'frozen'; readonly limitMs: number }
  /** The process has taken more memory than it may. */
  | { readonly kind: 'memory'; readonly limitBytes: number }
  /** It sends the broker more in a second than any executor has reason to. */
  | ({ readonly kind: 'flood' } & Flood);

/** A line of the pipe. */
export type WatchLine =
  | { readonly type: 'beat' }
  /** Whether part of a frame for the guest has been sent, and the rest waits for the guest to read. */
  | { readonly type: 'behind'; readonly isBehind: boolean }
  /** The guest has been sent the hello. */
  | { readonly type: 'greeted' }
  | { readonly type: 'violation'; readonly violation: Violation };

/** A beat is due four times in each `hangMs`; a guest that reads too slowly is told of fifty times a second at most. */
const WATCH_CAPS: LineCaps = { length: 1000, lines: 5000, text: 2 ** 20 };
const MAX_NAME_LENGTH = 100;

/** Writes a line for {@link WatchReader}. */
export function watchLine(line: WatchLine): string {
  return `${JSON.stringify(line)}\n`;
}

/** Reads the broker's end. The executor runs what a guest sends: what makes no sense is dropped. */
export class WatchReader {
  readonly #lines: LineReader;

  /** @param flooded called once, when more comes in a second than any executor has to say; nothing is read any more */
  constructor(line: (line: WatchLine) => void, flooded: (flood: Flood) => void) {
    this.#lines = new LineReader(
      WATCH_CAPS,
      (text) => {
        const parsed = parseLine(text);
        if (parsed !== undefined) line(parsed);
      },
      flooded,
    );
  }

  push(text: string): void {
    this.#lines.push(text);
  }
}

/** The violation in words, for the guest and the log. */
export function describeViolation(violation: Violation): string {
  switch (violation.kind) {
    case 'stuck':
      return `${violation.command} did not return within ${seconds(violation.limitMs)}`;
    case 'frozen':
      return `its process did not answer for ${seconds(violation.limitMs)}`;
    case 'flood':
      return `its process sent more than ${violation.perSecond} ${violation.unit} in a second`;
    case 'memory':
      return `its process took more than ${Math.round(violation.limitBytes / 2 ** 20)} MiB of memory`;
  }
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`;
}

function parseLine(text: string): WatchLine | undefined {
  let line: Partial<Record<string, unknown>>;
  try {
    line = Object(JSON.parse(text)) as typeof line;
  } catch {
    return undefined;
  }
  if (line['type'] === 'beat' || line['type'] === 'greeted') return { type: line['type'] };
  if (line['type'] === 'behind') return { type: 'behind', isBehind: line['isBehind'] === true };
  const violation = line['type'] === 'violation' ? parseViolation(Object(line['violation'])) : undefined;
  return violation && { type: 'violation', violation };
}

function parseViolation(value: Partial<Record<string, unknown>>): Violation | undefined {
  const number = (name: string): number => (typeof value[name] === 'number' ? value[name] : 0);
  switch (value['kind']) {
    case 'stuck':
      return {
        kind: 'stuck',
        command: plainText(value['command'], MAX_NAME_LENGTH),
        limitMs: number('limitMs'),
      };
    case 'frozen':
      return { kind: 'frozen', limitMs: number('limitMs') };
    case 'memory':
      return { kind: 'memory', limitBytes: number('limitBytes') };
    default:
      return undefined;
  }
}
