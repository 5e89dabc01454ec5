import { destination, pino, type Logger } from 'pino';
import { formatLine } from './human.ts';

/** How much is logged: that level and all behind it. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
/** From most to least important, as pino names them. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * A logger to stderr: one JSON object a line for programs, one line of text where a person watches (a terminal).
 * It writes at once, so that nothing is lost when the process ends.
 */
export function createLogger(level: LogLevel): Logger {
  const stream = destination({ fd: 2, sync: true });
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!process.stderr.isTTY) return pino(options, stream);
  return pino(options, { write: (line: string) => void stream.write(formatLine(line)) });
}
