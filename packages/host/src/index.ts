export type { HostMemory } from './garbage.ts';
export type { SessionStatistics } from './host-connection.ts';
export {
  hostHello,
  serveGuest,
  type ReceivedHello,
  type ServeOptions,
  type Session,
  type SessionEnd,
} from './serve.ts';
export type { AuditEntry } from './policy/audit.ts';
export { DEFAULT_POLICY } from './policy/defaults.ts';
export type { AdapterInfoPolicy, Budget, Constraint, Policy, TimestampPolicy, WgslLimits } from './policy/policy.ts';
export type { Sha256 } from './policy/shader-cost.ts';
