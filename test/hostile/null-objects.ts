/** Where the calls of a null backend are written down. */
export interface NullLog {
  log(name: string, args: readonly unknown[]): void;
  /** What an answer waits for. */
  wait(name: string): Promise<void> | undefined;
}

/** Whether an argument is, or holds, an invalid object of the null backend. Descriptors are trees, a few levels deep. */
export function isInvalid(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  if (value instanceof NullObject) return value.isInvalid;
  return Object.values(value).some(isInvalid);
}

/** An object of the null backend. Made of an invalid one, it is invalid: https://www.w3.org/TR/webgpu/#invalidity */
export class NullObject {
  #label = '';
  isInvalid: boolean;
  readonly logOf: NullLog;

  constructor(log: NullLog, parts: readonly unknown[]) {
    this.logOf = log;
    this.isInvalid = parts.some(isInvalid);
  }

  get label(): string {
    return this.#label;
  }

  set label(value: string) {
    this.log('label', [value]);
    this.#label = value;
  }

  log(name: string, args: readonly unknown[]): void {
    this.logOf.log(name, args);
  }

  /** Writes an asynchronous call down, and waits as long as the test wants. */
  async answer(name: string, args: readonly unknown[]): Promise<void> {
    this.logOf.log(name, args);
    await this.logOf.wait(name);
  }
}

class GPUValidationError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

class GPUOutOfMemoryError extends GPUValidationError {}
class GPUInternalError extends GPUValidationError {}

/** The host tells errors by the names of their classes. */
const CLASSES = {
  validation: GPUValidationError,
  'out-of-memory': GPUOutOfMemoryError,
  internal: GPUInternalError,
};

export type Filter = keyof typeof CLASSES;

/** The error scopes of a device. https://www.w3.org/TR/webgpu/#error-scopes */
export class NullScopes {
  readonly #stack: { filter: string; error: object | null }[] = [];
  readonly #uncaptured: (error: object) => void;

  constructor(uncaptured: (error: object) => void) {
    this.#uncaptured = uncaptured;
  }

  get depth(): number {
    return this.#stack.length;
  }

  push(filter: string): void {
    this.#stack.push({ filter, error: null });
  }

  pop(): object | null {
    const scope = this.#stack.pop();
    if (scope === undefined) throw new DOMException('there is no scope', 'OperationError');
    return scope.error;
  }

  report(filter: Filter, message: string): void {
    const error = new CLASSES[filter](message);
    const scope = this.#stack.findLast((one) => one.filter === filter);
    if (scope === undefined) this.#uncaptured(error);
    else scope.error ??= error;
  }
}
