import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckout } from '../../scripts/cts/checkout.mjs';
import { parseOptions } from '../../scripts/cts/options.mjs';
import { QueryError, runQueries, type CaseResult } from '../../scripts/cts/query-process.mjs';
import { fakeCheckout } from './fake-checkout.ts';

let folder: string;
beforeAll(() => {
  folder = fakeCheckout();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(...queries: string[]): Promise<Record<string, CaseResult>> {
  const results: Record<string, CaseResult> = {};
  await runQueries({
    cts: folder,
    queries,
    sample: 1,
    caseSeconds: 2,
    address: undefined,
    environment: process.env,
    result(name, result) {
      expect(results[name], `${name} ended twice`).toBeUndefined();
      results[name] = result;
    },
  });
  return results;
}

const statuses = (results: Record<string, CaseResult>): Record<string, string> =>
  Object.fromEntries(Object.entries(results).map(([name, { status }]) => [name, status]));

describe('runQueries', () => {
  it('says what became of each case, and why, without the folder of the checkout', async () => {
    const results = await run('a:pass+a:warn', 'b:skip+b:fail');
    expect(statuses(results)).toEqual({
      'webgpu:a:pass': 'pass',
      'webgpu:a:warn': 'warn',
      'webgpu:b:skip': 'skip',
      'webgpu:b:fail': 'fail',
    });
    expect(results['webgpu:a:warn']!.reason).toBe('careful');
    expect(results['webgpu:b:fail']!.reason).toBe('in out-node/x.js: 1 is not 2');
  });

  it('goes on behind cases that take the process with them or never end', async () => {
    const results = await run('a:pass+b:crash+c:pass+d:exit+e:hang+f:pass+g:crash');
    expect(statuses(results)).toEqual({
      'webgpu:a:pass': 'pass',
      'webgpu:b:crash': 'crash',
      'webgpu:c:pass': 'pass',
      'webgpu:d:exit': 'crash',
      'webgpu:e:hang': 'timeout',
      'webgpu:f:pass': 'pass',
      'webgpu:g:crash': 'crash',
    });
    expect(results['webgpu:b:crash']!.reason).toContain('SIGKILL');
    expect(results['webgpu:d:exit']!.reason).toContain('status 3');
    expect(results['webgpu:e:hang']!.reason).toContain('2 s');
  });

  it('refuses a query that cannot be expanded', async () => {
    await expect(run('unknown')).rejects.toThrow(/no such query/);
    await expect(run('unknown')).rejects.toBeInstanceOf(QueryError);
  });

  it('ends when it is told to, without a verdict on what was running', async () => {
    const interruption = new AbortController();
    const names: string[] = [];
    await runQueries({
      cts: folder,
      queries: ['a:pass+b:hang+c:pass'],
      sample: 1,
      caseSeconds: 60,
      address: undefined,
      environment: process.env,
      signal: interruption.signal,
      result(name) {
        names.push(name);
        interruption.abort();
      },
    });
    expect(names).toEqual(['webgpu:a:pass']);
  });

  it('takes more exact cases than fit into the arguments of a process', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => `${'x'.repeat(60)}${i}:pass`);
    expect(Object.keys(await run(...many))).toHaveLength(3000);
  });
});

describe('openCheckout', () => {
  it('says what is missing and what to do', () => {
    expect(openCheckout(folder)).toMatchObject({ folder, revision: 'unknown' });
    expect(() => openCheckout('/nonexistent')).toThrow(/is not there.*\nWhat to do: /);
    expect(() => openCheckout(import.meta.dirname)).toThrow(/no checkout of the gpuweb CTS/);
    rmSync(`${folder}/out-node`, { recursive: true });
    expect(() => openCheckout(folder)).toThrow(/not compiled.*\nWhat to do: /);
  });
});

describe('parseOptions', () => {
  it('takes what the usage says', () => {
    const args = ['--cts', 'C', '--out', 'O', '--direct', '--sample', '10', '--list', 'L', 'webgpu:*'];
    expect(parseOptions(args)).toMatchObject({ cts: 'C', out: 'O', isDirect: true, sample: 10, lists: ['L'] });
  });

  it.each([
    [[], /--cts is missing/],
    [['--cts', 'C'], /--out is missing/],
    [['--cts', 'C', '--out', 'O'], /name a query/],
    [['--cts', 'C', '--out', 'O', '--sample', '0', 'q'], /--sample wants a whole number from 1, not "0"/],
    [['--cts', 'C', '--out', 'O', '--wrong', 'q'], /--wrong/],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
