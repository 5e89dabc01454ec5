import { policyCommands } from '@vesper-gpu/protocol/host';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argumentsOf, budgets, policies } from '../../test/policy-arbitraries.ts';
import { attenuate } from './attenuate.ts';
import { carve, giveBack, SPENT_QUANTITIES, withoutTotals } from './carve.ts';
import { compileChecks } from './check.ts';
import { DEFAULT_POLICY } from './defaults.ts';
import { isWithin } from './is-within.ts';
import type { Budget, Policy } from './policy.ts';

/** All but the name, which says how a policy came about. */
function permissions(policy: Policy): Policy {
  return { ...policy, role: '' };
}

describe('the meet of two policies', () => {
  it('is within both', () => {
    fc.assert(
      fc.property(policies(), policies(), (a, b) => {
        const meet = attenuate(a, b);
        expect(isWithin(meet, a)).toBe(true);
        expect(isWithin(meet, b)).toBe(true);
      }),
    );
  });

  it('is idempotent, commutative and associative', () => {
    fc.assert(
      fc.property(policies(), policies(), policies(), (a, b, c) => {
        const meet = (...[first, ...others]: Policy[]) => permissions(others.reduce(attenuate, first!));
        const own = attenuate(a, a);
        expect(meet(own, own)).toEqual(permissions(own));
        expect(isWithin(a, own) && isWithin(own, a)).toBe(true);
        expect(meet(a, b)).toEqual(meet(b, a));
        expect(permissions(attenuate(attenuate(a, b), c))).toEqual(permissions(attenuate(a, attenuate(b, c))));
      }),
    );
  });

  it('is the request where the request is within the parent already', () => {
    fc.assert(
      fc.property(policies(), policies(), (a, b) => {
        const child = attenuate(a, b);
        expect(permissions(attenuate(a, child))).toEqual(permissions(child));
      }),
    );
  });

  it('is found to be wider where one thing is given more', () => {
    fc.assert(
      fc.property(policies(), policies(), (parent, request) => {
        const child = attenuate(parent, request);
        const more: Partial<Policy>[] = [
          ...policyCommands.flatMap(({ name }) =>
            parent.allow.includes(name) ? [] : [{ allow: [...child.allow, name] }],
          ),
          ...parent.deny.map((path) => ({ deny: child.deny.filter((one) => one !== path) })),
          ...Object.keys(parent.budget).map((key) => ({ budget: without(child.budget, key) })),
          ...Object.keys(parent.limits).map((key) => ({ limits: without(child.limits, key) })),
          ...Object.keys(parent.wgsl).map((key) => ({ wgsl: without(child.wgsl, key) })),
          ...Object.entries(parent.where).flatMap(([path, constraint]) =>
            // Not to be one of none says nothing.
            Object.keys(constraint)
              .filter((key) => key !== 'noneOf' || constraint.noneOf!.length > 0)
              .map((key) => ({
                where: { ...child.where, [path]: without(child.where[path]!, key) },
              })),
          ),
          ...(parent.forceFallbackAdapter ? [{ forceFallbackAdapter: false }] : []),
          ...(parent.adapterInfo === 'full' ? [] : [{ adapterInfo: 'full' as const }]),
          ...(parent.timestamps === 'full' ? [] : [{ timestamps: 'full' as const }]),
        ];
        for (const change of more) expect([change, isWithin({ ...child, ...change }, parent)]).toEqual([change, false]);
      }),
    );
  });

  it('leaves what a host without a policy allows as the other has it', () => {
    fc.assert(
      fc.property(policies(), (policy) => {
        const { allow, features, where } = attenuate(DEFAULT_POLICY, policy);
        const own = attenuate(policy, policy);
        expect({ allow, features, where }).toEqual({ allow: own.allow, features: own.features, where: own.where });
      }),
    );
  });
});

describe.each(policyCommands.map((command) => ({ name: command.name, command })))('$name', ({ name, command }) => {
  it('is permitted by the meet exactly where both permit it', () => {
    let permitted = 0;
    fc.assert(
      fc.property(policies(command), policies(command), argumentsOf(command), (parent, request, args) => {
        const allows = (policy: Policy): boolean => compileChecks(policy).get(name)?.(args) === undefined;
        const both = allows(parent) && allows(request);
        if (both) permitted++;
        expect(allows(attenuate(parent, request))).toBe(both);
      }),
    );
    // Otherwise nothing was shown.
    expect(permitted).toBeGreaterThan(0);
  });
});

describe('a budget', () => {
  it('that is carved out leaves the rest, and comes back', () => {
    fc.assert(
      fc.property(budgets, budgets, (parent, request) => {
        const carved = carve(parent, request);
        const lacking = SPENT_QUANTITIES.filter((one) => (parent[one] ?? Infinity) < (request[one] ?? Infinity));
        const failing = lacking.filter((one) => parent[one] !== undefined);
        expect(carved.isCarved).toBe(failing.length === 0);
        const [child, rest] = carved.isCarved ? [carved.child, carved.rest] : [{}, parent];
        for (const one of SPENT_QUANTITIES) expect((child[one] ?? 0) + rest[one]!).toEqual(parent[one] ?? NaN);
        expect(giveBack(rest, child)).toEqual(parent);
      }),
    );
  });

  it.each([
    [
      { gpuMemory: 100 },
      {},
      { quantity: 'gpuMemory', available: 100, message: expect.stringMatching(/has to be named/) },
    ],
    [{ gpuMemory: 100 }, { gpuMemory: 101 }, { quantity: 'gpuMemory', requested: 101, available: 100 }],
    [{ commands: 5 }, { commands: 6 }, { quantity: 'commands', requested: 6, available: 5 }],
  ])('of %j has not %j', (parent: Budget, request: Budget, refusal) => {
    expect(carve(parent, request)).toMatchObject({ isCarved: false, ...refusal });
  });

  it('keeps what is no quantity, and does not give back what is used up for good', () => {
    const carved = carve({ hangMs: 1000, gpuMsTotal: 500, objects: 10 }, { gpuMsTotal: 200, objects: 4, wallMs: 7 });
    expect(carved).toEqual({
      isCarved: true,
      child: { hangMs: 1000, gpuMsTotal: 200, objects: 4, wallMs: 7 },
      rest: { hangMs: 1000, gpuMsTotal: 300, objects: 6 },
    });
    const { child, rest } = carved as Extract<typeof carved, { isCarved: true }>;
    expect(giveBack(rest, withoutTotals(child))).toEqual({ hangMs: 1000, gpuMsTotal: 300, objects: 10 });
  });
});

function without(record: object, key: string): Record<string, never> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}
