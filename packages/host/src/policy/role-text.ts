import { policyFeatures, policyLimits, policyPaths } from './catalog.ts';
import { readConstraint } from './constraint-text.ts';
import { DEFAULTS } from './defaults.ts';
import type { JsonValue } from './json-text.ts';
import type { AdapterInfoPolicy, Budget, Constraint, TimestampPolicy, WgslLimits } from './policy.ts';
import { didYouMean } from './suggest.ts';
import { shown, type ValueReader } from './values.ts';

/** A role as it is written, with its values checked: what it does not say is absent. */
export interface RoleText {
  readonly extends?: string;
  readonly allow?: readonly string[];
  readonly features?: readonly string[];
  readonly limits?: Readonly<Record<string, number>>;
  readonly where?: Readonly<Record<string, Constraint>>;
  readonly wgsl?: WgslLimits;
  readonly budget?: Budget;
  readonly adapterInfo?: AdapterInfoPolicy;
  readonly timestamps?: TimestampPolicy;
  readonly forceFallbackAdapter?: boolean;
}

/** Reads one role; the problems say what is wrong with it. */
export function readRole(values: ValueReader, json: JsonValue, path: string): RoleText | undefined {
  return values.object<RoleText>(json, path, {
    extends: (value, at) => values.text(value, at),
    allow: (value, at) => values.list(value, at, (entry, place) => readAllowed(values, entry, place)),
    features: (value, at) => values.list(value, at, (entry, place) => values.name(entry, place, policyFeatures)),
    limits: (value, at) => values.record(value, at, (limit, place, key) => readLimit(values, limit, place, key)),
    where: (value, at) => values.record(value, at, (one, place, key) => readConstraint(values, one, place, key)),
    wgsl: (value, at) => readWgsl(values, value, at),
    budget: (value, at) => readBudget(values, value, at),
    adapterInfo: (value, at) => values.name(value, at, ['full', 'bucketed', 'redacted', 'deny']),
    timestamps: (value, at) => readTimestamps(values, value, at),
    forceFallbackAdapter: (value, at) => values.boolean(value, at),
  });
}

function readAllowed(values: ValueReader, json: JsonValue, path: string): string | undefined {
  const entry = values.text(json, path);
  if (entry === undefined || policyPaths.has(entry)) return entry;
  const remedy = didYouMean(entry, policyPaths.keys(), 'Name a group (@compute), an interface, or an IDL path.');
  values.problems.add(path, `${shown(entry)} is nothing that the schema has to allow`, remedy);
  return undefined;
}

function readLimit(values: ValueReader, json: JsonValue, path: string, key: string): number | undefined {
  if (!policyLimits.includes(key)) {
    values.problems.add(
      path,
      'there is no such limit',
      didYouMean(key, policyLimits, 'Name one of GPUSupportedLimits.'),
    );
    return undefined;
  }
  const limit = values.amount(json, path);
  if (limit === undefined || !key.startsWith('min') || (limit > 0 && Number.isInteger(Math.log2(limit)))) return limit;
  values.problems.add(path, `${limit} is no power of two, as an alignment must be`, 'Give a power of two.');
  return undefined;
}

function readWgsl(values: ValueReader, json: JsonValue, path: string): WgslLimits | undefined {
  return values.object<WgslLimits>(json, path, {
    maxBytes: (value, at) => values.amount(value, at),
    maxFunctions: (value, at) => values.count(value, at),
    maxExpandedCalls: (value, at) => values.count(value, at),
    compileMs: (value, at) => values.milliseconds(value, at),
    sha256: (value, at) => values.list(value, at, (hash, place) => readHash(values, hash, place)),
  });
}

function readHash(values: ValueReader, json: JsonValue, path: string): string | undefined {
  if (typeof json === 'string' && /^[0-9a-f]{64}$/.test(json)) return json;
  values.problems.add(
    path,
    `${shown(json)} is no SHA-256`,
    'Give 64 lower-case hexadecimal digits, as `sha256sum shader.wgsl` prints them.',
  );
  return undefined;
}

function readBudget(values: ValueReader, json: JsonValue, path: string): Budget | undefined {
  return values.object<Budget>(json, path, {
    gpuMemory: (value, at) => values.amount(value, at),
    processMemory: (value, at) => values.amount(value, at, 1),
    objects: (value, at) => values.count(value, at),
    inflightSubmits: (value, at) => values.count(value, at, 1),
    gpuMsPerSec: (value, at) => values.count(value, at, 1),
    gpuMsTotal: (value, at) => values.count(value, at),
    hangMs: (value, at) => values.milliseconds(value, at),
    bytesPerSec: (value, at) => values.amount(value, at, 1),
    commandsPerSec: (value, at) => values.count(value, at, 1),
    bytes: (value, at) => values.amount(value, at),
    commands: (value, at) => values.count(value, at),
    wallMs: (value, at) => values.milliseconds(value, at),
  });
}

function readTimestamps(values: ValueReader, json: JsonValue, path: string): TimestampPolicy | undefined {
  if (json instanceof Map) {
    const quantum = values.object<{ quantumUs: number }>(json, path, {
      quantumUs: (value, at) => values.count(value, at, 1, 1e9),
    });
    if (quantum !== undefined && !json.has('quantumUs')) {
      values.problems.add(path, 'quantumUs is missing', `Write { "quantumUs": ${DEFAULTS.quantumUs} }.`);
    }
    return quantum;
  }
  const name = values.name(json, path, ['full', 'quantised', 'deny']);
  return name === 'quantised' ? { quantumUs: DEFAULTS.quantumUs } : name;
}
