/** What a ring cannot do: wake the other side, and tell that it is gone. */
export interface Doorbell {
  /** Wakes the other side. */
  ring(): void;
  /**
   * Begins to listen; called once.
   * @param rung called when the other side rang, and without reason now and then; in a task of its own
   * @param gone called once, when the other side will neither ring nor read any more; with an error where nothing of it is to be
   *   believed any more
   */
  listen(rung: () => void, gone: (error?: Error) => void): void;
  /** Keeps the process alive, as does a fresh one. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
  /** Tells the other side that this one is gone; nothing is called any more. */
  close(): void;
}
