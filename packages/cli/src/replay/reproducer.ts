/** What one side sent to the other in a session that went wrong, kept in a file. */
export interface Reproducer {
  /** Whose bytes these are. */
  readonly from: 'guest' | 'host';
  /** All that it sent, its hello first. */
  readonly bytes: Uint8Array;
  /** Where it waited for the other side: behind so many bytes, until it had received so many replies (or, if a host, requests). */
  readonly waits: readonly (readonly [atByte: number, count: number])[];
  /** What went wrong, and whatever else helps: for people. */
  readonly note: Readonly<Record<string, unknown>>;
}

const FORMAT_VERSION = 1;
const LINE_FEED = 10;
/** A header holds a few waits; a file without a line is none of ours. */
const MAX_HEADER_BYTES = 1 << 20;

/** The file: one line of JSON, then the bytes. */
export function encodeReproducer({ from, bytes, waits, note }: Reproducer): Uint8Array {
  const header = JSON.stringify({ vesperReproducer: FORMAT_VERSION, from, waits, ...note });
  return Buffer.concat([Buffer.from(`${header}\n`), bytes]);
}

/** @throws Error when `file` is no reproducer, or one of another version. */
export function decodeReproducer(file: Uint8Array): Reproducer {
  const end = file.subarray(0, MAX_HEADER_BYTES).indexOf(LINE_FEED);
  const header = end < 0 ? undefined : parsed(Buffer.from(file.subarray(0, end)).toString('utf8'));
  if (header === undefined) throw new Error('no reproducer: it does not begin with a line of JSON');
  const { vesperReproducer, from, waits, ...note } = header;
  if (vesperReproducer !== FORMAT_VERSION) {
    throw new Error(`no reproducer of version ${FORMAT_VERSION}, but ${String(vesperReproducer)}`);
  }
  if ((from !== 'guest' && from !== 'host') || !areWaits(waits)) throw new Error('a reproducer with a broken header');
  return { from, bytes: file.subarray(end + 1), waits, note };
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function areWaits(value: unknown): value is [number, number][] {
  const isPair = (one: unknown): boolean =>
    Array.isArray(one) && one.length === 2 && one.every((number) => Number.isSafeInteger(number) && number >= 0);
  return Array.isArray(value) && value.every(isPair);
}
