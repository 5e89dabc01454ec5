import { readFileSync } from 'node:fs';
import { policyCommands, policyGroups } from '@vesper-gpu/protocol/host';
import { describe, expect, it } from 'vitest';
import { policyFeatures, policyLimits, policyPaths } from './catalog.ts';
import { explainPath, nearestPath } from './explain.ts';
import { readPolicyFile } from './policy-file.ts';

const url = new URL('../../examples/policy.json', import.meta.url);
const file = readPolicyFile(readFileSync(url, 'utf8'), 'policy.json');
const verdicts = (path: string) => explainPath(file, path)!.roles.map(({ verdict }) => verdict);

describe('explanations', () => {
  it.each([...policyPaths.keys(), ...policyFeatures, ...policyLimits])('say something of %s for every role', (path) => {
    const { roles } = explainPath(file, path)!;
    expect(roles.map(({ role }) => role)).toEqual([...file.roles.keys()]);
    for (const { because } of roles) expect(because.join('')).not.toBe('');
  });

  it.each(policyCommands.map(({ name }) => name))('agree with the policy on %s', (name) => {
    const expected = [...file.roles.values()].map(({ policy }) => (policy.allow.includes(name) ? 'allowed' : 'denied'));
    expect(verdicts(name)).toEqual(expected);
  });

  it.each(policyGroups)('agree with the policy on @%s', (group) => {
    const names = policyCommands.filter((one) => one.group === group).map((one) => one.name);
    const expected = [...file.roles.values()].map(({ policy }) => {
      const count = names.filter((name) => policy.allow.includes(name)).length;
      return count === names.length ? 'allowed' : count === 0 ? 'denied' : 'partly';
    });
    expect(verdicts(`@${group}`)).toEqual(expected);
  });

  it('name the line, and the role that it is inherited from', () => {
    expect(explainPath(file, 'GPUDevice.createBuffer', ['build-step'])).toEqual({
      path: 'GPUDevice.createBuffer',
      is: 'a command of @transfer',
      roles: [
        {
          role: 'build-step',
          verdict: 'allowed',
          because: ['"@transfer" in allow of llm-worker, line 5, which build-step extends'],
          constraints: [
            {
              path: 'GPUBufferDescriptor.usage',
              constraint: { noneOf: ['VERTEX', 'INDEX', 'INDIRECT'] },
              saidBy: 'llm-worker',
              line: 9,
            },
          ],
        },
      ],
    });
  });

  it.each([
    ['VesperStream.attenuate', /came with schema revision 3/],
    ['GPURenderCommandsMixin.draw', /none of "@render", "GPURenderCommandsMixin", "GPURenderCommandsMixin.draw"/],
    ['GPUFeatureName.subgroup-size-control', /not in features/],
    ['GPURenderPassDescriptor.maxDrawCount', /no command that takes it is allowed: GPUCommandEncoder.beginRenderPass/],
  ])('say why %s is denied', (path, reason) => {
    const { roles } = explainPath(file, path, ['llm-worker'])!;
    expect(roles).toMatchObject([{ verdict: 'denied', because: [expect.stringMatching(reason)] }]);
  });

  it('say where a value is not allowed', () => {
    const where = { 'GPUTextureDescriptor.format': { noneOf: ['r8unorm'] } };
    const one = { allow: ['GPUDevice'], where };
    const policy = readPolicyFile(JSON.stringify({ vesperPolicy: 1, roles: { one } }), 'x');
    expect(explainPath(policy, 'GPUTextureFormat.r8unorm')!.roles[0]!.because).toEqual([
      'but not as GPUTextureDescriptor.format',
    ]);
  });

  it('say that a denied clock takes its feature away', () => {
    const one = { allow: ['GPUDevice'], features: ['timestamp-query'], timestamps: 'deny' };
    const policy = readPolicyFile(JSON.stringify({ vesperPolicy: 1, roles: { one } }), 'x');
    expect(explainPath(policy, 'timestamp-query')!.roles).toMatchObject([
      { verdict: 'denied', because: ['"deny" in timestamps, line 1 takes the feature away'] },
    ]);
  });

  it('know what was meant', () => {
    expect(explainPath(file, 'GPUDevice.createBufer')).toBeUndefined();
    expect(nearestPath('GPUDevice.createBufer')).toBe('GPUDevice.createBuffer');
    expect(nearestPath('shader-f17')).toBe('shader-f16');
    expect(nearestPath('GPURenderPassEncoder.draw')).toBe('GPURenderCommandsMixin.draw');
    expect(nearestPath('GPUComputePassEncoder.setBindGroup')).toBe('GPUBindingCommandsMixin.setBindGroup');
  });
});
