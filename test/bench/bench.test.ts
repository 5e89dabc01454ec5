import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Row {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly anchor: { readonly name: string; readonly value: number; readonly unit: string };
  readonly ratio: number;
  readonly target: { readonly of: 'ratio' | 'value'; readonly atMost?: number; readonly atLeast?: number } | null;
  readonly ok: boolean | null;
}

interface Curve {
  readonly name: string;
  readonly series: readonly { readonly name: string; readonly points: readonly (readonly [number, number])[] }[];
}

interface Report {
  readonly rows: readonly Row[];
  readonly curves: readonly Curve[];
  readonly environment: Readonly<Record<string, unknown>>;
}

const script = fileURLToPath(new URL('../../scripts/bench.mjs', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));
const execute = promisify(execFile);

/** The benchmark's output. @throws where it fails */
async function bench(args: readonly string[], timeoutMs = 170_000): Promise<string> {
  return (await execute(process.execPath, [script, ...args], { timeout: timeoutMs })).stdout;
}

/** Measures parts, all those of the target table if none is named. */
async function measure(folder: string, parts: readonly string[]): Promise<{ output: string; report: Report }> {
  const file = join(folder, `bench-${parts.join('-')}.json`);
  const output = await bench(['--quick', '--json', file, ...parts.flatMap((part) => ['--only', part])]);
  return { output, report: JSON.parse(await readFile(file, 'utf8')) as Report };
}

/** What holds for all rows. */
function expectWellFormed(report: Report): void {
  for (const row of report.rows) {
    expect(Object.keys(row), row.metric).toEqual(['metric', 'value', 'unit', 'anchor', 'ratio', 'target', 'ok']);
    expect(row.anchor, row.metric).toEqual({ name: expect.any(String), value: expect.any(Number), unit: row.unit });
    expect(Number.isFinite(row.value) && row.anchor.value > 0, row.metric).toBe(true);
    expect(row.ratio, row.metric).toBe(row.value / row.anchor.value);
  }
  const names = report.rows.map(({ metric, anchor }) => `${metric} / ${anchor.name}`);
  expect(new Set(names).size).toBe(names.length);
}

/** Names of the parts in the rows. */
const partsOf = (report: Report) => [...new Set(report.rows.map(({ metric }) => metric.split(':')[0]))];

/** Times depend on the machine and on what else it does: only the form is looked at. */
describe('npm run bench -- --quick --json FILE', () => {
  let folder: string;
  let output: string;
  let report: Report;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vesper-bench-test-'));
    ({ output, report } = await measure(folder, []));
  }, 180_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('writes rows with figures, what they are compared with, and the ratio of both', () => {
    expect(report.rows.length).toBeGreaterThan(40);
    expectWellFormed(report);
  });

  it('judges the rows that have a target, and only these', () => {
    const verdicts = report.rows.map(({ metric, ok }) => ({ metric, ok }));
    expect(verdicts).toEqual(
      report.rows.map(({ metric, value, ratio, target }) => {
        if (target === null) return { metric, ok: null };
        const judged = target.of === 'value' ? value : ratio;
        return { metric, ok: judged <= (target.atMost ?? Infinity) && judged >= (target.atLeast ?? -Infinity) };
      }),
    );
  });

  it('measures every part', () => {
    const all = ['host', 'end to end', 'round trip', 'bulk', 'ring', 'sustained', 'guest', 'bytes'];
    expect(partsOf(report)).toEqual(all);
  });

  it('names the driver and the runtime, and prints the same rows', () => {
    expect(report.environment).toMatchObject({
      driver: { description: expect.any(String) },
      dawn: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      node: process.versions.node,
      effort: 'quick',
    });
    for (const { metric } of report.rows) expect(output).toContain(metric);
  });
});

describe('npm run bench -- --quick --only PART', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vesper-bench-test-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('compares codecs by time and by bytes', async () => {
    const { report } = await measure(folder, ['codecs']);
    expectWellFormed(report);
    const kinds = ['draw', 'setBindGroup', 'createRenderPipeline'];
    const figures = ['encode', 'decode', 'size'];
    expect(new Set(report.rows.map(({ metric, anchor }) => `${metric} / ${anchor.name}`))).toEqual(
      new Set(
        ['JSON', 'msgpackr', 'protobufjs'].flatMap((codec) =>
          kinds.flatMap((kind) => figures.map((figure) => `codec: ${kind}, ${figure} / ${codec}`)),
        ),
      ),
    );
  }, 180_000);

  it('runs whole workloads, and grows', async () => {
    const { report } = await measure(folder, ['workloads', 'growth', 'guests', 'memory']);
    expectWellFormed(report);
    expect(partsOf(report)).toEqual(['workload', 'growth', 'guests', 'memory']);
    const calls = report.rows.filter(({ metric }) => metric.startsWith('workload: calls of:'));
    expect(calls.length).toBe(12);
    expect(report.curves.map(({ name }) => name)).toEqual([
      ...['commands', 'objects', 'guests'].flatMap((what) => [`${what}-time`, `${what}-memory`]),
      'steady-memory',
    ]);
    for (const { name, series } of report.curves) {
      for (const { points } of series) expect(points.length, name).toBeGreaterThan(0);
    }

    const [first, second] = [
      join(folder, 'bench-codecs.json'),
      join(folder, 'bench-workloads-growth-guests-memory.json'),
    ];
    await bench(['--report', first, '--report', second, '--out', folder]);
    const page = await readFile(join(folder, 'RESULTS.md'), 'utf8');
    for (const { metric } of report.rows) expect(page).toContain(metric);
    const plots = await readdir(join(folder, 'plots'));
    for (const [, file] of page.matchAll(/\]\(plots\/(.*?)\)/g)) expect(plots).toContain(file);
    expect(plots.length).toBe(1 + report.curves.length);

    await expect(bench(['--report', first, '--report', first, '--out', folder])).rejects.toThrow(/measured twice/);
  }, 180_000);

  it.each([
    [['--only', 'hosts'], /there is no part "hosts"[^]*usage:/],
    [['--hosts'], /Unknown option '--hosts'\nusage:/],
    [['--json', '/nonexistent/run.json'], /nothing can be written in \/nonexistent\nusage:/],
    [['--out', 'here'], /--out says where a --report goes\nusage:/],
    [['--report', 'run.json', '--quick'], /--report measures nothing: --quick\?\nusage:/],
    [['--chromium', '--only', 'ring'], /--chromium measures one thing/],
    [['--report', 'package.json'], /package.json is not in test\/bench\/results: say with --out/],
    [['--report', 'package.json', '--out', '/nonexistent'], /package.json is nothing that npm run bench/],
    [['--report', 'README.md', '--out', '/nonexistent'], /README.md: [^]*JSON/],
  ])('says what is wrong with %j, before anything is measured or written', async (args, message) => {
    await expect(bench(args)).rejects.toThrow(message);
  });
});

describe('RESULTS.md', () => {
  it('is what is made of the files in results', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vesper-bench-test-'));
    try {
      const results = (await readdir(join(here, 'results'))).map((file) => join(here, 'results', file));
      await bench(['--report', ...results, '--out', folder]);
      const plots = await readdir(join(here, 'plots'));
      expect(await readdir(join(folder, 'plots'))).toEqual(plots);
      for (const file of ['RESULTS.md', ...plots.map((plot) => join('plots', plot))]) {
        expect(await readFile(join(folder, file), 'utf8'), file).toBe(await readFile(join(here, file), 'utf8'));
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
