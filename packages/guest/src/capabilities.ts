import {
  GPUFeatureNameNumbers,
  type GPUAdapterInfoImplementation,
  type GPUSupportedFeaturesImplementation,
  type GPUSupportedLimitsImplementation,
  type VesperCapabilitiesValue,
} from '@vesper-gpu/protocol/guest';

/** What an adapter or a device can do, as its attributes show it. */
export interface Capabilities {
  readonly features: GPUSupportedFeaturesImplementation;
  readonly limits: GPUSupportedLimitsImplementation;
  readonly info: GPUAdapterInfoImplementation;
}

/** The host's report; features that this guest does not know are left out, as it cannot ask for them. */
export function capabilities({ features, limits, info }: VesperCapabilitiesValue): Capabilities {
  return {
    features: {
      values: new Set(
        features.filter((name) => GPUFeatureNameNumbers[name as keyof typeof GPUFeatureNameNumbers] !== undefined),
      ),
    },
    limits: Object.fromEntries(limits) as unknown as GPUSupportedLimitsImplementation,
    info: { ...info },
  };
}

/** A limit's value by its name; undefined for a name that is no limit. */
export function limitValue(limits: GPUSupportedLimitsImplementation, name: string): number | undefined {
  const value: unknown = Object.hasOwn(limits, name)
    ? limits[name as keyof GPUSupportedLimitsImplementation]
    : undefined;
  return typeof value === 'number' ? value : undefined;
}
