import { createWriteStream, openSync, type WriteStream } from 'node:fs';
import type { Logger } from 'pino';
import type { SequencedEntry } from './messages.ts';

/** Entries that one session may write at once. */
const BURST = 100;
/** Entries of one session in each second, on average. */
const PER_SECOND = 20;
/** When so many bytes wait for the disk, nothing more is written. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** The audit log cannot be opened. */
export class AuditLogError extends Error {
  /** Name of the class. */
  override readonly name = 'AuditLogError';
  /** For programs: stays the same. */
  readonly code = 'VESPER_AUDIT';
}

/** Whose entries these are. */
export interface AuditedSession {
  /** Number of the guest. */
  readonly guest: number;
  readonly role: string;
}

interface Account {
  tokens: number;
  sinceMs: number;
  dropped: number;
  /** Whether it is written what ended the session. */
  hasEnd: boolean;
}

/**
 * Writes down what policies decided, one JSON object a line: time, session, sequence, role, path, rule, value, verdict.
 * Each session may write so much a second; of what it causes beyond that, the number is written.
 */
export class AuditLog {
  readonly #stream: WriteStream;
  readonly #accounts = new Map<number, Account>();

  /**
   * Opens a file to append to, made for its owner alone.
   * @throws AuditLogError when it cannot be opened
   */
  constructor(file: string, logger: Logger) {
    this.#stream = createWriteStream(file, { fd: openForOwner(file) });
    this.#stream.on('error', (error) => logger.error(`the audit log cannot be written: ${error.message}`));
  }

  /**
   * Writes down what was decided.
   * @param dropped how many further decisions are not told
   */
  write(session: AuditedSession, entries: readonly SequencedEntry[], dropped = 0): void {
    const account = this.#account(session.guest);
    for (const { sequence, path, rule, value, verdict } of entries) {
      // What ended a session is told however many came before, once: it is an executor that says so.
      const isEnd = verdict === 'ended' && !account.hasEnd;
      if (isEnd) account.hasEnd = true;
      else if (account.tokens < 1 || verdict === 'ended') {
        account.dropped++;
        continue;
      }
      account.tokens = Math.max(0, account.tokens - 1);
      this.#sayDropped(session, account);
      this.#line(session, account, { sequence, path, rule, ...(value === undefined ? {} : { value }), verdict });
    }
    account.dropped += dropped;
  }

  /**
   * The session has ended: says what is still to say of it.
   * @param end why, where this side ended it: that is told whatever its executor said
   */
  ended(session: AuditedSession, end?: SequencedEntry): void {
    const account = this.#account(session.guest);
    this.#sayDropped(session, account);
    if (end !== undefined) this.#line(session, account, end);
    this.#accounts.delete(session.guest);
  }

  /** Waits until all is written. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stream.destroyed) resolve();
      else this.#stream.once('close', resolve).end();
    });
  }

  #account(guest: number): Account {
    const nowMs = performance.now();
    const account = this.#accounts.get(guest) ?? { tokens: BURST, sinceMs: nowMs, dropped: 0, hasEnd: false };
    account.tokens = Math.min(BURST, account.tokens + ((nowMs - account.sinceMs) * PER_SECOND) / 1000);
    account.sinceMs = nowMs;
    this.#accounts.set(guest, account);
    return account;
  }

  #sayDropped(session: AuditedSession, account: Account): void {
    const { dropped } = account;
    if (dropped === 0) return;
    account.dropped = 0;
    this.#line(session, account, { dropped });
  }

  #line({ guest, role }: AuditedSession, account: Account, rest: object): void {
    if (this.#stream.destroyed || this.#stream.writableLength > MAX_WAITING_BYTES) {
      account.dropped++;
      return;
    }
    this.#stream.write(`${JSON.stringify({ time: new Date().toISOString(), session: guest, role, ...rest })}\n`);
  }
}

function openForOwner(file: string): number {
  try {
    return openSync(file, 'a', 0o600);
  } catch (error) {
    const message = `cannot write the audit log ${file}: ${(error as Error).message}; name a file in a folder that this user may write to`;
    throw new AuditLogError(message, { cause: error });
  }
}
