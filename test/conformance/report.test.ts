import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { diff } from '../../scripts/cts/diff.mjs';
import { page, pairs } from '../../scripts/cts/report.mjs';
import { readResults, writeResults, type Results } from '../../scripts/cts/results.mjs';

type Cases = Results['cases'];

function results(mode: Results['mode'], cases: Cases, driver = 'a driver'): Results {
  return { driver, cts: 'abc', mode, sample: 1, cases, reasons: {}, reran: {}, runs: [] };
}

const direct = results('direct', {
  'webgpu:api,validation,x:t:a': 'pass',
  'webgpu:api,validation,x:t:b': 'fail',
  'webgpu:api,validation,x:t:c': 'skip',
  'webgpu:idl,y:u:': 'warn',
  'webgpu:idl,y:v:': 'fail',
  'webgpu:idl,y:w:': 'pass',
});

describe('diff', () => {
  it('finds nothing between equal runs, and takes a warning for a pass', () => {
    expect(diff(direct, direct)).toEqual({ regressions: [], improvements: [], missing: [], others: [] });
    const { regressions } = diff(direct, results('remote', { ...direct.cases, 'webgpu:idl,y:u:': 'pass' }));
    expect(regressions).toEqual([]);
  });

  it.each(['fail', 'crash', 'timeout', 'notrun', 'skip'] as const)('counts pass → %s as a regression', (status) => {
    const after = results('remote', { ...direct.cases, 'webgpu:api,validation,x:t:a': status });
    expect(diff(direct, after).regressions).toMatchObject([{ name: 'webgpu:api,validation,x:t:a', to: status }]);
  });

  it('counts a case that was skipped and fails, or failed and crashes, as worse', () => {
    const after = {
      ...direct.cases,
      'webgpu:api,validation,x:t:b': 'crash',
      'webgpu:api,validation,x:t:c': 'fail',
    } as const;
    expect(diff(direct, results('remote', after)).regressions).toHaveLength(2);
  });

  it('names what is missing, and what got better', () => {
    const { 'webgpu:idl,y:w:': _, ...rest } = direct.cases;
    const found = diff(direct, results('remote', { ...rest, 'webgpu:idl,y:v:': 'pass' }));
    expect(found.missing).toEqual(['webgpu:idl,y:w:']);
    expect(found.improvements).toMatchObject([{ name: 'webgpu:idl,y:v:' }]);
  });
});

describe('the page of results', () => {
  it('counts by group, and asks for the reason of each failure', () => {
    const remote = results('remote', { ...direct.cases, 'webgpu:idl,y:v:': 'pass', 'webgpu:idl,y:w:': 'fail' });
    const { text, unexplained } = page(pairs([direct, remote]), { 'webgpu:api,validation,x:t': 'the driver' });
    expect(text).toContain('| api,validation | 3 | 1 | 1 | 1 | 1 | 1 | 0 | 0 |');
    expect(text).toContain('| idl | 3 | 0 | 2 | 1 | 2 | 1 | 1 | 1 |');
    expect(text).toContain('| all | 6 | 1 | 3 | 2 | 3 | 2 | 1 | 1 |');
    expect(text).toContain('| webgpu:api,validation,x:t | 1 | 1 | the driver |');
    expect(unexplained).toEqual(['webgpu:idl,y:w']);
  });

  it('takes a reason for whole parts of a name alone, and asks for one of each case', () => {
    const cases: Cases = { 'webgpu:a,b:t_long:x': 'fail', 'webgpu:a,b:t:x': 'fail', 'webgpu:a,b:t:y': 'fail' };
    const both = [results('direct', { ...cases, 'webgpu:a,b:t:y': 'skip' }), results('remote', cases)];
    const { text, unexplained } = page(pairs(both), { 'webgpu:a,b:t:x': 'why' });
    expect(unexplained.toSorted()).toEqual(['webgpu:a,b:t', 'webgpu:a,b:t_long']);
    expect(text).toContain('| webgpu:a,b:t | 2 | 1 | why; **no reason is recorded** |');
  });

  it('is of runs that belong together', () => {
    expect(() => pairs([direct])).toThrow('a driver: there is no remote run among the files.');
    expect(() => pairs([direct, { ...results('remote', {}), cts: 'other' }])).toThrow('two revisions');
  });
});

describe('a file of results', () => {
  it('is written whole, and refused when it is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vesper-results-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'r.json');
    expect(() => readResults(file)).toThrow(/There is no .*npm run cts/);
    writeFileSync(file, '{');
    expect(() => readResults(file)).toThrow('is not JSON');
    writeFileSync(file, '{}');
    expect(() => readResults(file)).toThrow('holds no results');
    writeResults(file, direct);
    expect(readResults(file)).toEqual(direct);
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  it('has a reason for every test that the published page says fails', () => {
    const lines = readFileSync(join(import.meta.dirname, 'RESULTS.md'), 'utf8').split('\n');
    expect(lines.filter((line) => line.includes('no reason is recorded'))).toEqual([]);
  });
});
