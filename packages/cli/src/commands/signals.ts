import { constants } from 'node:os';

/** Signals by which a user or a supervisor ends a program. */
export const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type EndingSignal = (typeof ENDING_SIGNALS)[number];

/** Exit status of a program that `signal` ended, as shells have it. */
export function statusOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** Calls `handle` for each ending signal. @returns a function that stops that */
export function onEndingSignals(handle: (signal: EndingSignal) => void): () => void {
  const listeners = ENDING_SIGNALS.map((signal) => ({ signal, listener: () => handle(signal) }));
  for (const { signal, listener } of listeners) process.on(signal, listener);
  return () => {
    for (const { signal, listener } of listeners) process.off(signal, listener);
  };
}
