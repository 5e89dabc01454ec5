import type { Constraint, Policy, TimestampPolicy } from './policy.ts';

/**
 * Whether a policy is at least as narrow as another one in each thing that can be said: what a host asks before it lets a
 * delegated session begin. Written apart from `attenuate`, so that one checks the other. Where it says true, all that
 * the child permits is permitted by the parent. It compares what is said, not what that amounts to, so it may say false
 * of a child that says the same in another way.
 */
export function isWithin(child: Policy, parent: Policy): boolean {
  return (
    isSubset(child.allow, parent.allow) &&
    isSubset(parent.deny, child.deny) &&
    isSubset(child.features, parent.features) &&
    Object.entries(parent.limits).every(([name, most]) => {
      const limit = child.limits[name];
      return typeof limit === 'number' && (name.startsWith('min') ? limit >= most : limit <= most);
    }) &&
    Object.entries(parent.where).every(([path, constraint]) => implies(child.where[path], constraint)) &&
    isAtMost(numbersOf(child.wgsl), numbersOf(parent.wgsl)) &&
    (parent.wgsl.sha256 === undefined ||
      (child.wgsl.sha256 !== undefined && isSubset(child.wgsl.sha256, parent.wgsl.sha256))) &&
    isAtMost(numbersOf(child.budget), numbersOf(parent.budget)) &&
    typeof child.adapterInfo === 'string' &&
    Object.hasOwn(STRICTNESS, child.adapterInfo) &&
    STRICTNESS[child.adapterInfo] >= STRICTNESS[parent.adapterInfo] &&
    quantum(child.timestamps) >= quantum(parent.timestamps) &&
    (child.forceFallbackAdapter || !parent.forceFallbackAdapter)
  );
}

const STRICTNESS = { full: 0, bucketed: 1, redacted: 2, deny: 3 } as const;

/** Microseconds; what cannot be had is like a clock that never ticks. */
function quantum(timestamps: TimestampPolicy): number {
  if (timestamps === 'full') return 0;
  if (timestamps === 'deny') return Infinity;
  // Said by a stranger, it may be anything: no number is at least as great as NaN.
  return typeof timestamps.quantumUs === 'number' ? timestamps.quantumUs : NaN;
}

/** Whether every value that satisfies the one, satisfies the other. */
function implies(narrow: Constraint | undefined, wide: Constraint): boolean {
  if (narrow === undefined) return Object.keys(wide).length === 0;
  return (
    (wide.min === undefined || (narrow.min !== undefined && narrow.min >= wide.min)) &&
    isAtMost(upperBounds(narrow), upperBounds(wide)) &&
    (wide.oneOf === undefined || (narrow.oneOf !== undefined && isSubset(narrow.oneOf, wide.oneOf))) &&
    (wide.within === undefined || (narrow.within !== undefined && isSubset(narrow.within, wide.within))) &&
    (wide.noneOf === undefined || isSubset(wide.noneOf, narrow.noneOf ?? [])) &&
    (wide.absent === undefined || narrow.absent === true)
  );
}

function upperBounds({ max, productMax, lengthMax }: Constraint): Map<string, number> {
  return numbersOf({ max, productMax, lengthMax });
}

function numbersOf(record: object): Map<string, number> {
  const numbers = Object.entries(record).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return new Map(numbers);
}

/** Whether each bound of the parent has one in the child, and none is above it. */
function isAtMost(child: ReadonlyMap<string, number>, parent: ReadonlyMap<string, number>): boolean {
  return [...parent].every(([name, most]) => (child.get(name) ?? Infinity) <= most);
}

function isSubset(part: readonly unknown[], whole: readonly unknown[]): boolean {
  const all = new Set(whole);
  return Array.isArray(part) && part.every((one) => all.has(one));
}
