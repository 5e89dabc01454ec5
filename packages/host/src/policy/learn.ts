import {
  policyCommands,
  policyDictionaries,
  type api,
  type PolicyCommand,
  type PolicyField,
  type PolicyType,
} from '@vesper-gpu/protocol/host';
import { elementsOf, isOf, productOf } from './check.ts';
import type { Guard } from './guard.ts';
import { betterLimit, isLimit, leafOf, MAX_HASHES, type Learned } from './learned.ts';
import type { Sha256 } from './shader-cost.ts';
import { scanWgsl } from './wgsl-scan.ts';

/** Looks at a value that was used. */
type Look = (value: unknown) => void;

/** Features have a list of their own. */
const REQUIRED_FEATURES = 'GPUDeviceDescriptor.requiredFeatures';

/** What a session counts anyway. */
export interface LearnedSession {
  objectCount(): number;
  commandCount(): number;
  receivedBytes(): number;
  peakMemoryBytes(): number;
}

/**
 * Watches one session, and says what it used. Give it to `serveGuest` as `learn`, and read `learned()` at any time.
 * It sees what is executed, not what a policy refuses.
 */
export class Learner {
  readonly #commands = new Set<string>();
  readonly #flags = new Map<string, number>();
  readonly #enums = new Map<string, Set<string>>();
  readonly #features = new Set<string>();
  readonly #limits = new Map<string, number>();
  #maxWorkgroups = 0;
  readonly #shaders = { modules: 0, maxBytes: 0, maxFunctions: 0, maxExpandedCalls: 0 };
  /** Undefined once there is no saying which modules there were. */
  #hashes: Set<string> | undefined = new Set();
  #peakObjects = 0;
  #refusals = 0;
  #session: LearnedSession | undefined;
  /** What looks at dictionaries, while it is being made too. */
  readonly #dictionaries = new Map<string, Look | undefined>();

  /**
   * Watches a session from now on; `serveGuest` calls it.
   * @param sha256 without it, modules are not told apart
   */
  follow(guard: Guard, session: LearnedSession, sha256: Sha256 | undefined): void {
    if (this.#session !== undefined) throw new Error('a Learner is for one session');
    this.#session = session;
    if (sha256 === undefined) this.#hashes = undefined;
    for (const command of policyCommands) this.#followCommand(guard, command, session);
    this.#followShaders(guard, sha256);
    this.#followDevices(guard);
  }

  /** The session's policy has refused something; `serveGuest` calls it. */
  refused(): void {
    this.#refusals++;
  }

  /** What was used until now. */
  learned(): Learned {
    const session = this.#session;
    return {
      commands: [...this.#commands].toSorted(),
      flags: Object.fromEntries(sorted(this.#flags)),
      enums: Object.fromEntries(sorted(this.#enums).map(([path, names]) => [path, [...names].toSorted()])),
      features: [...this.#features].toSorted(),
      limits: Object.fromEntries(sorted(this.#limits)),
      maxWorkgroups: this.#maxWorkgroups,
      shaders: {
        ...this.#shaders,
        ...(this.#hashes === undefined ? {} : { sha256: [...this.#hashes].toSorted() }),
      },
      peakMemoryBytes: session?.peakMemoryBytes() ?? 0,
      peakObjects: this.#peakObjects,
      totalCommands: session?.commandCount() ?? 0,
      totalBytes: session?.receivedBytes() ?? 0,
      refusals: this.#refusals,
    };
  }

  #followCommand(guard: Guard, command: PolicyCommand, session: LearnedSession): void {
    const { name, fields, leading, creates } = command;
    const looks: ((args: readonly unknown[]) => void)[] = [];
    // Every policy allows the core group, with whatever arguments.
    for (const [i, field] of command.group === 'core' ? [] : fields.entries()) {
      const look = this.#field(`${name}.${field.name}`, field);
      if (look !== undefined) looks.push((args) => look(args[leading + i]));
    }
    if (name === 'GPUComputePassEncoder.dispatchWorkgroups')
      looks.push((args) => {
        this.#maxWorkgroups = Math.max(this.#maxWorkgroups, productOf(args.slice(leading)));
      });
    // Here a budget would be compared with the same count.
    if (creates > 0)
      looks.push(() => {
        this.#peakObjects = Math.max(this.#peakObjects, session.objectCount());
      });
    guard.around(name, (next, args) => {
      this.#commands.add(name);
      for (const look of looks) look(args);
      return next(...args);
    });
  }

  /** Looks at a field or argument that may be absent, and at what is in it. */
  #field(path: string, { type, default: fallback }: PolicyField): Look | undefined {
    // No type is a dictionary and a set of flags at once.
    const leaf = path === REQUIRED_FEATURES ? undefined : this.#leaf(path, leafOf(type));
    const look = leaf === undefined || leafOf(type) === type ? (leaf ?? this.#type(type)) : eachOf(leaf);
    if (look === undefined) return undefined;
    // A guest's library may leave out what is the default, another one may not: it is used either way.
    return (value) => present(value === undefined ? fallback : value, look);
  }

  #leaf(path: string, leaf: PolicyType): Look | undefined {
    if (leaf.kind === 'flags') {
      return (value) => void this.#flags.set(path, ((this.#flags.get(path) ?? 0) | Number(value)) >>> 0);
    }
    if (leaf.kind !== 'enum') return undefined;
    return (value) => {
      const names = this.#enums.get(path);
      if (names === undefined) this.#enums.set(path, new Set([String(value)]));
      else names.add(String(value));
    };
  }

  /** Looks at the fields of the dictionaries that a value of a type can hold. */
  #type(type: PolicyType): Look | undefined {
    switch (type.kind) {
      case 'dictionary':
        return this.#dictionary(type.name);
      case 'sequence':
      case 'record': {
        const look = this.#type(type.element);
        return look && eachOf(look);
      }
      case 'union': {
        const looks = type.members.flatMap((member) => {
          const look = this.#type(member);
          return look === undefined ? [] : [(value: unknown) => void (isOf(value, member) && look(value))];
        });
        return allOf(looks);
      }
      default:
        return undefined;
    }
  }

  #dictionary(name: string): Look | undefined {
    if (this.#dictionaries.has(name)) return this.#dictionaries.get(name);
    // A dictionary that holds itself is looked at through this, once it is known.
    this.#dictionaries.set(name, (value) => this.#dictionaries.get(name)?.(value));
    const looks: Look[] = [];
    for (const field of policyDictionaries[name] ?? []) {
      const look = this.#field(`${name}.${field.name}`, field);
      if (look !== undefined) looks.push((value) => look((value as Record<string, unknown>)[field.name]));
    }
    const look = allOf(looks);
    this.#dictionaries.set(name, look);
    return look;
  }

  #followShaders(guard: Guard, sha256: Sha256 | undefined): void {
    const encoder = new TextEncoder();
    guard.around('GPUDevice.createShaderModule', (next, args) => {
      const { code } = args[1] as api.GPUShaderModuleDescriptor;
      const cost = scanWgsl(code);
      const shaders = this.#shaders;
      shaders.modules++;
      shaders.maxBytes = Math.max(shaders.maxBytes, cost.bytes);
      shaders.maxFunctions = Math.max(shaders.maxFunctions, cost.functions);
      // Functions that call each other in a circle have no end; JSON has no infinity.
      const calls = Math.min(cost.expandedCalls, Number.MAX_SAFE_INTEGER);
      shaders.maxExpandedCalls = Math.max(shaders.maxExpandedCalls, calls);
      if (sha256 !== undefined && this.#hashes !== undefined) {
        this.#hashes.add(sha256(encoder.encode(code)));
        if (this.#hashes.size > MAX_HASHES) this.#hashes = undefined;
      }
      return next(...args);
    });
  }

  /** Only what a device was made with: a program may ask for more than there is, and go on with less. */
  #followDevices(guard: Guard): void {
    guard.around('GPUAdapter.requestDevice', async (next, args, { leading }) => {
      const { requiredFeatures = [], requiredLimits = {} } = args[leading] as api.GPUDeviceDescriptor;
      const made = await next(...args);
      for (const feature of requiredFeatures) this.#features.add(feature);
      for (const [name, value] of Object.entries(requiredLimits)) {
        if (isLimit(name, value)) this.#limits.set(name, betterLimit(name, value, this.#limits.get(name) ?? value));
      }
      return made;
    });
  }
}

/** What is null has no value to look at. */
function present(value: unknown, look: Look): void {
  if (value !== undefined && value !== null) look(value);
}

function eachOf(look: Look): Look {
  return (value) => {
    for (const element of elementsOf(value)) present(element, look);
  };
}

function allOf(looks: readonly Look[]): Look | undefined {
  if (looks.length <= 1) return looks[0];
  return (value) => {
    for (const look of looks) look(value);
  };
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
