/**
 * What broker and executor say to each other, over the pipe between them (`talk.ts`); the assignment alone goes over
 * Node's channel, with the guest's socket. An executor runs what a guest sends,
 * so what it reports is checked like any other foreign input.
 */
import { readLearned, type AuditEntry, type Budget, type Learned, type Policy } from '@vesper-gpu/host';
import type { WatchLimits } from './watch.ts';

/** Where the guest is that an executor is to serve. Its socket travels beside the first kind. */
export type GuestSource =
  | {
      readonly type: 'guest';
      /** The fields of the hello that the broker has read. */
      readonly fields: readonly (readonly [string, string])[];
      /** Base64 of what the broker had received behind the hello. */
      readonly rest: string;
      /** Whether this is a port that outlives sessions, whose bytes have marks. */
      readonly isPort: boolean;
      /**
       * Of a guest that expects shared memory: how many bytes the broker has received from it. Absent: its socket
       * carries everything.
       */
      readonly receivedBytes?: number;
    }
  /** The executor opens this character device and reads the hello itself. */
  | { readonly type: 'device'; readonly path: string };

/** The guest that an executor is to serve, and how. */
export type Assignment = GuestSource & {
  /** What its work may take. */
  readonly watch: WatchLimits;
  /** What it may do and spend; absent: all that a host without a policy allows. */
  readonly policy?: Policy;
  /** Whether to watch what it uses. */
  readonly learn?: true;
};

/** What a broker says to its executor. */
export type BrokerMessage =
  | Assignment
  /** End the session, or never begin one; report; exit. */
  | { readonly type: 'stop' }
  /** The answer to `delegate`: the secret of the new capability, or why there is none. */
  | { readonly type: 'delegated'; readonly id: number; readonly token?: string; readonly refusal?: string }
  /** A session that was delegated is over: what had been carved out for it. */
  | { readonly type: 'returned'; readonly given: Budget };

/** What a session has cost so far: bytes received from and sent to the guest, and counts. */
export interface SessionStatistics {
  /** From the guest. */
  readonly receivedBytes: number;
  /** To the guest. */
  readonly sentBytes: number;
  /** Commands that were executed. */
  readonly commands: number;
  /** Requests that were answered: the round trips. */
  readonly requests: number;
  /** Objects that were made. */
  readonly objects: number;
}

/** What a session has cost so far, and what it holds. */
export interface SessionUsage extends SessionStatistics {
  /** GPU memory that its objects occupy, in bytes. */
  readonly gpuMemory: number;
  /** GPU time, in milliseconds. */
  readonly gpuMs: number;
  /** Calls that its policy refused. */
  readonly refusals: number;
}

/** One thing that a policy decided, and when. */
export interface SequencedEntry extends AuditEntry {
  /** How many commands the guest had sent. */
  readonly sequence: number;
}

/** An executor's last words. */
export interface ExecutorReport {
  /**
   * `closed` by either side, `protocol` when the guest broke the protocol, `limit` when it spent a budget or something
   * took too long, `fault` when the transport or host failed.
   */
  readonly reason: 'closed' | 'protocol' | 'limit' | 'fault';
  readonly message: string;
  readonly statistics: SessionStatistics;
}

export type ExecutorMessage =
  /** The driver is loaded: a guest can be served at once. The adapter is told in words. */
  | { readonly type: 'ready'; readonly adapter?: string }
  /** The session is over. Where the guest may still be reading the last word, the process is needed until `flushed`. */
  | { readonly type: 'ended'; readonly report: ExecutorReport; readonly isFlushing: boolean }
  /** The guest has read the last word, or will not. */
  | { readonly type: 'flushed' }
  /** The guest wants a capability for a sandbox of its own. What the policy is, is checked by who uses it. */
  | { readonly type: 'delegate'; readonly id: number; readonly policy: unknown }
  | ExecutorNews;

/** What an executor says while it serves, at most about once a second. */
export type ExecutorNews =
  /** What the guest has used until now. */
  | { readonly type: 'learned'; readonly learned: Learned }
  /** What the policy refused, and how many further refusals are not told. */
  | { readonly type: 'audit'; readonly entries: readonly SequencedEntry[]; readonly dropped: number }
  | { readonly type: 'usage'; readonly usage: SessionUsage };

/** How many entries one message has at most. */
export const MAX_AUDIT_ENTRIES = 100;
/** Longest text in an entry, in UTF-16 units. */
const MAX_ENTRY_LENGTH = 100;

/** The part of GPUAdapterInfo that names an adapter. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
}

const MAX_REPORT_LENGTH = 1000;

/** Reads a message of an executor; undefined when it is none. */
export function readExecutorMessage(message: unknown): ExecutorMessage | undefined {
  if (!isRecord(message)) return undefined;
  if (message['type'] === 'ready') {
    const adapter = plainText(message['adapter'], MAX_REPORT_LENGTH);
    return { type: 'ready', ...(adapter === '' ? {} : { adapter }) };
  }
  if (message['type'] === 'audit') return readAudit(message);
  if (message['type'] === 'usage' && isRecord(message['usage']))
    return { type: 'usage', usage: readUsage(message['usage']) };
  if (message['type'] === 'learned') return { type: 'learned', learned: readLearned(message['learned']) };
  if (message['type'] === 'flushed') return { type: 'flushed' };
  if (message['type'] === 'delegate' && typeof message['id'] === 'number')
    return { type: 'delegate', id: message['id'], policy: message['policy'] };
  const report = message['report'];
  if (message['type'] !== 'ended' || !isRecord(report)) return undefined;
  const { reason, statistics } = report;
  if (reason !== 'closed' && reason !== 'protocol' && reason !== 'limit' && reason !== 'fault') return undefined;
  return {
    type: 'ended',
    isFlushing: message['isFlushing'] === true,
    report: {
      reason,
      message: plainText(report['message'], MAX_REPORT_LENGTH),
      statistics: readStatistics(isRecord(statistics) ? statistics : {}),
    },
  };
}

function readStatistics(value: Record<string, unknown>): SessionStatistics {
  return {
    receivedBytes: amount(value['receivedBytes']),
    sentBytes: amount(value['sentBytes']),
    commands: amount(value['commands']),
    requests: amount(value['requests']),
    objects: amount(value['objects']),
  };
}

function readUsage(value: Record<string, unknown>): SessionUsage {
  return {
    ...readStatistics(value),
    gpuMemory: amount(value['gpuMemory']),
    gpuMs: amount(value['gpuMs']),
    refusals: amount(value['refusals']),
  };
}

function readAudit(message: Record<string, unknown>): ExecutorNews | undefined {
  const { entries } = message;
  if (!Array.isArray(entries)) return undefined;
  const read = entries
    .slice(0, MAX_AUDIT_ENTRIES)
    .flatMap((entry: unknown) => (isRecord(entry) ? readEntry(entry) : []));
  return { type: 'audit', entries: read, dropped: amount(message['dropped']) + (entries.length - read.length) };
}

function readEntry(entry: Record<string, unknown>): SequencedEntry[] {
  const { verdict } = entry;
  if (verdict !== 'refused' && verdict !== 'ended') return [];
  const value = plainText(entry['value'], MAX_ENTRY_LENGTH);
  return [
    {
      sequence: amount(entry['sequence']),
      path: plainText(entry['path'], MAX_ENTRY_LENGTH),
      rule: plainText(entry['rule'], MAX_ENTRY_LENGTH),
      ...(value === '' ? {} : { value }),
      verdict,
    },
  ];
}

/** A number that can be counted with. */
function amount(value: unknown): number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : 0;
}

/** Controls; formats, such as those that turn text around; ends of lines and of paragraphs. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text that came from elsewhere, for a log: bounded (in UTF-16 units), without line breaks, escape sequences and marks that nobody sees. */
export function plainText(value: unknown, maxLength: number): string {
  return typeof value === 'string' ? value.slice(0, maxLength).replace(UNSEEN, ' ') : '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** An adapter in words, to tell whether two processes opened the same one. */
export function adapterWords(info: AdapterInfo): string {
  return [info.vendor, info.architecture, info.device, info.description].join('; ');
}
