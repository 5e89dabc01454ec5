import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { chooseDriver } from '@vesper-gpu/dawn/driver';
import { beforeAll, describe, expect, it } from 'vitest';

/** Milliseconds. A software driver on a shared machine. */
const LONG = 240_000;

/** What Dawn says of software drivers once. */
const ADAPTER_WARNING = /^Warning: \w+ artificially reduced .*\n/gm;

let environment: Record<string, string>;
beforeAll(async () => void ({ environment } = await chooseDriver()));

interface Outcome {
  code: number | string | null;
  stderr: string;
  result: Record<string, unknown>;
}

/** Runs a program of ./programs, a host on the real backend and its guest, which prints one line of JSON. */
function run(name: string, ...args: string[]): Promise<Outcome> {
  const file = fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...environment }, timeout: LONG - 5000 };
    execFile(process.execPath, ['--expose-gc', file, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : (error.code ?? error.signal ?? null);
      const result = code === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : { stdout };
      resolve({ code, stderr: stderr.replace(ADAPTER_WARNING, ''), result });
    });
  });
}

describe('on the real backend', () => {
  it(
    'nothing but garbage, while only the host refers to the root object, does not end the process',
    async () => {
      expect(await run('garbage')).toEqual({ code: 0, stderr: '', result: { words: [1, 2, 3, 4] } });
    },
    LONG,
  );

  it(
    'shared memory, of a program and of every frame, is copied before the backend sees it',
    async () => {
      const found = [true, true, true, true, true, true];
      expect(await run('shared')).toEqual({ code: 0, stderr: '', result: { found } });
    },
    LONG,
  );

  it(
    'a guest finds nothing of what others wrote in the memory that it is given',
    async () => {
      const { code, stderr, result } = await run('remains');
      expect([code, stderr]).toEqual([0, '']);
      const results = result['results'] as { bytes: number; found: number }[];
      expect(results.map(({ found }) => found)).toEqual([0, 0, 0, 0]);
      for (const { bytes } of results) expect(bytes).toBeGreaterThan(32 << 20);
    },
    LONG,
  );

  it(
    '100,000 validation errors, with the longest labels, are told in bounded bytes and memory, and not on stderr',
    async () => {
      const { code, stderr, result } = await run('errors');
      expect([code, stderr]).toEqual([0, '']);
      const { heard, sent, growth } = result as Record<string, number>;
      expect(heard).toBeGreaterThanOrEqual(100_000);
      // A MiB of whole texts, then 256 units of each error and its record.
      expect(sent).toBeLessThan((3 << 20) + heard! * 340);
      expect(growth).toBeLessThan(128 << 20);
    },
    LONG,
  );

  it(
    'an object that is released or destroyed at any step of a program takes nothing with it',
    async () => {
      const { code, stderr, result } = await run('destroy', process.env['VESPER_DESTROY_RUNS'] ?? '60');
      expect([code, stderr]).toEqual([0, '']);
      expect(result).toMatchObject({ untouched: 'closed', wrong: [] });
      expect(result['runs']).toBeGreaterThanOrEqual(60);
    },
    LONG,
  );
});
