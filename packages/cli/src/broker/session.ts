import type { Budget } from '@vesper-gpu/host';
import type { Logger } from 'pino';
import type { Delegator } from './delegations.ts';
import type { ExecutorEnd, ExecutorProcess } from './executor-process.ts';
import type { KeptSocket } from './hand-over.ts';
import type { Assignment, SessionStatistics } from './messages.ts';
import { refusingHello } from './reception.ts';
import { describeViolation } from './watch.ts';

/** What became of one guest. */
export interface SessionReport {
  /** Number of the guest, counted from 1 since the broker started. */
  readonly guest: number;
  /** What the guest library calls itself; empty on a character device. */
  readonly agent: string;
  /** Name of the role in the policy file that it was held to; absent where there was no policy. */
  readonly role?: string;
  /**
   * As the executor reported; `watchdog` when it was ended because its work exceeded a limit, `crash` when it ended
   * without a report.
   */
  readonly reason: 'closed' | 'protocol' | 'limit' | 'fault' | 'watchdog' | 'crash';
  /** The end in words. */
  readonly message: string;
  /** All zero when it did not report. */
  readonly statistics: SessionStatistics;
  /** From the hello to the end, in milliseconds. */
  readonly durationMs: number;
}

const NO_STATISTICS: SessionStatistics = { receivedBytes: 0, sentBytes: 0, commands: 0, requests: 0, objects: 0 };

/** One guest that was let in. */
export class Session implements Delegator {
  readonly guest: number;
  readonly agent: string;
  readonly role: string | undefined;
  readonly executor: ExecutorProcess;
  readonly #logger: Logger;
  readonly #startedMs = performance.now();
  /** Why an end without a report is no crash. */
  #excuse: string | undefined;
  #socket: KeptSocket | undefined;

  /** @param role of the policy that the guest is held to, where there is one */
  constructor(guest: number, agent: string, role: string | undefined, executor: ExecutorProcess, logger: Logger) {
    this.guest = guest;
    this.agent = agent;
    this.role = role;
    this.executor = executor;
    this.#logger = logger;
  }

  get #who(): Pick<SessionReport, 'guest' | 'agent' | 'role'> {
    const { guest, agent, role } = this;
    return { guest, agent, ...(role === undefined ? {} : { role }) };
  }

  /** Says that its executor took the guest over. */
  logStart(from: string): void {
    const { executor } = this;
    const waitedMs = Math.round(performance.now() - this.#startedMs);
    this.#logger.info({ ...this.#who, from, pid: executor.pid, waitedMs }, `guest ${this.guest} connected`);
  }

  /**
   * Gives the guest to its executor.
   * @param socket the guest's connection, which ends with this session
   */
  handOver(assignment: Assignment, socket: KeptSocket | undefined): void {
    this.#socket = socket;
    this.executor.assign(assignment, socket, (error) => {
      const { guest } = this;
      this.#logger.error({ guest }, `guest ${guest} could not be handed over: ${error.message}`);
      this.executor.kill();
    });
  }

  returned(given: Budget): void {
    this.executor.tell({ type: 'returned', given });
  }

  withdraw(reason: string): void {
    this.#excuse ??= reason;
    this.executor.kill();
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

  /** Says how it ended: to the guest, unless the executor has, and to the log. @returns what it said */
  end(end: ExecutorEnd): SessionReport {
    const report = this.#logEnd(end);
    if (end.report !== undefined || end.isBehind) this.#socket?.close();
    else if (report.reason === 'watchdog')
      this.#tell('watchdog', `the host ended this session: ${report.message}`, end.hasGreeted);
    else this.#tell('fault', this.#excuse ?? `the host's process for this session ${end.how}`, end.hasGreeted);
    return report;
  }

  #tell(reason: 'watchdog' | 'fault', detail: string, hasGreeted: boolean): void {
    this.#socket?.tell(reason, detail, hasGreeted ? undefined : refusingHello(detail));
  }

  #logEnd(end: ExecutorEnd): SessionReport {
    const { guest } = this;
    const who = this.#who;
    const durationMs = Math.round(performance.now() - this.#startedMs);
    if (end.report === undefined && this.#excuse !== undefined) {
      const message = this.#excuse;
      this.#logger.info({ guest, message, durationMs }, `guest ${guest} left`);
      return { ...who, reason: 'closed', message, statistics: NO_STATISTICS, durationMs };
    }
    if (end.report === undefined && end.violation !== undefined) {
      const message = describeViolation(end.violation);
      this.#logger.warn({ guest, durationMs, violation: end.violation }, `guest ${guest} was dropped: ${message}`);
      return { ...who, reason: 'watchdog', message, statistics: NO_STATISTICS, durationMs };
    }
    if (end.report === undefined) {
      const message = `its executor ${end.how}`;
      this.#logger.error({ guest, durationMs, output: end.output }, `guest ${guest} was dropped: ${message}`);
      return { ...who, reason: 'crash', message, statistics: NO_STATISTICS, durationMs };
    }
    const { reason, message, statistics } = end.report;
    const level = reason === 'closed' ? 'info' : 'warn';
    this.#logger[level]({ guest, reason, message, durationMs, ...statistics }, `guest ${guest} left`);
    return { ...who, reason, message, statistics, durationMs };
  }
}
