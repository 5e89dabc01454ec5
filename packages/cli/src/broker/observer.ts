import { DEFAULT_POLICY } from '@vesper-gpu/host';
import { policyCommands } from '@vesper-gpu/protocol/host';
import type { Listener } from '@vesper-gpu/transport';
import type { Logger } from 'pino';
import { AuditLog, type AuditedSession } from './audit-log.ts';
import { plainText, type ExecutorNews, type SequencedEntry } from './messages.ts';
import { serveMetrics } from './metrics-server.ts';
import { Metrics } from './metrics.ts';
import type { Session, SessionReport } from './session.ts';
import type { Violation } from './watch.ts';

/** What is to be written down of sessions, besides the log. */
export interface ObserverOptions {
  /** File of the audit log; absent: none. */
  readonly audit?: string | undefined;
  /** Where metrics can be fetched, `unix:PATH` or `tcp:HOST:PORT`; absent: nowhere. */
  readonly metrics?: string | undefined;
  readonly logger: Logger;
}

/** In the audit log, in UTF-16 units. */
const MAX_ROLE_LENGTH = 128;

/** Follows the sessions of a broker into its audit log and its metrics. */
export class Observer {
  readonly #metrics = new Metrics();
  readonly #audit: AuditLog | undefined;
  #listener: Listener | undefined;
  /** The role that a session, or the one that it was delegated by in the end, has from the policy file. */
  readonly #labels = new WeakMap<object, string>();

  /** @throws AuditLogError when there is to be a log, and it cannot be written */
  constructor({ audit, logger }: ObserverOptions) {
    this.#audit = audit === undefined ? undefined : new AuditLog(audit, logger);
  }

  /** Where metrics can be fetched; undefined where that is nowhere. */
  get metricsAddress(): string | undefined {
    return this.#listener?.address;
  }

  /** @throws ConnectionError when metrics cannot be served there */
  async open({ metrics, logger }: ObserverOptions): Promise<void> {
    if (metrics === undefined) return;
    this.#listener = await serveMetrics(metrics, () => this.#metrics.text());
    logger.info({ address: this.#listener.address }, `metrics at ${this.#listener.address}`);
  }

  /** @param parent the session that delegated its capability to this one */
  started(session: Session, parent?: object): void {
    // A guest names the roles that it delegates: those are no labels.
    const label = (parent && this.#labels.get(parent)) ?? roleOf(session);
    this.#labels.set(session, label);
    this.#metrics.started(session.guest, label);
  }

  /** An executor has told something of its session. */
  news(session: Session, news: ExecutorNews): void {
    if (news.type === 'usage') this.#metrics.used(session.guest, this.#labelOf(session), news.usage);
    if (news.type === 'audit') this.#audit?.write(audited(session), news.entries, news.dropped);
  }

  ended(session: Session, { reason }: SessionReport, violation: Violation | undefined): void {
    this.#audit?.ended(audited(session), violation && entryOf(violation));
    this.#metrics.ended(session.guest, this.#labelOf(session), reason, violation);
  }

  /** A connection was not let in. */
  rejected(): void {
    this.#metrics.rejected();
  }

  /** So many executors wait for a guest. */
  executorsReady(count: number): void {
    this.#metrics.executorsReady(count);
  }

  #labelOf(session: Session): string {
    return this.#labels.get(session) ?? roleOf(session);
  }

  async close(): Promise<void> {
    await Promise.all([this.#listener?.close(), this.#audit?.close()]);
  }
}

function roleOf({ role }: Session): string {
  return role ?? DEFAULT_POLICY.role;
}

function audited(session: Session): AuditedSession {
  return { guest: session.guest, role: plainText(roleOf(session), MAX_ROLE_LENGTH) };
}

const COMPILING = new Set(policyCommands.filter(({ cost }) => cost === 'compile').map(({ name }) => name));

/** Why the watch ended an executor, in the words of a policy. What number the command had, nobody knows any more. */
function entryOf(violation: Violation): SequencedEntry {
  const ended = { sequence: 0, path: 'VesperStream.ended', verdict: 'ended' } as const;
  switch (violation.kind) {
    case 'stuck': {
      const rule = COMPILING.has(violation.command) ? 'wgsl.compileMs' : 'budget.hangMs';
      return { ...ended, path: violation.command, rule, value: String(violation.limitMs) };
    }
    case 'frozen':
      return { ...ended, rule: 'budget.hangMs', value: String(violation.limitMs) };
    case 'memory':
      return { ...ended, rule: 'budget.processMemory', value: String(violation.limitBytes) };
    case 'flood':
      return { ...ended, rule: 'messages', value: String(violation.perSecond) };
    default:
      return violation satisfies never;
  }
}
