/** Why no driver was chosen. The value is stable: programs may branch on it. */
export type DriverErrorCode =
  /** No candidate opened an adapter. */
  | 'DRIVER_NONE'
  /** The variable VESPER_DRIVER has a value that it does not know. */
  | 'DRIVER_BAD_SETTING';

/** Thrown by chooseDriver() and inspect(). The message holds all there is to tell a person, over several lines. */
export class DriverError extends Error {
  /** Name of the class. */
  override readonly name = 'DriverError';
  /** For programs: stays the same. */
  readonly code: DriverErrorCode;
  /** One sentence for each candidate that was considered, in order. */
  readonly steps: readonly string[];
  /** What to do about it, one sentence each. */
  readonly advice: readonly string[];

  constructor(code: DriverErrorCode, summary: string, steps: readonly string[], advice: readonly string[]) {
    const list = (title: string, lines: readonly string[]) =>
      lines.length === 0 ? '' : `\n${title}\n${lines.map((line) => `  - ${line}`).join('\n')}`;
    super(summary + list('Tried:', steps) + list('What to do:', advice));
    this.code = code;
    this.steps = steps;
    this.advice = advice;
  }
}
