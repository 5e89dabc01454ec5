import type { api } from '@vesper-gpu/protocol/host';
import type { Guard } from './guard.ts';
import type { WgslLimits } from './policy.ts';
import { Refusal } from './refusal.ts';
import { scanWgsl } from './wgsl-scan.ts';

const CREATE = 'GPUDevice.createShaderModule';

/** SHA-256 of some bytes, in lower-case hexadecimal. */
export type Sha256 = (bytes: Uint8Array) => string;

/**
 * Looks at the text of each shader module before the compiler does.
 * @param sha256 needed where the policy lists modules.
 */
export function limitShaders(guard: Guard, limits: WgslLimits, sha256: Sha256 | undefined): void {
  const { maxBytes = Infinity, maxFunctions = Infinity, maxExpandedCalls = Infinity } = limits;
  const listed = limits.sha256 && new Set(limits.sha256);
  if (listed !== undefined && sha256 === undefined)
    throw new Error('the policy lists shader modules by SHA-256, and this host was given no function that makes one');
  const encoder = new TextEncoder();

  const look = (code: string): Refusal | undefined => {
    const over = (rule: keyof WgslLimits, value: number, what: string): Refusal =>
      new Refusal('internal', CREATE, `wgsl.${rule}`, `allows ${limits[rule] as number} ${what}`, String(value));
    // UTF-16 units are never more than bytes: a long text is not even read.
    if (code.length > maxBytes) return over('maxBytes', code.length, 'bytes of WGSL');
    const cost = scanWgsl(code);
    if (cost.bytes > maxBytes) return over('maxBytes', cost.bytes, 'bytes of WGSL');
    if (cost.functions > maxFunctions) return over('maxFunctions', cost.functions, 'functions in a shader module');
    if (cost.expandedCalls > maxExpandedCalls)
      return over('maxExpandedCalls', cost.expandedCalls, 'calls in a shader module once all are expanded');
    if (listed === undefined) return undefined;
    const digest = sha256!(encoder.encode(code));
    if (listed.has(digest)) return undefined;
    return new Refusal('validation', CREATE, 'wgsl.sha256', 'does not list this shader module', digest);
  };

  guard.around(CREATE, (next, args) => {
    const [, descriptor] = args as [unknown, api.GPUShaderModuleDescriptor];
    const refusal = look(descriptor.code);
    return refusal === undefined ? next(...args) : guard.refuse(refusal);
  });
}
