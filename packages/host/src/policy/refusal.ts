import type { VesperFailureValue, api } from '@vesper-gpu/protocol/host';

/** What a policy or a budget answered a call with, in place of doing it. */
export class Refusal extends Error {
  /** Name of the class. */
  override readonly name = 'Refusal';
  /** The kind of GPUError that the guest gets, where the call is one that reports errors. */
  readonly type: api.GPUErrorFilter;
  /** IDL path of what was refused. */
  readonly path: string;
  /** What in the policy refused it: `allow`, `where`, `wgsl.maxBytes`, `budget.gpuMemory` … */
  readonly rule: string;
  /** The value that was refused, where there is one and it is short. */
  readonly value: string | undefined;

  /** @param reason completes the sentence "the policy of this guest …". */
  constructor(type: api.GPUErrorFilter, path: string, rule: string, reason: string, value?: string) {
    super(`${path}: the policy of this guest ${reason} (${rule})`);
    this.type = type;
    this.path = path;
    this.rule = rule;
    this.value = value?.slice(0, 100);
  }

  /** The exception that the guest gets, where the call is a request. */
  toFailure(isPipeline: boolean): VesperFailureValue {
    const { message } = this;
    if (!isPipeline) return { name: 'OperationError', message };
    return { name: 'GPUPipelineError', message, reason: this.type === 'validation' ? 'validation' : 'internal' };
  }
}
