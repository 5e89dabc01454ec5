import { policyCommands } from '@vesper-gpu/protocol/host';
import { policyFeatures } from './catalog.ts';
import type { Policy } from './policy.ts';

/** The limits that hold where a policy is silent. */
export const DEFAULTS = {
  /** How long the GPU may work without getting a submit done, in milliseconds. */
  hangMs: 30_000,
  /** How long one compilation may take, in milliseconds. */
  compileMs: 30_000,
  /** WGSL of one module, in UTF-8 bytes. */
  maxBytes: 8 * 1024 * 1024,
  /** Functions that one module declares. */
  maxFunctions: 4096,
  /** Calls of one module once each is replaced by the body of what it calls. */
  maxExpandedCalls: 16_384,
  /** What `"timestamps": "quantised"` rounds to, in microseconds. */
  quantumUs: 100,
  /** The schema revision that a file without `schemaRevision` was written for: the last one before policies existed. */
  schemaRevision: 2,
} as const;

/** What a host without a policy file does: all is allowed, and what would hang it is limited. */
export const DEFAULT_POLICY: Policy = {
  role: 'default',
  allow: policyCommands.map((command) => command.name).toSorted(),
  deny: [],
  features: policyFeatures.toSorted(),
  limits: {},
  where: {},
  wgsl: {
    maxBytes: DEFAULTS.maxBytes,
    maxFunctions: DEFAULTS.maxFunctions,
    maxExpandedCalls: DEFAULTS.maxExpandedCalls,
    compileMs: DEFAULTS.compileMs,
  },
  budget: { hangMs: DEFAULTS.hangMs },
  adapterInfo: 'full',
  timestamps: 'full',
  forceFallbackAdapter: false,
};
