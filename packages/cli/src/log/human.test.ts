import { expect, it } from 'vitest';
import { formatLine } from './human.ts';

it('turns a line of JSON into a line for people', () => {
  const entry = {
    level: 30,
    time: '2026-01-02T03:04:05.678Z',
    guest: 1,
    agent: 'a b',
    pid: 7,
    output: [],
    msg: 'hello',
  };
  expect(formatLine(JSON.stringify(entry))).toBe('03:04:05 info  hello (agent a b, pid 7)\n');
  expect(formatLine(JSON.stringify({ level: 40, time: entry.time, msg: 'odd' }))).toBe('03:04:05 warn  odd\n');
});
