import type { Budget, Constraint, Policy, WgslLimits } from '@vesper-gpu/host';
import { policyLimits } from '@vesper-gpu/protocol/host';

type Fields = Readonly<Record<string, unknown>>;

/** Longest role, in UTF-16 units. */
const MAX_ROLE_LENGTH = 128;
/** Longest policy that any session may give away, as JSON in UTF-16 units: as long as a guest's request may be. */
const MAX_POLICY_LENGTH = 256 << 10;
const ADAPTER_INFO = new Set<unknown>(['full', 'bucketed', 'redacted', 'deny']);
const BUDGET = [
  ['gpuMemory', isCount],
  ['processMemory', isCount],
  ['objects', isCount],
  ['inflightSubmits', isCount],
  ['gpuMsPerSec', isCount],
  ['gpuMsTotal', isCount],
  ['hangMs', isAmount],
  ['bytesPerSec', isCount],
  ['commandsPerSec', isCount],
  ['bytes', isCount],
  ['commands', isCount],
  ['wallMs', isAmount],
] as const satisfies readonly (readonly [keyof Budget, (value: unknown) => boolean])[];
const WGSL = [
  ['maxBytes', isCount],
  ['maxFunctions', isCount],
  ['maxExpandedCalls', isCount],
  ['compileMs', isAmount],
  ['sha256', isNames],
] as const satisfies readonly (readonly [keyof WgslLimits, (value: unknown) => boolean])[];
const CONSTRAINT = [
  ['min', Number.isFinite],
  ['max', Number.isFinite],
  ['oneOf', isValues],
  ['noneOf', isValues],
  ['within', isNames],
  ['productMax', isAmount],
  ['lengthMax', isAmount],
  ['absent', (value: unknown) => value === true],
] as const satisfies readonly (readonly [keyof Constraint, (value: unknown) => boolean])[];
const LIMITS = policyLimits.map((name) => [name, isAmount] as const);

/**
 * Builds a policy anew out of what an executor says: what is not exactly what it has to be makes it none.
 * @param own the policy of the session that gives it away, whose role it gets
 * @returns undefined where it is no policy
 */
export function readDelegatedPolicy(value: unknown, own: Policy): Policy | undefined {
  if (!isFields(value)) return undefined;
  const { allow, deny, features, adapterInfo, timestamps, forceFallbackAdapter } = value;
  const limits = pick(value['limits'], LIMITS);
  const wgsl = pick(value['wgsl'], WGSL);
  const budget = pick(value['budget'], BUDGET);
  const where = readWhere(value['where']);
  const isWhole = isNames(allow) && isNames(deny) && isNames(features) && limits && wgsl && budget && where;
  if (!isWhole || !ADAPTER_INFO.has(adapterInfo) || typeof forceFallbackAdapter !== 'boolean') return undefined;
  const quantum = isFields(timestamps) ? pick(timestamps, [['quantumUs', isCount]]) : undefined;
  if (timestamps !== 'full' && timestamps !== 'deny' && quantum?.['quantumUs'] === undefined) return undefined;
  const policy = {
    role: `${own.role}/delegated`.slice(0, MAX_ROLE_LENGTH),
    allow: [...new Set(allow)],
    deny: [...new Set(deny)],
    features: [...new Set(features)],
    limits,
    where,
    wgsl,
    budget,
    adapterInfo,
    timestamps: quantum ?? timestamps,
    forceFallbackAdapter,
  } as Policy;
  const most = Math.max(MAX_POLICY_LENGTH, 2 * JSON.stringify(own).length);
  return JSON.stringify(policy).length > most ? undefined : policy;
}

function readWhere(value: unknown): Record<string, Constraint> | undefined {
  if (!isFields(value)) return undefined;
  const all: [string, Constraint][] = [];
  for (const [path, one] of Object.entries(value)) {
    const constraint = pick(one, CONSTRAINT);
    if (constraint === undefined) return undefined;
    all.push([path, constraint]);
  }
  return Object.fromEntries(all);
}

/** The same record, where it has no other keys than these and each value is what it has to be. */
function pick(
  value: unknown,
  keys: readonly (readonly [string, (value: unknown) => boolean])[],
): Record<string, never> | undefined {
  if (!isFields(value)) return undefined;
  const checks = new Map(keys);
  const entries = Object.entries(value);
  return entries.every(([key, one]) => checks.get(key)?.(one) === true)
    ? (Object.fromEntries(entries) as Record<string, never>)
    : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isValues(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string' || Number.isFinite(one));
}
