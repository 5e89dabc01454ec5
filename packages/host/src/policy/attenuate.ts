import type { AdapterInfoPolicy, Constraint, Policy, TimestampPolicy, WgslLimits } from './policy.ts';

/** From what gives most to what gives least. */
const ADAPTER_INFO: readonly AdapterInfoPolicy[] = ['full', 'bucketed', 'redacted', 'deny'];
/** Roles of delegations of delegations have long names. */
const MAX_ROLE_LENGTH = 128;

/**
 * What both policies permit: the meet of the two. Sets intersect and ranges shrink, so whatever the result permits, the
 * parent permits too. Budgets are the smaller ones here; what is shared with the parent's own use is `carve`d out of it.
 * @returns a policy in canonical form: names sorted, each once
 */
export function attenuate(parent: Policy, request: Policy): Policy {
  return {
    role: `${parent.role}/${request.role}`.slice(0, MAX_ROLE_LENGTH),
    allow: common(parent.allow, request.allow),
    deny: united(parent.deny, request.deny),
    features: common(parent.features, request.features),
    limits: merged(parent.limits, request.limits, worseLimit),
    where: merged(parent.where, request.where, meetConstraints),
    wgsl: meetWgsl(parent.wgsl, request.wgsl),
    budget: merged(parent.budget as Numbers, request.budget as Numbers, (_, a, b) => Math.min(a, b)),
    adapterInfo: stricterInfo(parent.adapterInfo, request.adapterInfo),
    timestamps: stricterTimestamps(parent.timestamps, request.timestamps),
    forceFallbackAdapter: parent.forceFallbackAdapter || request.forceFallbackAdapter,
  };
}

type Numbers = Readonly<Record<string, number>>;

/** Of two values for a limit, the one that gives less. Alignments are limits too: there the larger gives less. */
function worseLimit(name: string, a: number, b: number): number {
  return name.startsWith('min') ? Math.max(a, b) : Math.min(a, b);
}

function meetWgsl(a: WgslLimits, b: WgslLimits): WgslLimits {
  const { sha256: hashesOfA, ...limitsOfA } = a;
  const { sha256: hashesOfB, ...limitsOfB } = b;
  const limits: WgslLimits = merged(limitsOfA as Numbers, limitsOfB as Numbers, (_, one, other) =>
    Math.min(one, other),
  );
  const sha256 = commonOrAll(hashesOfA, hashesOfB);
  return sha256 === undefined ? limits : { ...limits, sha256 };
}

/** What satisfies both. It may be that nothing does: then the field has to be left out. */
function meetConstraints(_: string, a: Constraint, b: Constraint): Constraint {
  const oneOf = commonOrAll(a.oneOf, b.oneOf);
  const within = commonOrAll(a.within, b.within);
  const noneOf = a.noneOf === undefined && b.noneOf === undefined ? undefined : united(a.noneOf ?? [], b.noneOf ?? []);
  return defined({
    min: both(a.min, b.min, Math.max),
    max: both(a.max, b.max, Math.min),
    oneOf,
    noneOf,
    within,
    productMax: both(a.productMax, b.productMax, Math.min),
    lengthMax: both(a.lengthMax, b.lengthMax, Math.min),
    absent: a.absent ?? b.absent,
  });
}

function stricterInfo(a: AdapterInfoPolicy, b: AdapterInfoPolicy): AdapterInfoPolicy {
  return ADAPTER_INFO[Math.max(ADAPTER_INFO.indexOf(a), ADAPTER_INFO.indexOf(b))]!;
}

function stricterTimestamps(a: TimestampPolicy, b: TimestampPolicy): TimestampPolicy {
  if (a === 'deny' || b === 'deny') return 'deny';
  if (a === 'full') return b;
  return b === 'full' ? a : { quantumUs: Math.max(a.quantumUs, b.quantumUs) };
}

/** All keys of both; where both have one, what `meet` makes of the two. In a fixed order. */
function merged<T>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  meet: (key: string, a: T, b: T) => T,
): Record<string, T> {
  const keys = united(Object.keys(a), Object.keys(b));
  return Object.fromEntries(
    keys.map((key): [string, T] => {
      const [one, other] = [a[key], b[key]];
      // One that meets itself takes its canonical form.
      return [key, meet(key, (one ?? other)!, (other ?? one)!)];
    }),
  );
}

function both(
  a: number | undefined,
  b: number | undefined,
  meet: (a: number, b: number) => number,
): number | undefined {
  return a === undefined ? b : b === undefined ? a : meet(a, b);
}

/** Without the members that are undefined. */
function defined(members: { readonly [K in keyof Constraint]: Constraint[K] | undefined }): Constraint {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function common<T extends string | number>(a: readonly T[], b: readonly T[]): T[] {
  const other = new Set(b);
  return sorted(a.filter((one) => other.has(one)));
}

/** As `common`, where an absent set stands for all there is. */
function commonOrAll<T extends string | number>(
  a: readonly T[] | undefined,
  b: readonly T[] | undefined,
): readonly T[] | undefined {
  return a === undefined ? b && sorted(b) : common(a, b ?? a);
}

function united<T extends string | number>(a: readonly T[], b: readonly T[]): T[] {
  return sorted([...a, ...b]);
}

/** Each once, numbers first, in the order of their size, then texts in that of their UTF-16 units. */
function sorted<T extends string | number>(values: readonly T[]): T[] {
  return [...new Set(values)].toSorted((a, b) => {
    if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
    return typeof a === 'number' ? -1 : 1;
  });
}
