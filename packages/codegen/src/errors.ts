/** Generation cannot go on. `message` names the file, the member and the remedy. */
export class GenerateError extends Error {
  override readonly name = 'GenerateError';
  readonly code = 'VESPER_GENERATE';
}

/** Collects what is wrong with the inputs, so that one run names everything. */
export class Problems {
  readonly #messages: string[] = [];

  add(message: string): void {
    this.#messages.push(message);
  }

  /** @throws GenerateError when anything was added. */
  throwIfAny(): void {
    if (this.#messages.length > 0) throw new GenerateError(this.#messages.join('\n'));
  }
}
