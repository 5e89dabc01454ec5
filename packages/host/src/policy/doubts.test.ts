import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { doubtsOf } from './doubts.ts';
import { parsePolicyRole, readPolicyFile } from './policy-file.ts';

const doubts = (role: object): string[] => doubtsOf(parsePolicyRole(JSON.stringify(role), 'one'));

describe('doubts', () => {
  it.each([
    [{ allow: ['@transfer'], budget: { gpuMemory: '3MiB' } }, /^gpuMemory is less than the 4 MiB/],
    [{ allow: ['@transfer'], budget: { processMemory: '100MiB' } }, /^processMemory is less than 160 MiB/],
    [{ allow: ['@compute'], wgsl: { sha256: [] } }, /^wgsl.sha256 is empty/],
    [{ allow: ['@query'], features: ['timestamp-query'], timestamps: 'deny' }, /timestamp-query is taken away/],
    [
      { allow: ['@transfer'], where: { 'GPUComputePassEncoder.dispatchWorkgroups': { productMax: 8 } } },
      /^where GPUComputePassEncoder.dispatchWorkgroups: nothing that is allowed takes it/,
    ],
    [
      { allow: ['@compute'], where: { 'GPURenderPassDescriptor.maxDrawCount': { max: 8 } } },
      /^where GPURenderPassDescriptor.maxDrawCount/,
    ],
  ])('%j has one', (role, doubt) => {
    expect(doubts(role)).toHaveLength(1);
    expect(doubts(role)[0]).toMatch(doubt);
  });

  it.each([
    { allow: ['@transfer'], budget: { gpuMemory: '4MiB', processMemory: '160MiB' } },
    { allow: ['@transfer'], where: { 'GPUBufferDescriptor.usage': { noneOf: ['VERTEX'] } }, wgsl: { sha256: [] } },
    { allow: ['@compute'], where: { 'GPUComputePassEncoder.dispatchWorkgroups': { productMax: 8 } } },
  ])('%j has none', (role) => expect(doubts(role)).toEqual([]));

  it('has the example of the documentation none of', () => {
    const text = readFileSync(new URL('../../examples/policy.json', import.meta.url), 'utf8');
    for (const { policy } of readPolicyFile(text, 'policy.json').roles.values()) expect(doubtsOf(policy)).toEqual([]);
  });
});
