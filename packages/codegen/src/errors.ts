/** Generation cannot go on. `message` names the file, the member and the remedy. */
export class GenerateError extends Error {
  /** Name of the class. */
  override readonly name = 'GenerateError';
  /** For programs: stays the same. */
  readonly code = 'VESPER_GENERATE';
}

/** Collects what is wrong with the inputs, so that one run names everything. */
export class Problems {
  readonly #messages: string[] = [];

  /** @param message names the file, the member and the remedy. */
  add(message: string): void {
    this.#messages.push(message);
  }

  /** @throws GenerateError when anything was added. */
  throwIfAny(): void {
    if (this.#messages.length > 0) throw new GenerateError(this.#messages.join('\n'));
  }
}
