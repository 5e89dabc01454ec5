import { globals } from '@vesper-gpu/guest';
import { describe, expect, it } from 'vitest';
import { NullGpu } from '../hostile/null-gpu.ts';
import { connected } from './pair.ts';

const { prototype } = globals['GPUSupportedLimits'] as { prototype: object };

/** A host whose WebGPU has a limit that this guest's IDL does not name. */
function newerGpu(limits: object): NullGpu {
  const backend = new NullGpu();
  backend.limits = { ...backend.limits, ...limits };
  return backend;
}

describe('a limit that the guest does not know', () => {
  it('is an attribute like the others, and can be asked for', async () => {
    const { adapter, device } = await connected({}, newerGpu({ maxWidgets: 7, minGadgetAlignment: 32 }));
    for (const limits of [adapter.limits, device.limits]) {
      const names: string[] = [];
      for (const name in limits) names.push(name);
      expect(names).toEqual(expect.arrayContaining(['maxBindGroups', 'maxWidgets', 'minGadgetAlignment']));
      expect(limits).toMatchObject({ maxWidgets: 7, minGadgetAlignment: 32 });
      expect(Object.keys(limits)).toEqual([]);
    }
    const { get } = Object.getOwnPropertyDescriptor(prototype, 'maxWidgets')!;
    expect(() => get!.call({}) as unknown).toThrow(TypeError);
  });

  it('is undefined for another host, which does not have it', async () => {
    await connected({}, newerGpu({ maxOfOneHost: 1 }));
    const { adapter } = await connected();
    expect((adapter.limits as unknown as Record<string, unknown>)['maxOfOneHost']).toBeUndefined();
  });

  it('cannot take the place of what JavaScript or WebGPU has there', async () => {
    const names = Object.getOwnPropertyNames(prototype);
    await connected({}, newerGpu({ constructor: 1, toString: 2, valueOf: 3, __proto__x: 4 }));
    expect(Object.getOwnPropertyNames(prototype)).toEqual(names);
  });
});
