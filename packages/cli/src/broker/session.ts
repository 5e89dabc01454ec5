import type { Logger } from 'pino';
import type { ExecutorEnd, ExecutorProcess } from './executor-process.ts';
import type { SessionStatistics } from './messages.ts';

/** What became of one guest. */
export interface SessionReport {
  /** Number of the guest, counted from 1 since the broker started. */
  readonly guest: number;
  /** What the guest library calls itself; empty on a character device. */
  readonly agent: string;
  /** As the executor reported; `crash` when it ended without a report. */
  readonly reason: 'closed' | 'protocol' | 'limit' | 'fault' | 'crash';
  /** The end in words. */
  readonly message: string;
  /** All zero when it did not report. */
  readonly statistics: SessionStatistics;
  /** From the hello to the end, in milliseconds. */
  readonly durationMs: number;
}

const NO_STATISTICS: SessionStatistics = { receivedBytes: 0, sentBytes: 0, commands: 0, requests: 0, objects: 0 };

/** One guest that was let in. */
export class Session {
  readonly guest: number;
  readonly agent: string;
  readonly executor: ExecutorProcess;
  readonly #logger: Logger;
  readonly #startedMs = performance.now();
  /** Why an end without a report is no crash. */
  #excuse: string | undefined;

  constructor(guest: number, agent: string, executor: ExecutorProcess, logger: Logger) {
    this.guest = guest;
    this.agent = agent;
    this.executor = executor;
    this.#logger = logger;
  }

  /** Says that its executor took the guest over. */
  logStart(from: string): void {
    const { guest, agent, executor } = this;
    const waitedMs = Math.round(performance.now() - this.#startedMs);
    this.#logger.info({ guest, agent, from, pid: executor.pid, waitedMs }, `guest ${guest} connected`);
  }

  /** Ends the executor, which has not seen the guest. */
  abandon(reason: string): void {
    this.#excuse ??= reason;
    this.executor.kill();
  }

  /** This side is about to end the executor, so that its end is no crash even where it does not report. */
  endsWith(reason: string): void {
    this.#excuse ??= reason;
  }

  /** Says how it ended. @returns what it said */
  logEnd(end: ExecutorEnd): SessionReport {
    const { guest, agent } = this;
    const durationMs = Math.round(performance.now() - this.#startedMs);
    if (end.report === undefined && this.#excuse !== undefined) {
      const message = this.#excuse;
      this.#logger.info({ guest, message, durationMs }, `guest ${guest} left`);
      return { guest, agent, reason: 'closed', message, statistics: NO_STATISTICS, durationMs };
    }
    if (end.report === undefined) {
      const message = `its executor ${end.how}`;
      this.#logger.error({ guest, durationMs, output: end.output }, `guest ${guest} was dropped: ${message}`);
      return { guest, agent, reason: 'crash', message, statistics: NO_STATISTICS, durationMs };
    }
    const { reason, message, statistics } = end.report;
    const level = reason === 'closed' ? 'info' : 'warn';
    this.#logger[level]({ guest, reason, message, durationMs, ...statistics }, `guest ${guest} left`);
    return { guest, agent, reason, message, statistics, durationMs };
  }
}
