import { PROTOCOL, type api } from '@vesper-gpu/protocol/host';
import {
  BULK_CHUNK_BYTES,
  DEFAULT_HOST_LIMITS,
  encodeHello,
  HelloReader,
  incompatibility,
  parseGuestHello,
  ProtocolError,
  type HostHello,
  type HostLimits,
  type Transport,
} from '@vesper-gpu/wire';
import type { HostMemory } from './garbage.ts';
import type { AuditEntry } from './policy/audit.ts';
import { DEFAULT_POLICY } from './policy/defaults.ts';
import type { Delegate } from './policy/enforcement.ts';
import type { Learner } from './policy/learn.ts';
import type { Budget, Policy } from './policy/policy.ts';
import type { Sha256 } from './policy/shader-cost.ts';
import { createHandlers } from './handlers/index.ts';
import { HostConnection, type SessionEndNotice, type SessionStatistics } from './host-connection.ts';

/** A guest's hello that somebody else has read from the stream: a broker. */
export interface ReceivedHello {
  /** The pairs of the hello, as `HelloReader` returned them. */
  fields: ReadonlyMap<string, string>;
  /** The bytes that came behind it. */
  rest: Uint8Array;
}

/** How a guest is served. */
export interface ServeOptions {
  /** The WebGPU implementation that does the work. It is kept referenced as long as the session. */
  gpu: api.GPU;
  /** The guest's hello, if the stream stands behind it already. */
  hello?: ReceivedHello;
  /** Name and version of the host program, for the guest's logs. */
  agent?: string;
  /**
   * Whether the process ends with the session: its devices then end with it. Destroying them would wait for the work
   * that they have, of which nobody can receive the results.
   */
  leaveDevices?: boolean;
  /**
   * The memory of this process: a backend frees what it holds for an object when that is collected, and a JavaScript
   * engine does not know how much that is. In node: `gc` under `--expose-gc`, and `process.memoryUsage.rss`.
   */
  memory?: HostMemory;
  /** Of what the guest may send; DEFAULT_HOST_LIMITS for the rest. */
  limits?: Partial<HostLimits>;
  /**
   * How long, in milliseconds, commands are executed in one turn, before the process does something else: hears that the
   * guest has left, or that its time is over. Default 50. Infinity where the same bytes are to have the same effects,
   * whatever the time.
   */
  turnMs?: number;
  /** What the guest may do, and spend; by default DEFAULT_POLICY: everything, within limits that real programs keep. */
  policy?: Policy;
  /** Hears of everything that the policy refuses. To be quick: a guest can cause any number of calls. */
  audit?: (entry: AuditEntry) => void;
  /** Opens a capability for a sandbox within the guest; without it, this host does not delegate. */
  delegate?: Delegate;
  /** Hears of it when a part of the budget was carved out for a sandbox within the guest, or given back. */
  budgetChanged?: (budget: Budget) => void;
  /** SHA-256 of bytes, in lower-case hexadecimal: needed for a policy that lists shader modules. */
  sha256?: Sha256;
  /** Watches what the guest uses, for a policy that allows just that. */
  learn?: Learner;
  /**
   * At least two words that another thread watches: word 0 counts the records that were begun and wraps, word 1 is the
   * opcode of the record that is being executed, 0 when none is. Written as the records come, without fences.
   */
  activity?: Int32Array<SharedArrayBuffer>;
}

/** Why a session ended. */
export interface SessionEnd {
  /**
   * `closed`: the guest left. `protocol`: it broke the protocol. `limit`: it spent a budget of its policy, or something
   * took too long. `fault`: the transport or the host failed.
   */
  reason: 'closed' | 'protocol' | 'limit' | 'fault';
  /** The end in words: what was wrong, and where. */
  message: string;
  /** What it was, where something was wrong. */
  error?: Error;
}

/** What a session has used of the GPU. */
export interface GPUUsage {
  /** Memory that its objects occupy now, in bytes. */
  readonly memoryBytes: number;
  /** The most that they ever did. */
  readonly peakMemoryBytes: number;
  /** GPU time so far, in milliseconds. */
  readonly timeMs: number;
}

/** A guest that is being served. */
export interface Session {
  /** Resolves when the session is over; never rejects. */
  readonly ended: Promise<SessionEnd>;
  /** Counts as it goes. */
  readonly statistics: Readonly<SessionStatistics>;
  /**
   * A session that was delegated from this one is over.
   * @param given what had been carved out for it
   */
  giveBack(given: Budget): void;
  /** What it uses of the GPU. */
  readonly gpuUsage: GPUUsage;
  /** Ends the session from the host's side. */
  close(): void;
}

/**
 * Serves one guest on one stream until either side ends it.
 * Nothing that the guest sends throws out of here: malformed bytes end the session, see `ended`.
 */
export function serveGuest(transport: Transport, options: ServeOptions): Session {
  return new GuestSession(transport, options);
}

/** The hello of a host that serves with this implementation. */
export function hostHello(gpu: api.GPU, limits: HostLimits, agent: string): HostHello {
  return {
    ...PROTOCOL,
    agent,
    limits,
    wgslLanguageFeatures: [...gpu.wgslLanguageFeatures],
    preferredCanvasFormat: gpu.getPreferredCanvasFormat(),
  };
}

class GuestSession implements Session {
  readonly ended: Promise<SessionEnd>;
  readonly #transport: Transport;
  readonly #connection: HostConnection;
  /** Held for the session's life: Dawn for Node crashes when it is collected. */
  readonly #gpu: api.GPU;
  readonly #leaveDevices: boolean;
  readonly #hello: HostHello;
  #helloReader: HelloReader | undefined = new HelloReader('guest');
  #resolveEnded!: (end: SessionEnd) => void;
  #isEnded = false;

  constructor(transport: Transport, options: ServeOptions) {
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    this.#transport = transport;
    this.#gpu = options.gpu;
    this.#leaveDevices = options.leaveDevices ?? false;
    const limits = { ...DEFAULT_HOST_LIMITS, ...options.limits };
    const { gpuMemory = Infinity } = options.policy?.budget ?? {};
    // More data than there can be memory to put it in need not wait here.
    limits.maxBulkBytes = Math.min(limits.maxBulkBytes, Math.max(gpuMemory, BULK_CHUNK_BYTES));
    this.#hello = hostHello(this.#gpu, limits, options.agent ?? 'vesper');
    this.#connection = new HostConnection(
      transport,
      limits,
      (error) => this.#fail(error),
      options.memory,
      options.activity,
    );
    if (options.turnMs !== undefined) this.#connection.stream.turnMs = options.turnMs;
    const { policy = DEFAULT_POLICY, audit, sha256, delegate, budgetChanged, learn } = options;
    this.#connection.execute(createHandlers(this.#connection, options.gpu), {
      policy,
      sha256,
      delegate,
      learn,
      ...(audit === undefined ? {} : { audit }),
      ...(budgetChanged === undefined ? {} : { budgetChanged }),
    });
    const { hello } = options;
    transport.start({
      bytes: (chunk) => this.#guarded(() => this.#receive(chunk)),
      room: () => (this.#helloReader === undefined ? this.#connection.stream.room : undefined),
      sent: (bytes) => this.#connection.sent(bytes),
      drained: () => this.#connection.drained(),
      closed: (error) => this.#closed(error),
    });
    if (hello !== undefined) this.#guarded(() => this.#greet(hello));
  }

  get statistics(): SessionStatistics {
    const { statistics } = this.#connection;
    if (!this.#isEnded) {
      statistics.objects = this.#connection.objectCount;
      statistics.commands = this.#connection.commandCount;
    }
    return statistics;
  }

  giveBack(given: Budget): void {
    if (!this.#isEnded) this.#connection.enforcement.giveBack(given);
  }

  get gpuUsage(): GPUUsage {
    return this.#connection.gpuUsage;
  }

  close(): void {
    this.#end({ reason: 'closed', message: 'the host ended the session' });
  }

  #guarded(act: () => void): void {
    if (this.#isEnded) return;
    try {
      act();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #receive(chunk: Uint8Array): void {
    if (this.#helloReader === undefined) {
      this.#connection.receive(chunk);
      return;
    }
    const received = this.#helloReader.push(chunk);
    if (received !== undefined) this.#greet(received);
  }

  /** Answers the guest's hello, or says why it cannot be served. */
  #greet({ fields, rest }: ReceivedHello): void {
    const guest = parseGuestHello(fields);
    const refusal = incompatibility(guest, PROTOCOL);
    if (refusal !== undefined) throw new ProtocolError('refused', refusal);
    this.#helloReader = undefined;
    this.#connection.guestRevision = guest.schemaRevision;
    this.#transport.send(encodeHello(this.#hello));
    if (rest.byteLength > 0) this.#connection.receive(rest);
  }

  #fail(error: Error): void {
    if (!(error instanceof ProtocolError)) {
      // What went wrong is the host's own affair, and its log's.
      const notice = { reason: 'fault', detail: 'the host failed; its log says why', offset: -1, opcode: -1 } as const;
      return this.#end({ reason: 'fault', message: error.message, error }, this.#helloReader ? undefined : notice);
    }
    if (this.#helloReader !== undefined) this.#refuse(error);
    this.#end(
      {
        reason: error.reason === 'budget' || error.reason === 'watchdog' ? 'limit' : 'protocol',
        message: error.message,
        error,
      },
      this.#helloReader === undefined ? error : undefined,
    );
  }

  /** Answers a hello that cannot be served with ours, which says why. A peer that is no Vesper is told nothing. */
  #refuse(error: ProtocolError): void {
    if (error.reason === 'bad-magic') return;
    // A peer of another wire version learns ours, to name both; it may not understand more.
    const refusal = error.reason === 'refused' ? error.detail : error.message;
    this.#transport.send(encodeHello(error.reason === 'wire-version' ? this.#hello : { ...this.#hello, refusal }));
  }

  #closed(error: Error | undefined): void {
    // A transport too has rules, where the guest writes into memory of both.
    if (error !== undefined) {
      const reason = error instanceof ProtocolError ? 'protocol' : 'fault';
      this.#end({ reason, message: error.message, error });
    } else if (this.#helloReader !== undefined)
      this.#end({ reason: 'protocol', message: this.#helloReader.endedEarly().message });
    else if (this.#connection.stream.isWithinFrame)
      this.#end({ reason: 'protocol', message: 'truncated: the guest left within a frame' });
    else this.#end({ reason: 'closed', message: 'the guest closed the connection' });
  }

  #end(end: SessionEnd, notice?: SessionEndNotice): void {
    if (this.#isEnded) return;
    this.#connection.statistics.objects = this.#connection.objectCount;
    this.#isEnded = true;
    this.#connection.end(notice, this.#leaveDevices);
    this.#resolveEnded(end);
  }
}
