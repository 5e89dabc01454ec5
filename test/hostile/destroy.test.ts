import { describe, expect, it, vi } from 'vitest';
import { NullGpu } from './null-gpu.ts';
import { attacks, recordProgram, replay, verdict } from './programs/replay.mjs';

/** On the real backend a sample of the same is run: see backend.test.ts. */
describe('a recorded program', () => {
  it('with any object released or destroyed at any step ends in peace, or as a violation that is named', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const recording = await recordProgram(
      new NullGpu().api,
      () => import('../e2e/programs/compute-and-render.mjs' as string),
    );
    vi.restoreAllMocks();
    expect(await replay(new NullGpu().api, recording, undefined)).toMatchObject({ reason: 'closed' });
    const all = attacks(recording.records);
    expect(all.length).toBeGreaterThan(500);
    const reasons = new Map<string, number>();
    const wrong: string[] = [];
    for (const attack of all) {
      const backend = new NullGpu();
      const how = await replay(backend.api, recording, attack);
      reasons.set(how.reason, (reasons.get(how.reason) ?? 0) + 1);
      const found = verdict(how);
      if (found !== undefined) wrong.push(`${attack.what} before step ${attack.step}: ${found}`);
      if (backend.devices.some((device) => device.destroyed === 0)) wrong.push(`${attack.what}: a device is left`);
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect([...reasons.keys()].toSorted()).toEqual(['closed', 'protocol']);
  });
});
