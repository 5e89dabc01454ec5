import { afterEach, expect, it, vi } from 'vitest';
import { sparingly } from './sparing.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('says the first at once, and once a second how many there were since', () => {
  vi.useFakeTimers();
  const said: [string, number][] = [];
  const say = sparingly((text, more) => void said.push([text, more]));
  say('a');
  expect(said).toEqual([['a', 0]]);
  for (let i = 0; i < 1000; i++) say(`b${i}`);
  expect(said).toHaveLength(1);
  vi.advanceTimersByTime(1000);
  expect(said.slice(1)).toEqual([['b999', 999]]);
  say('c');
  vi.advanceTimersByTime(999);
  expect(said).toHaveLength(2);
  vi.advanceTimersByTime(1);
  expect(said.slice(2)).toEqual([['c', 0]]);
  vi.advanceTimersByTime(5000);
  say('d');
  expect(said.slice(3)).toEqual([['d', 0]]);
});
