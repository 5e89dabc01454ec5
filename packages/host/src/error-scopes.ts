import type { api, VesperErrorValue } from '@vesper-gpu/protocol/host';

/** A scope, and what was reported to it first. */
interface ShadowScope {
  readonly filter: api.GPUErrorFilter;
  error: ReportedError | undefined;
}

/** An error that the backend does not know of. */
export interface ReportedError extends VesperErrorValue {
  /** Whether it says more than what the backend has to say of the same call: a policy's does. */
  readonly comesFirst?: boolean;
}

/**
 * The error scopes of a device as the host sees them, for errors that the backend does not know of: what its
 * JavaScript binding throws, and what the guest reports. The backend's own scopes stand beside them, one for one.
 * https://www.w3.org/TR/webgpu/#error-scopes
 */
export class ErrorScopes {
  readonly #stack: ShadowScope[] = [];

  push(filter: api.GPUErrorFilter): void {
    this.#stack.push({ filter, error: undefined });
  }

  /** @returns the first error that was reported to the scope on top, if any. */
  pop(): ReportedError | undefined {
    return this.#stack.pop()?.error;
  }

  /** @returns whether a scope took the error; if not, it is uncaptured. */
  report(error: ReportedError): boolean {
    const scope = this.#stack.findLast((one) => one.filter === error.type);
    if (scope === undefined) return false;
    scope.error ??= error;
    return true;
  }
}

const TYPES: Record<string, api.GPUErrorFilter> = {
  GPUValidationError: 'validation',
  GPUOutOfMemoryError: 'out-of-memory',
  GPUInternalError: 'internal',
};

/** The filter that an error of the backend belongs to, by the name of its class. */
export function errorType(error: api.GPUError): api.GPUErrorFilter {
  return TYPES[error.constructor.name] ?? 'internal';
}
