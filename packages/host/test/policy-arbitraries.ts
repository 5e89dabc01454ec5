import {
  policyCommands,
  policyDictionaries,
  policyEnums,
  policyFlags,
  policyLimits,
  type PolicyCommand,
  type PolicyType,
} from '@vesper-gpu/protocol/host';
import * as fc from 'fast-check';
import { pathsWithin, policyFeatures, policyPaths } from '../src/policy/catalog.ts';
import type { Budget, Constraint, Policy, TimestampPolicy, WgslLimits } from '../src/policy/policy.ts';

const NUMBER = fc.oneof(fc.nat(8), fc.nat(2 ** 32), fc.constantFrom(-1, 0.5, NaN, Infinity, 2 ** 53 - 1));
const BOUND = fc.oneof(fc.nat(8), fc.nat(2 ** 40));
const HASH = fc.constantFrom(...['0', '1', '2', '3'].map((digit) => digit.repeat(64)));

/** Any value of a type, as a decoder gives it to a handler. */
export function valueOf(type: PolicyType): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'number':
      return NUMBER;
    case 'boolean':
      return fc.boolean();
    case 'string':
      return fc.oneof(fc.constantFrom('main', 'a', ''), fc.string());
    case 'bytes':
      return fc.uint8Array({ maxLength: 12 });
    case 'object':
      return fc.constant(new BackendObject());
    case 'flags':
      return fc.nat(1023);
    case 'enum':
      return fc.constantFrom(...valuesOf(type.name));
    case 'sequence':
      return fc.array(valueOf(type.element), { maxLength: 4 });
    case 'record':
      return fc.dictionary(fc.constantFrom('a', 'b', 'c'), valueOf(type.element));
    case 'union':
      return fc.oneof(...type.members.map(valueOf));
    case 'dictionary': {
      const fields = (policyDictionaries[type.name] ?? []).map((field) => [field.name, valueOf(field.type)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: [], noNullPrototype: true });
    }
    default:
      return type satisfies never;
  }
}

/** Stands for an object of the backend, which is no plain object. */
class BackendObject {
  readonly label = '';
}

/** Any arguments of a command; some are left out. */
export function argumentsOf(command: PolicyCommand): fc.Arbitrary<unknown[]> {
  return fc.tuple(...command.fields.map(({ type }) => fc.option(valueOf(type), { nil: undefined, freq: 8 })));
}

/** Any constraint that fits a path. */
export function constraintOf(path: string): fc.Arbitrary<Constraint> {
  const target = policyPaths.get(path);
  if (target?.kind !== 'field') return fc.record({ productMax: BOUND }, { requiredKeys: [] });
  const members: { [K in keyof Constraint]: fc.Arbitrary<Constraint[K]> } = { absent: fc.constant(true as const) };
  let { type } = target.field;
  if (type.kind === 'sequence' || type.kind === 'record' || type.kind === 'string' || type.kind === 'bytes')
    members.lengthMax = fc.nat(6);
  if (type.kind === 'dictionary') members.productMax = BOUND;
  while (type.kind === 'sequence' || type.kind === 'record') type = type.element;
  if (type.kind === 'number') Object.assign(members, { min: BOUND, max: BOUND, oneOf: fc.array(fc.nat(8)) });
  if (type.kind === 'enum') {
    const some = fc.subarray(valuesOf(type.name));
    Object.assign(members, { oneOf: some, noneOf: some });
  }
  if (type.kind === 'string')
    Object.assign(members, { oneOf: fc.subarray(['main', 'a', '']), noneOf: fc.subarray(['main', 'a']) });
  if (type.kind === 'flags') {
    const bits = fc.subarray(Object.keys(policyFlags[type.name] ?? {}));
    Object.assign(members, { noneOf: bits, within: bits });
  }
  const names = Object.keys(members) as (keyof Constraint)[];
  // Few at a time, so that some values satisfy them.
  return fc
    .subarray(names, { maxLength: Math.min(2, names.length) })
    .chain(
      (some) => fc.record(Object.fromEntries(some.map((name) => [name, members[name]!]))) as fc.Arbitrary<Constraint>,
    );
}

function recordOf<T>(
  names: readonly string[],
  value: (name: string) => fc.Arbitrary<T>,
): fc.Arbitrary<Record<string, T>> {
  return fc
    .uniqueArray(fc.constantFrom(...names), { maxLength: 3 })
    .chain((some) => fc.record(Object.fromEntries(some.map((name) => [name, value(name)]))));
}

/** Any budget: what it has is limited to small and to large amounts. */
export const budgets: fc.Arbitrary<Budget> = recordOf(
  'gpuMemory processMemory objects inflightSubmits gpuMsPerSec gpuMsTotal hangMs bytesPerSec commandsPerSec bytes commands wallMs'.split(
    ' ',
  ),
  () => BOUND,
);

/** Any policy; where a command is given, it is mostly allowed, and what is said is mostly of its arguments. */
export function policies(command?: PolicyCommand): fc.Arbitrary<Policy> {
  const paths = command === undefined ? [...policyPaths.keys()].filter(isConstrained) : pathsWithin(command);
  const names = policyCommands.map(({ name }) => name);
  const allow = fc.subarray(names).map((some) => (command === undefined ? some : [...some, command.name]));
  return fc.record({
    role: fc.constantFrom('a', 'b', 'c'),
    allow: fc.oneof({ weight: 1, arbitrary: fc.subarray(names) }, { weight: 6, arbitrary: allow }),
    deny: fc.uniqueArray(fc.constantFrom(...paths, 'GPUTextureFormat.r8unorm', 'GPUTextureFormat.rgba8unorm'), {
      maxLength: 2,
    }),
    features: fc.subarray([...policyFeatures]),
    limits: recordOf(policyLimits, () => BOUND),
    where: recordOf(paths, constraintOf),
    wgsl: fc.record<WgslLimits>(
      { maxBytes: BOUND, maxFunctions: BOUND, maxExpandedCalls: BOUND, compileMs: BOUND, sha256: fc.uniqueArray(HASH) },
      { requiredKeys: [] },
    ) as fc.Arbitrary<WgslLimits>,
    budget: budgets,
    adapterInfo: fc.constantFrom('full', 'bucketed', 'redacted', 'deny'),
    timestamps: fc.oneof(
      fc.constantFrom<TimestampPolicy>('full', 'deny'),
      fc.record({ quantumUs: fc.integer({ min: 1, max: 1000 }) }),
    ),
    forceFallbackAdapter: fc.boolean(),
  });
}

function isConstrained(path: string): boolean {
  const kind = policyPaths.get(path)?.kind;
  return kind === 'field' || kind === 'command';
}

function valuesOf(enumeration: string): string[] {
  return Object.keys(policyEnums[enumeration] ?? {});
}
