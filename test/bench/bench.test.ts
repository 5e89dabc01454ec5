import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
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

interface Report {
  readonly rows: readonly Row[];
  readonly environment: Readonly<Record<string, unknown>>;
}

const script = fileURLToPath(new URL('../../scripts/bench.mjs', import.meta.url));
const run = promisify(execFile);

/** Times depend on the machine and on what else it does: only the form is looked at. */
describe('npm run bench -- --quick --json FILE', () => {
  let folder: string;
  let output: string;
  let report: Report;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vesper-bench-test-'));
    const file = join(folder, 'bench.json');
    output = (await run(process.execPath, [script, '--quick', '--json', file], { timeout: 85_000 })).stdout;
    report = JSON.parse(await readFile(file, 'utf8')) as Report;
  }, 90_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('writes rows with figures, what they are compared with, and the ratio of both', () => {
    expect(report.rows.length).toBeGreaterThan(40);
    for (const row of report.rows) {
      expect(Object.keys(row), row.metric).toEqual(['metric', 'value', 'unit', 'anchor', 'ratio', 'target', 'ok']);
      expect(row.anchor, row.metric).toEqual({
        name: expect.any(String),
        value: expect.any(Number),
        unit: row.unit,
      });
      expect(Number.isFinite(row.value) && row.anchor.value > 0, row.metric).toBe(true);
      expect(row.ratio, row.metric).toBe(row.value / row.anchor.value);
    }
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
    const parts = new Set(report.rows.map(({ metric }) => metric.split(':')[0]));
    expect([...parts]).toEqual(['host', 'end to end', 'round trip', 'bulk', 'ring', 'guest', 'bytes']);
    const names = report.rows.map(({ metric, anchor }) => `${metric} / ${anchor.name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('names the driver and the runtime, and prints the same rows', () => {
    expect(report.environment).toMatchObject({
      driver: { description: expect.any(String) },
      node: process.versions.node,
      effort: 'quick',
    });
    for (const { metric } of report.rows) expect(output).toContain(metric);
  });
});
