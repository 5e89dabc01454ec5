import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_AUDIT_ENTRIES, readExecutorMessage } from './messages.ts';

describe('messages of an executor', () => {
  it('are bounded, whatever it says', () => {
    const names = [
      'type',
      'entries',
      'dropped',
      'usage',
      'path',
      'rule',
      'value',
      'verdict',
      'sequence',
      'gpuMemory',
      'commands',
    ];
    const anything = fc.anything({ key: fc.constantFrom(...names), maxDepth: 4 });
    const typed = fc.record({
      type: fc.constantFrom('audit', 'usage', 'learned', 'ended', 'ready', 'flushed'),
      entries: fc.oneof(anything, fc.array(anything)),
      usage: anything,
      learned: anything,
      report: anything,
      dropped: anything,
    });
    fc.assert(
      fc.property(fc.oneof(anything, typed), (value) => {
        expect(JSON.stringify(readExecutorMessage(value) ?? '').length).toBeLessThan(100_000);
      }),
    );
  });

  it('keep what makes sense of an audit', () => {
    const good = {
      path: 'a\nb',
      rule: 'x'.repeat(1000),
      value: 5,
      verdict: 'refused',
      sequence: -1,
      payload: 'secret',
    };
    const entries = [good, { ...good, verdict: 'other' }, null, ...Array.from({ length: 200 }, () => good)];
    const message = readExecutorMessage({ type: 'audit', entries, dropped: 3 });
    const clean = { path: 'a b', rule: 'x'.repeat(100), verdict: 'refused', sequence: 0 };
    expect(message).toEqual({
      type: 'audit',
      entries: Array.from({ length: MAX_AUDIT_ENTRIES - 2 }, () => clean),
      dropped: 3 + 2 + 203 - MAX_AUDIT_ENTRIES,
    });
  });

  it('count with numbers only', () => {
    const usage = { receivedBytes: NaN, sentBytes: '5', commands: -1, requests: Infinity, objects: 4, gpuMs: 1.5 };
    expect(readExecutorMessage({ type: 'usage', usage })).toEqual({
      type: 'usage',
      usage: {
        receivedBytes: 0,
        sentBytes: 0,
        commands: 0,
        requests: 0,
        objects: 4,
        gpuMemory: 0,
        gpuMs: 1.5,
        refusals: 0,
      },
    });
  });
});
