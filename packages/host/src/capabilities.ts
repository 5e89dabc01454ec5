import type { api, VesperCapabilitiesValue } from '@vesper-gpu/protocol/host';

/** What an adapter or a device of the backend can do, as it is told to the guest. */
export function capabilitiesOf(
  features: api.GPUSupportedFeatures,
  limits: api.GPUSupportedLimits,
  info: api.GPUAdapterInfo,
): VesperCapabilitiesValue {
  const entries: [string, number][] = [];
  for (const name in limits) {
    const value: unknown = limits[name as keyof api.GPUSupportedLimits];
    if (typeof value === 'number') entries.push([name, value]);
  }
  return {
    features: [...features],
    limits: entries,
    info: {
      vendor: normalized(info.vendor),
      architecture: normalized(info.architecture),
      device: normalized(info.device),
      description: String(info.description ?? ''),
      subgroupMinSize: info.subgroupMinSize ?? 0,
      subgroupMaxSize: info.subgroupMaxSize ?? 0,
      isFallbackAdapter: Boolean(info.isFallbackAdapter),
    },
  };
}

/** A normalized identifier string: Dawn for Node can leave a dash at its end. https://www.w3.org/TR/webgpu/#normalized-identifier-string */
function normalized(text: string | undefined): string {
  return (text ?? '').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '');
}
