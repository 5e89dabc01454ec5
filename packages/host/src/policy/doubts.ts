import { policyCommands } from '@vesper-gpu/protocol/host';
import { pathsWithin } from './catalog.ts';
import { DEVICE_BYTES } from './gpu-memory.ts';
import type { Policy } from './policy.ts';

const MIB = 1 << 20;
/** An executor with a software driver takes some 100 MiB, in round figures, before its guest has done anything. */
const LEAST_PROCESS_BYTES = 160 * MIB;

/**
 * What a policy says that is no mistake in itself, but that hardly anybody can mean: what is allowed cannot work then, or
 * what is constrained is not allowed at all.
 * @returns a sentence each
 */
export function doubtsOf({ allow, deny, where, wgsl, budget, features, timestamps }: Policy): string[] {
  const doubts: string[] = [];
  const allowed = policyCommands.filter(({ name }) => allow.includes(name));
  const has = (name: string): boolean => allow.includes(name);
  const { gpuMemory, processMemory } = budget;
  if (gpuMemory !== undefined && gpuMemory < DEVICE_BYTES && has('GPUAdapter.requestDevice')) {
    doubts.push(`gpuMemory is less than the ${DEVICE_BYTES / MIB} MiB that a device counts for: there can be none`);
  }
  if (processMemory !== undefined && processMemory < LEAST_PROCESS_BYTES) {
    doubts.push(
      `processMemory is less than ${LEAST_PROCESS_BYTES / MIB} MiB: a process takes some 100 MiB before its guest does anything`,
    );
  }
  if (wgsl.sha256?.length === 0 && has('GPUDevice.createShaderModule')) {
    doubts.push('wgsl.sha256 is empty: GPUDevice.createShaderModule is allowed, but no module is');
  }
  if (timestamps === 'deny' && features.includes('timestamp-query')) {
    doubts.push('the feature timestamp-query is taken away by timestamps "deny"');
  }
  const reachable = new Set(allowed.flatMap((command) => pathsWithin(command)));
  for (const path of Object.keys(where)) {
    if (!reachable.has(path) && !deny.includes(path)) doubts.push(`where ${path}: nothing that is allowed takes it`);
  }
  return doubts;
}
