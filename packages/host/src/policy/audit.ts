/** One thing that a policy decided, for an audit log. Never holds what a guest's data contain. */
export interface AuditEntry {
  /** IDL path of what was decided upon. */
  readonly path: string;
  /** What in the policy decided: `allow`, `where.max`, `budget.gpuMemory` … */
  readonly rule: string;
  /** The value, where it is a short one. */
  readonly value?: string;
  /** `refused`: the call was not done. `ended`: the session was ended. */
  readonly verdict: 'refused' | 'ended';
}
