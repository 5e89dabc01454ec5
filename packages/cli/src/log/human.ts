import { plainText } from '../broker/messages.ts';

const NAMES: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };
/** Longest line, in UTF-16 units: some of what is logged comes from guests. */
const MAX_LINE_LENGTH = 10_000;
/** Fields that the message repeats, or that stand elsewhere on the line. */
const OMITTED = new Set(['level', 'time', 'msg', 'address', 'guest', 'reason', 'kind', 'adapter']);

/** Turns one JSON line of the log into a line for people: `12:03:04 info  guest 1 connected (pid 4711)`. */
export function formatLine(json: string): string {
  const entry = JSON.parse(json) as Record<string, unknown>;
  const time = String(entry['time']).slice(11, 19);
  const level = (NAMES[Number(entry['level'])] ?? 'info').padEnd(5);
  const details = Object.entries(entry)
    .filter(([name, value]) => !OMITTED.has(name) && value !== '' && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const suffix = details.length === 0 ? '' : ` (${details.join(', ')})`;
  return `${plainText(`${time} ${level} ${String(entry['msg'])}${suffix}`, MAX_LINE_LENGTH)}\n`;
}
