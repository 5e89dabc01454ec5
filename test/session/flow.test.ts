import type { Transport } from '@vesper-gpu/wire';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Flow } from '../../packages/host/src/flow.ts';

describe('a guest that has to wait', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function flow(): { held: Flow; calls: string[] } {
    const calls: string[] = [];
    const transport = { pause: () => calls.push('pause'), resume: () => calls.push('resume') } as unknown as Transport;
    return {
      calls,
      held: new Flow(
        transport,
        () => calls.push('go on'),
        () => calls.push('too long'),
      ),
    };
  }

  it('does so until the last reason is gone', () => {
    const { held, calls } = flow();
    held.hold('rate');
    held.hold('submits');
    held.release('rate');
    held.release('rate');
    expect([held.isHeld, ...calls]).toEqual([true, 'pause']);
    held.release('submits');
    expect([held.isHeld, ...calls]).toEqual([false, 'pause', 'go on', 'resume']);
  });

  it('is not waited for longer than a minute where it owes something', () => {
    const { held, calls } = flow();
    held.hold('rate');
    vi.advanceTimersByTime(61_000);
    expect(calls).toContain('too long');
  });

  it('may read as slowly as it likes, also once it has owed something', () => {
    const { held, calls } = flow();
    held.hold('guest-does-not-read');
    held.hold('rate');
    vi.advanceTimersByTime(30_000);
    held.release('rate');
    vi.advanceTimersByTime(600_000);
    expect(calls).not.toContain('too long');
    held.release('guest-does-not-read');
    expect(held.isHeld).toBe(false);
  });
});
