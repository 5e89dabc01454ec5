import {
  GPUFeatureNameNumbers,
  GPUSupportedLimits,
  wrapGPUSupportedLimits,
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

/** The limits that objects of the program show, for those that the classes do not know. */
const shownBy = new WeakMap<object, GPUSupportedLimitsImplementation>();

/** Limits of a host whose WebGPU is newer than this guest's are attributes too: programs list all with `for…in`. */
function showUnknown(limits: GPUSupportedLimitsImplementation): void {
  const { prototype } = GPUSupportedLimits;
  for (const name of Object.keys(limits)) {
    if (name in prototype || !/^(min|max)[A-Z]\w{0,100}$/.test(name)) continue;
    Object.defineProperty(prototype, name, {
      get(this: object) {
        const shown = shownBy.get(this);
        if (shown === undefined) throw new TypeError('Illegal invocation');
        return limitValue(shown, name);
      },
      enumerable: true,
      configurable: true,
    });
  }
  shownBy.set(wrapGPUSupportedLimits(limits), limits);
}

/** The host's report; features that this guest does not know are left out, as it cannot ask for them. */
export function capabilities({ features, limits: given, info }: VesperCapabilitiesValue): Capabilities {
  const limits = Object.fromEntries(given) as unknown as GPUSupportedLimitsImplementation;
  showUnknown(limits);
  return {
    features: {
      values: new Set(
        features.filter((name) => GPUFeatureNameNumbers[name as keyof typeof GPUFeatureNameNumbers] !== undefined),
      ),
    },
    limits,
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
