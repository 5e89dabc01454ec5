import type { api, VesperCapabilitiesValue } from '@vesper-gpu/protocol/host';
import { defaultLimits } from './default-limits.ts';
import type { Policy } from './policy.ts';
import { withoutAdapter } from './redact-text.ts';

/** Every adapter that WebGPU gives has it, and no policy needs to name it. https://www.w3.org/TR/webgpu/#core-features-and-limits */
const CORE = 'core-features-and-limits';

/** Subgroup sizes that say nothing of an adapter. https://www.w3.org/TR/webgpu/#dom-gpuadapterinfo-subgroupminsize */
const SUBGROUP_SIZES = { subgroupMinSize: 4, subgroupMaxSize: 128 };

/** What a guest is shown of adapters under a policy, and what it may ask of them. */
export class AdapterView {
  readonly #policy: Policy;
  readonly #features: ReadonlySet<string>;

  constructor(policy: Policy) {
    this.#policy = policy;
    this.#features = new Set([
      CORE,
      ...policy.features.filter((name) => name !== 'timestamp-query' || policy.timestamps !== 'deny'),
    ]);
  }

  /** What the backend is asked for. */
  options(options: api.GPURequestAdapterOptions): api.GPURequestAdapterOptions {
    const own = this.#policy.adapterInfo === 'deny' ? {} : options;
    return this.#policy.forceFallbackAdapter ? { ...own, forceFallbackAdapter: true } : own;
  }

  /** What is told of an adapter. */
  ofAdapter(given: VesperCapabilitiesValue): VesperCapabilitiesValue {
    return { ...this.ofDevice(given), limits: given.limits.map(([name, value]) => [name, this.#limit(name, value)]) };
  }

  /** What is told of a device: its limits are those that were asked for. */
  ofDevice(given: VesperCapabilitiesValue): VesperCapabilitiesValue {
    return {
      features: given.features.filter((name) => this.#features.has(name)),
      limits: given.limits,
      info: this.#info(given.info),
    };
  }

  #info(info: VesperCapabilitiesValue['info']): VesperCapabilitiesValue['info'] {
    switch (this.#policy.adapterInfo) {
      case 'full':
        return info;
      case 'bucketed':
        return { ...info, device: '', description: '', ...SUBGROUP_SIZES };
      default:
        return {
          vendor: '',
          architecture: '',
          device: '',
          description: '',
          ...SUBGROUP_SIZES,
          isFallbackAdapter: false,
        };
    }
  }

  #limit(name: string, value: number): number {
    const isAlignment = name.startsWith('min');
    const worse = isAlignment ? Math.max : Math.min;
    const { adapterInfo, limits } = this.#policy;
    const allowed = Object.hasOwn(limits, name) ? worse(value, limits[name]!) : value;
    const standard = defaultLimits[name];
    // What WebGPU guarantees tells nothing; a limit that this table lacks is told as it is.
    if (adapterInfo === 'full' || standard === undefined) return allowed;
    if (adapterInfo === 'bucketed')
      return isAlignment ? allowed : Math.max(worse(allowed, standard), powerOfTwo(allowed));
    return Object.hasOwn(limits, name) ? allowed : worse(allowed, standard);
  }

  /** What is told of a message of the backend, which may name limits of the adapter. */
  ofMessage(message: string): string {
    return this.#policy.adapterInfo === 'full' ? message : withoutAdapter(message);
  }

  /** Why a device may not be had; the guest's library asks for nothing that it was not shown, others may. */
  refusal(descriptor: api.GPUDeviceDescriptor, adapter: VesperCapabilitiesValue): Error | undefined {
    for (const feature of descriptor.requiredFeatures ?? []) {
      if (!this.#features.has(feature))
        return new TypeError(
          `GPUAdapter.requestDevice: the policy of this guest does not allow the feature "${feature}"`,
        );
    }
    const shown = new Map(this.ofAdapter(adapter).limits);
    for (const [name, value] of Object.entries(descriptor.requiredLimits ?? {})) {
      const best = shown.get(name);
      if (best === undefined || value === undefined) continue;
      if (name.startsWith('min') ? value >= best : value <= best) continue;
      const message = `GPUAdapter.requestDevice: the policy of this guest allows ${name} to be ${best}, not ${value}`;
      return Object.assign(new Error(message), { name: 'OperationError' });
    }
    return undefined;
  }
}

function powerOfTwo(value: number): number {
  return value < 1 ? value : 2 ** Math.floor(Math.log2(value));
}
