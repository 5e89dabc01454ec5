import {
  construction,
  requireArguments,
  requireConstruction,
  toDictionary,
  toDOMString,
  toEnum,
  missingMember,
  notAnObjectOf,
  defineInterface,
} from '@vesper-gpu/webidl';
import { GPUPipelineErrorReasonNumbers, type api, type VesperFailureValue } from '@vesper-gpu/protocol/guest';

/** https://www.w3.org/TR/webgpu/#gpuerror */
export class GPUError implements api.GPUError {
  readonly #message: string;

  constructor(...parts: unknown[]) {
    requireConstruction(parts[0]);
    this.#message = parts[1] as string;
  }

  /** https://www.w3.org/TR/webgpu/#dom-gpuerror-message */
  get message(): string {
    return this.#message;
  }
}

/** https://www.w3.org/TR/webgpu/#gpuvalidationerror */
export class GPUValidationError extends GPUError {
  declare readonly __brand: 'GPUValidationError';

  constructor(message: string) {
    requireArguments(arguments.length, 1, 'GPUValidationError');
    super(construction, toDOMString(message, 'GPUValidationError: message'));
  }
}

/** https://www.w3.org/TR/webgpu/#gpuoutofmemoryerror */
export class GPUOutOfMemoryError extends GPUError {
  declare readonly __brand: 'GPUOutOfMemoryError';

  constructor(message: string) {
    requireArguments(arguments.length, 1, 'GPUOutOfMemoryError');
    super(construction, toDOMString(message, 'GPUOutOfMemoryError: message'));
  }
}

/** https://www.w3.org/TR/webgpu/#gpuinternalerror */
export class GPUInternalError extends GPUError {
  declare readonly __brand: 'GPUInternalError';

  constructor(message: string) {
    requireArguments(arguments.length, 1, 'GPUInternalError');
    super(construction, toDOMString(message, 'GPUInternalError: message'));
  }
}

/** https://www.w3.org/TR/webgpu/#gpupipelineerror */
export class GPUPipelineError extends DOMException implements api.GPUPipelineError {
  declare readonly __brand: 'GPUPipelineError';
  readonly #reason: api.GPUPipelineErrorReason;

  constructor(message: string | undefined = '', options: api.GPUPipelineErrorInit) {
    requireArguments(arguments.length, 2, 'GPUPipelineError');
    super(toDOMString(message, 'GPUPipelineError: message'), 'GPUPipelineError');
    const { reason } = toDictionary(options, 'GPUPipelineError: options') ?? {};
    if (reason === undefined) missingMember('GPUPipelineErrorInit.reason');
    this.#reason = toEnum(
      reason,
      GPUPipelineErrorReasonNumbers,
      'GPUPipelineErrorReason',
      'GPUPipelineErrorInit.reason',
    );
  }

  /** https://www.w3.org/TR/webgpu/#dom-gpupipelineerror-reason */
  get reason(): api.GPUPipelineErrorReason {
    return this.#reason;
  }
}

/** https://www.w3.org/TR/webgpu/#gpuuncapturederrorevent */
export class GPUUncapturedErrorEvent extends Event implements api.GPUUncapturedErrorEvent {
  declare readonly __brand: 'GPUUncapturedErrorEvent';
  readonly #error: GPUError;

  constructor(type: string, init: api.GPUUncapturedErrorEventInit & ConstructorParameters<typeof Event>[1]) {
    requireArguments(arguments.length, 2, 'GPUUncapturedErrorEvent');
    super(toDOMString(type, 'GPUUncapturedErrorEvent: type'), init);
    const { error } = toDictionary(init, 'GPUUncapturedErrorEvent: gpuUncapturedErrorEventInitDict') ?? {};
    if (error === undefined) missingMember('GPUUncapturedErrorEventInit.error');
    if (!(error instanceof GPUError)) notAnObjectOf('GPUError', 'GPUUncapturedErrorEventInit.error');
    this.#error = error;
  }

  /** https://www.w3.org/TR/webgpu/#dom-gpuuncapturederrorevent-error */
  get error(): GPUError {
    return this.#error;
  }
}

defineInterface(GPUError, ['message']);
defineInterface(GPUValidationError, []);
defineInterface(GPUOutOfMemoryError, []);
defineInterface(GPUInternalError, []);
defineInterface(GPUPipelineError, ['reason']);
// Both arguments are required, although the first has a default for undefined.
Object.defineProperty(GPUPipelineError, 'length', { value: 2, configurable: true });
defineInterface(GPUUncapturedErrorEvent, ['error']);

/** What is thrown when the stack of error classes is named by the host. */
const ERROR_CLASSES = {
  validation: GPUValidationError,
  'out-of-memory': GPUOutOfMemoryError,
  internal: GPUInternalError,
};

/** The error object for what a scope caught. */
export function makeError(type: api.GPUErrorFilter, message: string): GPUError {
  return new ERROR_CLASSES[type](message);
}

/** A request that the host answered with a failure: what the program gets is decided where the request was made. */
export class RequestFailure extends Error {
  readonly failure: VesperFailureValue;

  constructor(failure: VesperFailureValue) {
    super(failure.message);
    this.failure = failure;
  }

  /** The exception of that name. @param fallback its message if the backend gave none, as Dawn for Node does for mapAsync. */
  toException(fallback: string): Error {
    const { name } = this.failure;
    const message = this.failure.message || fallback;
    return name === 'TypeError'
      ? new TypeError(message)
      : name === 'RangeError'
        ? new RangeError(message)
        : new DOMException(message, name);
  }
}

/** `OperationError`. https://webidl.spec.whatwg.org/#operationerror */
export function operationError(message: string): DOMException {
  return new DOMException(message, 'OperationError');
}

/** `AbortError`. https://webidl.spec.whatwg.org/#aborterror */
export function abortError(message: string): DOMException {
  return new DOMException(message, 'AbortError');
}
