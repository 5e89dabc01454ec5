import { policyCommands, policyEnums, policyFlags, type PolicyType } from '@vesper-gpu/protocol/host';
import { policyFeatures, policyLimits, policyPaths } from './catalog.ts';

/** What sessions used of WebGPU: plain data, the same in JSON. A policy is made of it by {@link policyOf}. */
export interface Learned {
  /** IDL paths of the commands that were executed; sorted. */
  readonly commands: readonly string[];
  /** For fields and arguments that are flags, by IDL path: all bits that were ever set. */
  readonly flags: Readonly<Record<string, number>>;
  /** For fields and arguments that are of an enumeration, by IDL path: the values that there were; sorted. */
  readonly enums: Readonly<Record<string, readonly string[]>>;
  /** Features that devices were made with; sorted. */
  readonly features: readonly string[];
  /** The best that devices were made with, by name of the limit. */
  readonly limits: Readonly<Record<string, number>>;
  /** Greatest product of the arguments of `GPUComputePassEncoder.dispatchWorkgroups`; 0 where it was not used. */
  readonly maxWorkgroups: number;
  /** What its shader modules were. */
  readonly shaders: LearnedShaders;
  /** The most memory that the GPU objects of one session occupied, in bytes. */
  readonly peakMemoryBytes: number;
  /** The most objects that one session had. */
  readonly peakObjects: number;
  /** Commands of all sessions. */
  readonly totalCommands: number;
  /** Bytes that all sessions received. */
  readonly totalBytes: number;
  /** Calls that were refused: what is said here is not all that was wanted. */
  readonly refusals: number;
}

/** The shader modules that were made. */
export interface LearnedShaders {
  /** How many. */
  readonly modules: number;
  /** Length of the longest, in UTF-8 bytes. */
  readonly maxBytes: number;
  /** Most functions that one declares. */
  readonly maxFunctions: number;
  /** Most calls that one has once all are expanded. */
  readonly maxExpandedCalls: number;
  /** SHA-256 of each, sorted; absent where nobody could make it, or there were more than {@link MAX_HASHES}. */
  readonly sha256?: readonly string[];
}

/** How many different shader modules are told apart. */
export const MAX_HASHES = 4096;

/** Of no session. */
export const NOTHING_LEARNED: Learned = {
  commands: [],
  flags: {},
  enums: {},
  features: [],
  limits: {},
  maxWorkgroups: 0,
  shaders: { modules: 0, maxBytes: 0, maxFunctions: 0, maxExpandedCalls: 0, sha256: [] },
  peakMemoryBytes: 0,
  peakObjects: 0,
  totalCommands: 0,
  totalBytes: 0,
  refusals: 0,
};

/** The better of two values of a limit: for alignments, that is the smaller. */
export function betterLimit(name: string, a: number, b: number): number {
  return name.startsWith('min') ? Math.min(a, b) : Math.max(a, b);
}

/**
 * What two sessions used, where each is to have a policy, and so a budget, for itself: names are united, and of peaks
 * the higher one counts.
 */
export function mergeLearned(a: Learned, b: Learned): Learned {
  const hashes = united(a.shaders.sha256 ?? [], b.shaders.sha256 ?? []);
  const areKnown = a.shaders.sha256 !== undefined && b.shaders.sha256 !== undefined && hashes.length <= MAX_HASHES;
  return {
    commands: united(a.commands, b.commands),
    flags: mergeMembers(a.flags, b.flags, (_, x, y) => (x | y) >>> 0),
    enums: mergeMembers(a.enums, b.enums, (_, x, y) => united(x, y)),
    features: united(a.features, b.features),
    limits: mergeMembers(a.limits, b.limits, betterLimit),
    maxWorkgroups: Math.max(a.maxWorkgroups, b.maxWorkgroups),
    shaders: {
      modules: a.shaders.modules + b.shaders.modules,
      maxBytes: Math.max(a.shaders.maxBytes, b.shaders.maxBytes),
      maxFunctions: Math.max(a.shaders.maxFunctions, b.shaders.maxFunctions),
      maxExpandedCalls: Math.max(a.shaders.maxExpandedCalls, b.shaders.maxExpandedCalls),
      ...(areKnown ? { sha256: hashes } : {}),
    },
    peakMemoryBytes: Math.max(a.peakMemoryBytes, b.peakMemoryBytes),
    peakObjects: Math.max(a.peakObjects, b.peakObjects),
    totalCommands: a.totalCommands + b.totalCommands,
    totalBytes: a.totalBytes + b.totalBytes,
    refusals: a.refusals + b.refusals,
  };
}

function united(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].toSorted();
}

function mergeMembers<T>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  merge: (name: string, a: T, b: T) => T,
): Record<string, T> {
  const names = united(Object.keys(a), Object.keys(b));
  return Object.fromEntries(
    names.map((name) => [name, name in a && name in b ? merge(name, a[name]!, b[name]!) : (a[name] ?? b[name])!]),
  );
}

const COMMANDS: ReadonlySet<string> = new Set(policyCommands.map(({ name }) => name));

/**
 * Reads what a process that runs a guest's commands says that it has learned. Names that the schema does not have are
 * left out, and so are values that cannot be, so that the result is of bounded size whatever is said.
 */
export function readLearned(value: unknown): Learned {
  const said = recordOf(value);
  const shaders = recordOf(said['shaders']);
  return {
    commands: namesOf(said['commands'], (name) => COMMANDS.has(name)),
    flags: membersOf(said['flags'], (path, bits) =>
      leafAt(path)?.kind === 'flags' && amount(bits) === Number(bits) >>> 0 ? Number(bits) : undefined,
    ),
    enums: membersOf(said['enums'], (path, names) => {
      const leaf = leafAt(path);
      if (leaf?.kind !== 'enum') return undefined;
      const known = policyEnums[leaf.name] ?? {};
      return namesOf(names, (name) => Object.hasOwn(known, name));
    }),
    features: namesOf(said['features'], (name) => policyFeatures.includes(name)),
    limits: membersOf(said['limits'], (name, limit) => (isLimit(name, limit) ? limit : undefined)),
    maxWorkgroups: amount(said['maxWorkgroups']),
    shaders: {
      modules: amount(shaders['modules']),
      maxBytes: amount(shaders['maxBytes']),
      maxFunctions: amount(shaders['maxFunctions']),
      maxExpandedCalls: amount(shaders['maxExpandedCalls']),
      ...hashesOf(shaders['sha256']),
    },
    peakMemoryBytes: amount(said['peakMemoryBytes']),
    peakObjects: amount(said['peakObjects']),
    totalCommands: amount(said['totalCommands']),
    totalBytes: amount(said['totalBytes']),
    refusals: amount(said['refusals']),
  };
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** A whole number that can be counted with; what is none is 0. */
function amount(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0;
}

/** Whether a policy file can name a limit with such a value: alignments are powers of two. */
export function isLimit(name: string, value: unknown): value is number {
  if (!policyLimits.includes(name) || !Number.isSafeInteger(value) || (value as number) < 0) return false;
  return !name.startsWith('min') || Number.isInteger(Math.log2(value as number));
}

function namesOf(value: unknown, isKnown: (name: string) => boolean): string[] {
  if (!Array.isArray(value)) return [];
  return united(
    value.filter((name: unknown): name is string => typeof name === 'string' && isKnown(name)),
    [],
  );
}

function membersOf<T>(value: unknown, read: (name: string, member: unknown) => T | undefined): Record<string, T> {
  const members: [string, T][] = [];
  for (const [name, member] of Object.entries(recordOf(value))) {
    const one = read(name, member);
    if (one !== undefined) members.push([name, one]);
  }
  return Object.fromEntries(members);
}

function hashesOf(value: unknown): { sha256?: string[] } {
  if (!Array.isArray(value) || value.length > MAX_HASHES) return {};
  return { sha256: namesOf(value, (hash) => /^[0-9a-f]{64}$/.test(hash)) };
}

/** The type of the values, or elements, that a path leads to; undefined where it leads to no field. */
function leafAt(path: string): PolicyType | undefined {
  const target = policyPaths.get(path);
  return target?.kind === 'field' ? leafOf(target.field.type) : undefined;
}

/** What a value of a type, or each element of a sequence or record, is. */
export function leafOf(type: PolicyType): PolicyType {
  return type.kind === 'sequence' || type.kind === 'record' ? type.element : type;
}

/**
 * Names of the bits of a value; undefined where it has bits without a name. A name for several bits stands for them
 * only where it is all there is to say.
 */
export function bitNames(flags: string, value: number): string[] | undefined {
  const bits = Object.entries(policyFlags[flags] ?? {});
  const whole = bits.find(([, bit]) => bit === value);
  if (whole !== undefined) return [whole[0]];
  const names = bits.filter(([, bit]) => (bit & (bit - 1)) === 0 && (value & bit) !== 0);
  return names.reduce((rest, [, bit]) => rest & ~bit, value) === 0 ? names.map(([name]) => name) : undefined;
}
