import type { AuditEntry, Learner, Session } from '@vesper-gpu/host';
import { MAX_AUDIT_ENTRIES, type ExecutorNews, type SequencedEntry, type SessionUsage } from './broker/messages.ts';

/** How often, in milliseconds, the broker is told something. */
const NEWS_MS = 1000;

/**
 * What an executor tells its broker while it serves: what was refused and what was used. A guest can cause any number of
 * refusals; they cost no more than the first hundred in each second do.
 */
export class News {
  readonly #tell: (news: ExecutorNews) => void;
  readonly #learner: Learner | undefined;
  #session: Session | undefined;
  #entries: SequencedEntry[] = [];
  #dropped = 0;
  #refusals = 0;
  #said = '';
  #saidAtMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  /** @param learner where the broker is to hear what the guest uses */
  constructor(tell: (news: ExecutorNews) => void, learner?: Learner) {
    this.#tell = tell;
    this.#learner = learner;
  }

  /** Tells of a session from now on, until its end. */
  follow(session: Session): void {
    this.#session = session;
    this.#timer = setInterval(() => this.#say(), NEWS_MS);
    this.#timer.unref();
  }

  /** For ServeOptions.audit. */
  readonly audit = (entry: AuditEntry): void => {
    if (entry.verdict === 'refused') this.#refusals++;
    // The last one says why the session ended.
    if (this.#entries.length >= MAX_AUDIT_ENTRIES - 1 && entry.verdict === 'refused') this.#dropped++;
    else this.#entries.push({ ...entry, sequence: this.#session?.statistics.commands ?? 0 });
    // At once where that is not often: the guest may be about to block this thread for good.
    if (performance.now() - this.#saidAtMs > NEWS_MS) this.#say();
  };

  /** Tells the rest: the session is over. */
  end(): void {
    clearInterval(this.#timer);
    this.#say();
  }

  #say(): void {
    this.#saidAtMs = performance.now();
    if (this.#entries.length > 0) {
      this.#tell({ type: 'audit', entries: this.#entries, dropped: this.#dropped });
      this.#entries = [];
      this.#dropped = 0;
    }
    const usage = this.#usage();
    if (usage === undefined) return;
    const text = JSON.stringify(usage);
    if (text === this.#said) return;
    this.#said = text;
    this.#tell({ type: 'usage', usage });
    if (this.#learner !== undefined) this.#tell({ type: 'learned', learned: this.#learner.learned() });
  }

  #usage(): SessionUsage | undefined {
    if (this.#session === undefined) return undefined;
    const { statistics, gpuUsage } = this.#session;
    const { receivedBytes, sentBytes, commands, requests, objects } = statistics;
    const { memoryBytes, timeMs } = gpuUsage;
    const refusals = this.#refusals;
    return { receivedBytes, sentBytes, commands, requests, objects, gpuMemory: memoryBytes, gpuMs: timeMs, refusals };
  }
}
