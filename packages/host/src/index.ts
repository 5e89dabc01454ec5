export type { HostMemory } from './garbage.ts';
export type { SessionStatistics } from './host-connection.ts';
export {
  hostHello,
  serveGuest,
  type GPUUsage,
  type ReceivedHello,
  type ServeOptions,
  type Session,
  type SessionEnd,
} from './serve.ts';
export { attenuate } from './policy/attenuate.ts';
export type { AuditEntry } from './policy/audit.ts';
export { carve, giveBack, SPENT_QUANTITIES, withoutTotals, type Carved, type CarveRefusal } from './policy/carve.ts';
export { DEFAULT_POLICY, DEFAULTS } from './policy/defaults.ts';
export { doubtsOf } from './policy/doubts.ts';
export {
  explainPath,
  nearestPath,
  type ExplainedConstraint,
  type ExplainedPath,
  type Explanation,
} from './policy/explain.ts';
export { isWithin } from './policy/is-within.ts';
export { Learner } from './policy/learn.ts';
export { mergeLearned, NOTHING_LEARNED, readLearned, type Learned, type LearnedShaders } from './policy/learned.ts';
export { policyOf, type LearnedPolicyOptions } from './policy/learned-policy.ts';
export { PolicyError, type PolicyProblem } from './policy/policy-error.ts';
export {
  parsePolicyFile,
  parsePolicyRole,
  readPolicyFile,
  type PolicyFile,
  type PolicyRole,
} from './policy/policy-file.ts';
export type { AdapterInfoPolicy, Budget, Constraint, Policy, TimestampPolicy, WgslLimits } from './policy/policy.ts';
export type { Sha256 } from './policy/shader-cost.ts';
export { MAX_DELEGATED, type Delegate } from './policy/enforcement.ts';
