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

it('shows nothing that moves the cursor, turns text around or begins a line', () => {
  const role = 'a\n12:00:00 info  forged\u2028\u202e\u001b[31m\u0085' + 'x'.repeat(100_000);
  const line = formatLine(JSON.stringify({ level: 30, time: '2026-01-02T03:04:05.678Z', role, msg: 'hello' }));
  expect(line).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*\n$/u);
  expect(line.length).toBeLessThanOrEqual(10_001);
});
