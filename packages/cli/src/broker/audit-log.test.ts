import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/test-broker.ts';
import { AuditLog, AuditLogError } from './audit-log.ts';
import type { SequencedEntry } from './messages.ts';

const logger = pino({ level: 'silent' });
const entry = (sequence: number): SequencedEntry => ({
  sequence,
  path: 'GPUDevice.createBuffer',
  rule: 'budget.gpuMemory',
  value: '1024',
  verdict: 'refused',
});
const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the audit log', () => {
  it('has a line for each decision', async () => {
    const file = join(temporaryFolder(), 'audit.jsonl');
    for (const guest of [1, 2]) {
      const log = new AuditLog(file, logger);
      log.write({ guest, role: 'display' }, [entry(7)]);
      log.ended({ guest, role: 'display' });
      await log.close();
    }
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const [first, second] = linesOf(file);
    expect(Object.keys(first!)).toEqual(['time', 'session', 'role', 'sequence', 'path', 'rule', 'value', 'verdict']);
    expect(first).toMatchObject({ session: 1, role: 'display', sequence: 7, verdict: 'refused' });
    expect(Date.parse(String(first!['time']))).toBeGreaterThan(Date.parse('2020-01-01'));
    expect(second).toMatchObject({ session: 2 });
  });

  it('says how many decisions it leaves out, and never leaves out the last', async () => {
    const file = join(temporaryFolder(), 'audit.jsonl');
    const log = new AuditLog(file, logger);
    const flooder = { guest: 1, role: 'a' };
    for (let i = 0; i < 50; i++)
      log.write(
        flooder,
        Array.from({ length: 100 }, (_, j) => entry(i * 100 + j)),
        10,
      );
    log.write(flooder, [{ sequence: 5000, path: 'VesperStream.ended', rule: 'budget.hangMs', verdict: 'ended' }]);
    log.write({ guest: 2, role: 'a' }, [entry(1)]);
    log.ended(flooder);
    await log.close();
    const lines = linesOf(file);
    const ofFlooder = lines.filter(({ session }) => session === 1);
    const dropped = ofFlooder.reduce((sum, line) => sum + Number(line['dropped'] ?? 0), 0);
    const written = ofFlooder.filter((line) => 'path' in line).length;
    expect(written).toBeGreaterThanOrEqual(101);
    expect(written).toBeLessThan(500);
    expect(written + dropped).toBe(50 * 110 + 1);
    expect(ofFlooder.at(-1)).toMatchObject({ rule: 'budget.hangMs', verdict: 'ended' });
    expect(lines.filter(({ session }) => session === 2)).toHaveLength(1);
  });

  it('believes in one end of a session', async () => {
    const file = join(temporaryFolder(), 'audit.jsonl');
    const log = new AuditLog(file, logger);
    const end = { sequence: 1, path: 'VesperStream.ended', rule: 'budget.hangMs', verdict: 'ended' } as const;
    for (let i = 0; i < 100; i++)
      log.write(
        { guest: 1, role: 'a' },
        Array.from({ length: 100 }, () => end),
      );
    log.ended({ guest: 1, role: 'a' }, { ...end, rule: 'messages' });
    await log.close();
    const lines = linesOf(file);
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatchObject({ rule: 'messages', verdict: 'ended' });
    expect(lines[0]).toMatchObject({ verdict: 'ended' });
    expect(lines[1]).toMatchObject({ dropped: 9999 });
  });

  it('says when it cannot be written', () => {
    expect(() => new AuditLog('/nonexistent/audit', logger)).toThrow(AuditLogError);
    expect(() => new AuditLog('/nonexistent/audit', logger)).toThrow(/cannot write the audit log \/nonexistent\/audit/);
  });
});
