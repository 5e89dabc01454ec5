import { readFileSync } from 'node:fs';
import { PolicyError, parsePolicyFile, parsePolicyRole, type Constraint } from '@vesper-gpu/host';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faults } from '../../packages/codegen/test-assets/json-schema-validator.ts';
import { policyFeatures, policyLimits, policyPaths } from '../../packages/host/src/policy/catalog.ts';
import { budgets, constraintOf } from '../../packages/host/test/policy-arbitraries.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const schema = JSON.parse(read('generated/schema/vesper.policy.schema.json')) as Record<string, unknown>;
const faultsOfRole = (one: unknown): string[] => faults({ vesperPolicy: 1, roles: { one } }, schema);

/** Whether the host takes a role. */
function isTaken(role: unknown): boolean {
  try {
    parsePolicyRole(JSON.stringify(role), 'one');
    return true;
  } catch (error) {
    if (error instanceof PolicyError) return false;
    throw error;
  }
}

describe('the JSON Schema of policy files', () => {
  it('describes the example, and that of the README', () => {
    const [, shown] = /```json\n([\s\S]*?)```/.exec(read('packages/host/README.md'))!;
    for (const text of [read('packages/host/examples/policy.json'), shown!]) {
      expect(faults(JSON.parse(text), schema)).toEqual([]);
      expect(parsePolicyFile(text, 'policy.json').size).toBeGreaterThan(1);
    }
  });

  it('knows every name that the host knows, and no other', () => {
    const { path } = schema['$defs'] as Record<string, { enum: string[] }>;
    expect(path!.enum.toSorted()).toEqual([...policyPaths.keys()].toSorted());
    expect(faultsOfRole({ features: policyFeatures })).toEqual([]);
    expect(faultsOfRole({ features: ['x'] })).toHaveLength(1);
    expect(faultsOfRole({ limits: Object.fromEntries(policyLimits.map((name) => [name, '1KiB'])) })).toEqual([]);
    expect(faultsOfRole({ limits: { maxThings: 1 } })).toHaveLength(1);
    expect(faultsOfRole({ allow: ['GPUDevice.createBufer'] })).toHaveLength(1);
  });

  const constrained = [...policyPaths.values()].filter(({ kind }) => kind === 'field' || kind === 'command');
  it.each(constrained.map(({ path }) => path))('takes the constraints of %s that the host takes', (path) => {
    const values: { [K in keyof Constraint]-?: unknown[] } = {
      min: [1],
      max: [1],
      oneOf: [['x'], ['auto'], ['r8unorm'], [1]],
      noneOf: [['x'], ['VERTEX'], ['READ'], [1]],
      within: [['VERTEX'], ['x']],
      productMax: [1],
      lengthMax: [1],
      absent: [true, false],
    };
    for (const [key, some] of Object.entries(values)) {
      for (const value of some) {
        const role = { where: { [path]: { [key]: value } } };
        expect([role, faultsOfRole(role).length === 0]).toEqual([role, isTaken(role)]);
      }
    }
    fc.assert(
      fc.property(constraintOf(path), (constraint) => {
        // What JSON Schema cannot say.
        fc.pre((constraint.min ?? 0) <= (constraint.max ?? Infinity));
        const role = { where: { [path]: constraint } };
        expect(faultsOfRole(role).length === 0).toBe(isTaken(role));
      }),
      { numRuns: 20 },
    );
  });

  it('takes every budget', () => {
    fc.assert(
      fc.property(budgets, (budget) => {
        expect(faultsOfRole({ budget })).toEqual([]);
      }),
    );
    expect(faultsOfRole({ budget: { things: 1 } })).toHaveLength(1);
    expect(faultsOfRole({ budget: { gpuMemory: '1GB' } })).toHaveLength(1);
  });
});
