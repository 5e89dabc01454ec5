import { policyCommands, policyGroups, PROTOCOL } from '@vesper-gpu/protocol/host';
import { policyPaths } from './catalog.ts';
import { DEFAULTS } from './defaults.ts';
import { defaultLimits } from './default-limits.ts';
import { bitNames, leafOf, type Learned } from './learned.ts';
import { printJson, type PrintedJson } from './print-json.ts';
import { parsePolicyFile } from './policy-file.ts';

/** How {@link policyOf} writes a policy. */
export interface LearnedPolicyOptions {
  /** Name of the file's only role; default `learned`. */
  readonly role?: string;
  /**
   * Which shader modules are allowed. `hashes`, the default: those that there were, and no others. `limits`: any that
   * cost no more; also where there are no hashes.
   */
  readonly shaders?: 'hashes' | 'limits';
}

const DISPATCH = 'GPUComputePassEncoder.dispatchWorkgroups';
const CORE_FEATURE = 'core-features-and-limits';
/** What a policy gives whether or not it names it, as soon as it names anything. */
const GIVEN_GROUPS: ReadonlySet<string> = new Set(['core', 'adapter']);

/**
 * Writes the smallest policy that allows what was learned, as the text of a policy file.
 *
 * Limits of objects and GPU memory are powers of two an eighth above the peak at least: when a guest's engine collects
 * what its program has let go of varies between runs. How long the GPU may be busy is left to the defaults. Nobody sees what a
 * program makes of the adapter's info and of limits that it does not ask for, so both are redacted: one that looks at
 * them may do something else under this policy.
 * @throws PolicyError when the role's name is none
 */
export function policyOf(
  learned: Learned,
  { role = 'learned', shaders = 'hashes' }: LearnedPolicyOptions = {},
): string {
  const wgsl = wgslOf(learned, shaders);
  const where = whereOf(learned);
  const features = learned.features.filter((name) => name !== CORE_FEATURE);
  const limits = Object.entries(learned.limits).filter(([name, value]) => isBetterThanDefault(name, value));
  const file = {
    vesperPolicy: 1,
    schemaRevision: PROTOCOL.schemaRevision,
    roles: {
      [role]: {
        allow: allowOf(learned),
        features,
        ...(limits.length === 0 ? {} : { limits: Object.fromEntries(limits) }),
        ...(Object.keys(where).length === 0 ? {} : { where }),
        ...(wgsl === undefined ? {} : { wgsl }),
        budget: {
          gpuMemory: sizeText(roomFor(learned.peakMemoryBytes)),
          objects: roomFor(learned.peakObjects),
        },
        adapterInfo: 'redacted',
        timestamps: features.includes('timestamp-query') ? { quantumUs: DEFAULTS.quantumUs } : 'deny',
      },
    },
  };
  const text = `${printJson(file)}\n`;
  parsePolicyFile(text, 'the learned policy');
  return text;
}

/** Groups that were used as a whole, then single commands by their interface. */
function allowOf({ commands }: Learned): string[] {
  const used = new Set(commands);
  const groups: string[] = [];
  const single: string[] = [];
  for (const group of policyGroups) {
    if (GIVEN_GROUPS.has(group)) continue;
    const names = policyCommands.filter((command) => command.group === group).map(({ name }) => name);
    const usedNames = names.filter((name) => used.has(name));
    if (names.length > 0 && usedNames.length === names.length) groups.push(`@${group}`);
    else single.push(...usedNames);
  }
  // Who only asks for an adapter has to name that.
  if (groups.length + single.length === 0) {
    const adapter = policyCommands.filter(({ name, group }) => group === 'adapter' && used.has(name));
    return adapter.slice(0, 1).map(({ name }) => name);
  }
  return [...groups, ...single.toSorted()];
}

function whereOf({ flags, enums, maxWorkgroups }: Learned): Record<string, PrintedJson> {
  const where = new Map<string, PrintedJson>();
  for (const [path, bits] of Object.entries(flags)) {
    const target = policyPaths.get(path);
    if (target?.kind !== 'field') continue;
    const leaf = leafOf(target.field.type);
    // Bits without a name are WebGPU's to judge, and no policy can allow them but by silence.
    const names = leaf.kind === 'flags' ? bitNames(leaf.name, bits) : undefined;
    if (names !== undefined) where.set(path, { within: names });
  }
  for (const [path, names] of Object.entries(enums)) if (names.length > 0) where.set(path, { oneOf: names });
  if (maxWorkgroups > 0 && maxWorkgroups <= Number.MAX_SAFE_INTEGER) where.set(DISPATCH, { productMax: maxWorkgroups });
  return Object.fromEntries([...where].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function wgslOf({ shaders }: Learned, by: 'hashes' | 'limits'): Record<string, PrintedJson> | undefined {
  if (shaders.modules === 0) return undefined;
  if (by === 'hashes' && shaders.sha256 !== undefined) return { sha256: shaders.sha256 };
  return {
    maxBytes: sizeText(powerOfTwo(shaders.maxBytes)),
    maxFunctions: powerOfTwo(shaders.maxFunctions),
    maxExpandedCalls: powerOfTwo(shaders.maxExpandedCalls),
  };
}

/** What every device has needs no mention; named, a worse limit would be shown for the adapter's. */
function isBetterThanDefault(name: string, value: number): boolean {
  const standard = defaultLimits[name];
  if (standard === undefined) return true;
  return name.startsWith('min') ? value < standard : value > standard;
}

/** A power of two that leaves room for a run that lets go of its objects later. */
function roomFor(peak: number): number {
  return powerOfTwo(peak + Math.ceil(peak / 8));
}

/** The least power of two from `value`; 0 for 0. */
function powerOfTwo(value: number): number {
  return value <= 0 ? 0 : Math.min(Number.MAX_SAFE_INTEGER, 2 ** Math.ceil(Math.log2(value)));
}

/** Bytes as policy files have them: in the largest unit that leaves them whole. */
function sizeText(bytes: number): PrintedJson {
  for (const [unit, size] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const)
    if (bytes > 0 && bytes % size === 0) return `${bytes / size}${unit}`;
  return bytes;
}
