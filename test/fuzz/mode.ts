/** What one side sends in a session. */
export interface Stream {
  readonly from: 'guest' | 'host';
  readonly bytes: Uint8Array;
  /** Behind so many bytes, until there have been so many replies. */
  readonly waits: readonly (readonly [number, number])[];
}

/** Something that must not happen. */
export interface Finding {
  readonly mode: string;
  /** Number of the execution: with the seed and the mode, all that it takes to make it again. */
  readonly execution: number;
  readonly what: string;
  /** What makes it happen. */
  readonly stream: Stream;
}

/** One kind of fuzzing. The same seed gives the same executions. */
export interface Mode {
  readonly name: string;
  /** What an execution is, for people. */
  readonly unit: string;
  /** How many there have been. */
  readonly executions: number;
  /** How they ended. */
  readonly verdicts: ReadonlyMap<string, number>;
  /** Executes some more, `most` at the most; some milliseconds' worth. @returns the first finding. */
  run(most: number): Promise<Finding | undefined>;
  /** Ends what it has started. */
  close?(): Promise<void>;
}
