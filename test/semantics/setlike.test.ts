import { describe, expect, it } from 'vitest';
import { call, rejectionName, thrownName } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';

// client-semantics.md, section 1: setlike features, and limits as a record. Dawn for Node takes only Arrays as
// requiredFeatures, refuses adapter.limits as requiredLimits, and its sets lack values, entries and forEach.

const guest = useGuest();

describe('features', () => {
  it('are a set that cannot be changed', () => {
    for (const features of [guest.adapter.features, guest.device.features, guest.gpu.wgslLanguageFeatures]) {
      const names = [...features];
      expect(names.length).toBeGreaterThan(0);
      expect(features.size).toBe(names.length);
      expect([...features.keys()]).toEqual(names);
      expect([...features.values()]).toEqual(names);
      expect([...features.entries()]).toEqual(names.map((name) => [name, name]));
      expect(new Set(features)).toEqual(new Set(names));
      expect(features.has(names[0]!)).toBe(true);
      expect(features.has('no-such-feature')).toBe(false);
      expect(Reflect.has(features, 'add')).toBe(false);
      expect(Reflect.get(features, Symbol.iterator)).toBe(features.values);
      expect(Object.keys(features)).toEqual([]);
    }
  });

  it('call forEach back with the value twice and the set itself', () => {
    const { features } = guest.adapter;
    const seen: unknown[] = [];
    const self = {};
    features.forEach(function (this: unknown, value, key, set) {
      seen.push([value, key, set === features, this === self]);
    }, self);
    expect(seen).toEqual([...features].map((name) => [name, name, true, true]));
  });

  it('convert the argument of has to a string', () => {
    const [name] = guest.adapter.features;
    expect(call(guest.adapter.features, 'has', { toString: () => name })).toBe(true);
    expect(thrownName(() => call(guest.adapter.features, 'has', Symbol('x')))).toBe('TypeError');
  });

  it('can be passed on as requiredFeatures, as can any iterable', async () => {
    const { adapter } = guest;
    const wanted = [...adapter.features] as GPUFeatureName[];
    const iterables: Iterable<GPUFeatureName>[] = [
      adapter.features as Iterable<GPUFeatureName>,
      new Set(wanted),
      (function* () {
        yield* wanted;
      })(),
    ];
    for (const requiredFeatures of iterables) {
      const device = await guest.newDevice({ requiredFeatures });
      expect(new Set(device.features)).toEqual(new Set(adapter.features));
      device.destroy();
    }
  });

  it('of a device are those that were asked for, with core-features-and-limits', async () => {
    const device = await guest.newDevice({ requiredFeatures: ['timestamp-query'] });
    expect(device.features.has('timestamp-query')).toBe(true);
    expect(device.features.has('core-features-and-limits')).toBe(true);
    expect(device.features.has('depth32float-stencil8')).toBe(false);
    device.destroy();
  });

  it('are enumerations: each element becomes a string', async () => {
    const device = await guest.newDevice({ requiredFeatures: [['bgra8unorm-storage']] as unknown as GPUFeatureName[] });
    expect(device.features.has('bgra8unorm-storage')).toBe(true);
    device.destroy();
    expect(
      await rejectionName(() =>
        guest.newDevice({ requiredFeatures: 'bgra8unorm-storage' as unknown as GPUFeatureName[] }),
      ),
    ).toBe('TypeError');
  });
});

describe('limits', () => {
  it('are listed by for…in, each a number', () => {
    const limits: Record<string, unknown> = {};
    for (const name in guest.adapter.limits) limits[name] = Reflect.get(guest.adapter.limits, name);
    expect(Object.keys(limits).length).toBeGreaterThanOrEqual(30);
    for (const [name, value] of Object.entries(limits)) expect(value, name).toBeTypeOf('number');
    expect(limits['maxBufferSize']).toBeGreaterThanOrEqual(2 ** 28);
  });

  it('can all be asked for, by name', async () => {
    const requiredLimits: Record<string, number> = {};
    for (const name in guest.adapter.limits) requiredLimits[name] = Reflect.get(guest.adapter.limits, name) as number;
    const device = await guest.newDevice({ requiredLimits });
    for (const name in guest.adapter.limits) expect(Reflect.get(device.limits, name), name).toBe(requiredLimits[name]);
    device.destroy();
  });

  it('as an object are no record: adapter.limits as requiredLimits asks for nothing', async () => {
    const plain = await guest.newDevice();
    const device = await guest.newDevice({ requiredLimits: guest.adapter.limits as unknown as Record<string, number> });
    for (const name in plain.limits)
      expect(Reflect.get(device.limits, name), name).toBe(Reflect.get(plain.limits, name));
    plain.destroy();
    device.destroy();
  });

  it('that are worse than the default become the default', async () => {
    const device = await guest.newDevice({
      requiredLimits: { maxBindGroups: 1, minUniformBufferOffsetAlignment: 2 ** 31 },
    });
    expect(device.limits.maxBindGroups).toBe(4);
    expect(device.limits.minUniformBufferOffsetAlignment).toBe(256);
    device.destroy();
  });

  it('take only own enumerable keys, in order, and let undefined be', async () => {
    const reads: string[] = [];
    const record = Object.create(
      { maxBindGroups: 1e9 },
      { maxSamplersPerShaderStage: { value: 1e9, enumerable: false } },
    ) as Record<string, number>;
    Object.defineProperty(record, 'maxVertexBuffers', { enumerable: true, get: () => (reads.push('b'), 8) });
    Object.defineProperty(record, 'maxBindingsPerBindGroup', {
      enumerable: true,
      get: () => (reads.push('a'), undefined),
    });
    (record as Record<string, unknown>)['noSuchLimit'] = undefined;
    const device = await guest.newDevice({ requiredLimits: record });
    expect(reads).toEqual(['b', 'a']);
    expect(device.limits.maxBindGroups).toBe(4);
    device.destroy();
  });
});
