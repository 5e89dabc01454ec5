import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { DriverChoice } from '@vesper-gpu/dawn';
import { chooseDriver } from '@vesper-gpu/dawn/driver';
import { DEFAULT_POLICY, type Learned, type Policy } from '@vesper-gpu/host';
import { listen, parseAddress, type Listener } from '@vesper-gpu/transport';
import type { Logger } from 'pino';
import { Delegations, type Delegator } from './delegations.ts';
import { driverEnvironment, executorEnvironment, type DriverSetting } from './environment.ts';
import { ExecutorPool } from './executor-pool.ts';
import { detach } from './hand-over.ts';
import { adapterWords, type Assignment } from './messages.ts';
import { Observer } from './observer.ts';
import { Reception, refuseGuest, Rejection, type Visitor } from './reception.ts';
import { findTools, sandboxes } from './sandbox.ts';
import { Session, type SessionReport } from './session.ts';
import { DEFAULT_WATCH, watchLimits, type WatchLimits } from './watch.ts';

/** Where guests come from, and what they may do there. */
export interface ListenAddress {
  /** As in {@link BrokerOptions.listen}. */
  readonly address: string;
  /** What each guest that comes there may do and spend; absent: all that a host without a policy allows. */
  readonly policy?: Policy;
}

/** Options of {@link startBroker}. */
export interface BrokerOptions {
  /**
   * Where guests come from, at least one: `unix:PATH`, `shm:PATH` or `tcp:HOST:PORT` to listen at; `dev:PATH`, a character device
   * that leads to one guest. Each may have a policy: who can reach the address has the capability.
   */
  readonly listen: readonly (string | ListenAddress)[];
  /** Where sessions are written down. */
  readonly logger: Logger;
  /** Default `auto`, or the environment's `VESPER_DRIVER`. */
  readonly driver?: DriverSetting;
  /** How many guests may be there at a time; further ones are refused. Default 64. */
  readonly maxGuests?: number;
  /** How long a guest may take for its hello, in milliseconds. Default 10,000. */
  readonly helloTimeoutMs?: number;
  /** How long after a guest took the executor that was kept ready the next is started, in milliseconds. Default 0. */
  readonly spareDelayMs?: number;
  /** What the work of a guest may take before its executor is ended; the defaults are those of `DEFAULT_WATCH`; a policy goes before. */
  readonly watch?: Partial<WatchLimits>;
  /** File that the decisions of policies are appended to, one JSON object a line. Default none. */
  readonly audit?: string;
  /** Where metrics can be fetched in the text format of Prometheus: `unix:PATH` or `tcp:HOST:PORT`. Default nowhere. */
  readonly metrics?: string;
  /** What a guest used, once it has left or was dropped; executors watch that only where somebody wants to hear it. */
  learned?(learned: Learned): void;
  /** A guest has left, or was dropped. */
  sessionEnded?(report: SessionReport): void;
  /** The program of the executors, and what it runs on: for tests. */
  readonly executorFile?: string;
  /** A driver that was chosen already; by default it is chosen now. */
  readonly chosenDriver?: DriverChoice;
}

/** What {@link startBroker} started. */
export interface Broker {
  /** Where it listens, with real ports. */
  readonly addresses: readonly string[];
  /** The driver that executors use, and why. */
  readonly driver: DriverChoice;
  /** Where metrics can be fetched, with the real port; undefined where that is nowhere. */
  readonly metricsAddress: string | undefined;
  /** How many guests there are now. */
  readonly guestCount: number;
  /** Resolves when no further guest can come: closed, or all addresses were devices and their guests have left. */
  readonly finished: Promise<void>;
  /**
   * Lets no one in, removes the socket files, ends the executors (each gets 2 s to end its session and to report) and
   * waits until they are gone. Safe to call twice.
   */
  close(): Promise<void>;
}

/** How often, in milliseconds, a flood of connections that say nothing is logged. */
const FLOOD_LOG_MS = 1000;
/** Refusals that are logged one by one at once, and in each second on average. */
const REFUSAL_LINES = 20;
const REFUSAL_LINES_PER_SECOND = 1;
/** How long, in milliseconds, executors may take to end when the broker does. */
const STOP_GRACE_MS = 2000;
/** From `src` and `dist` alike: an executor is plain node, which runs what was built. */
const EXECUTOR_FILE = fileURLToPath(new URL('../../dist/executor.js', import.meta.url));

/**
 * Starts a broker: it lets guests in and gives each a process of its own, an executor. It never loads a GPU driver, and
 * no byte of a guest behind its hello passes through it. It keeps a copy of each guest's socket, unread, to tell the
 * guest what became of an executor that cannot.
 *
 * @throws DriverError when no driver works, with advice
 * @throws ConnectionError when an address is none, or cannot be listened at
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const listens = options.listen.map((one) => (typeof one === 'string' ? { address: one } : one));
  const parsed = listens.map(({ address }) => parseAddress(address));
  const environment = executorEnvironment(process.env);
  const driver = options.chosenDriver ?? (await chooseDriver(driverEnvironment(process.env, options.driver)));
  options.logger.info(
    { kind: driver.kind, adapter: driver.adapter, reason: driver.reason },
    `driver: ${driver.reason.at(-1)}`,
  );
  const devices = parsed.flatMap((address) => (address.kind === 'dev' ? [address.path] : []));
  const broker = new RunningBroker(options, driver, { ...environment, ...driver.environment }, devices);
  try {
    await broker.open();
    for (const [i, { address, policy }] of listens.entries()) {
      const device = parsed[i];
      if (device?.kind === 'dev') broker.serveDevice(device.path, policy);
      else await broker.listen(address, policy);
    }
  } catch (error) {
    await broker.close();
    throw error;
  }
  return broker;
}

/** Where guests come in. */
interface Entrance {
  readonly address: string;
  readonly policy: Policy | undefined;
  /** Whether guests that come here expect shared memory. */
  readonly expectsMemory: boolean;
}

class RunningBroker implements Broker {
  readonly addresses: string[] = [];
  readonly driver: DriverChoice;
  readonly finished: Promise<void>;
  readonly #options: BrokerOptions;
  readonly #logger: Logger;
  readonly #pool: ExecutorPool;
  readonly #listeners: Listener[] = [];
  /** Sockets that are this process's still: without a complete hello, or waiting for an executor. */
  readonly #visitors = new Set<Socket>();
  readonly #sessions = new Set<Session>();
  readonly #watch: WatchLimits;
  readonly #delegations = new Delegations();
  readonly #observer: Observer;
  readonly #reception: Reception;
  /** Connections that had to make room since that was logged last. */
  #madeRoom = 0;
  /** Refusals that may be logged one by one now, and since when that is so. */
  #refusalLines = REFUSAL_LINES;
  #refusalsFromMs = performance.now();
  /** Refusals beyond that, since they were logged last. */
  #unsaidRefusals = 0;
  #finish: () => void = () => {};
  #guests = 0;
  #devices = 0;
  #closing: Promise<void> | undefined;

  constructor(
    options: BrokerOptions,
    driver: DriverChoice,
    environment: Readonly<Record<string, string>>,
    devices: readonly string[],
  ) {
    this.#options = options;
    this.#logger = options.logger;
    this.#watch = { ...DEFAULT_WATCH, ...options.watch };
    this.#observer = new Observer(options);
    this.#reception = new Reception(options.helloTimeoutMs ?? 10_000);
    this.driver = driver;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    const file = options.executorFile ?? EXECUTOR_FILE;
    const tools = findTools(process.env['PATH']);
    this.#pool = new ExecutorPool({
      file,
      environment,
      sandboxes: sandboxes(tools, { file, environment, devices }),
      taskset: tools.taskset,
      adapter: adapterWords(driver.adapter),
      logger: options.logger,
      spareDelayMs: options.spareDelayMs ?? 0,
      spares: (count) => this.#observer.executorsReady(count),
    });
  }

  get metricsAddress(): string | undefined {
    return this.#observer.metricsAddress;
  }

  get guestCount(): number {
    return this.#sessions.size;
  }

  /** Serves what is not for guests; finds out how executors can be kept from what they do not need. */
  async open(): Promise<void> {
    await this.#observer.open(this.#options);
    const { dropped, missed } = await this.#pool.open();
    this.#logger.info({ dropped }, `executors have no more: ${dropped.join('; ') || 'nothing was dropped'}`);
    this.#logger.info(`busy executors let the others go first: ${this.#pool.yieldingMeans}`);
    if (missed.length > 0) this.#logger.info({ missed }, `executors still have: ${missed.join('; ')}`);
  }

  async listen(address: string, policy: Policy | undefined): Promise<void> {
    const expectsMemory = parseAddress(address).kind === 'shm';
    const listener = await listen(address, {
      pauseOnConnect: true,
      connection: (socket) => void this.#visit(socket, { address: listener.address, policy, expectsMemory }),
      failed: (error) => this.#logger.error({ address }, `a guest could not be accepted: ${error.message}`),
    });
    this.#listeners.push(listener);
    this.addresses.push(listener.address);
    this.#logger.info({ address: listener.address, ...roleOf(policy) }, `listening at ${listener.address}`);
  }

  serveDevice(path: string, policy: Policy | undefined): void {
    const from = `dev:${path}`;
    this.#devices++;
    this.addresses.push(from);
    const session = this.#admit('', policy);
    void session.executor.ready.then((isReady) => {
      if (!isReady) return;
      this.#logger.info({ address: from }, `waiting for guest ${session.guest} at ${from}`);
      session.handOver({ type: 'device', path, ...this.#terms(policy) }, undefined);
    });
    void session.executor.ended.then(() => {
      this.#devices--;
      if (this.#devices === 0 && this.#listeners.length === 0) this.#finish();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const socket of this.#visitors) socket.destroy();
    for (const session of this.#sessions) session.endsWith('the host is stopping');
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#pool.close(STOP_GRACE_MS);
    await this.#observer.close();
    this.#finish();
  }

  /** A connection, from its first byte until it is another process's or closed. */
  async #visit(socket: Socket, entrance: Entrance): Promise<void> {
    // Its faults show in its end; without a listener they would end this process.
    socket.on('error', () => {});
    if (this.#closing !== undefined) {
      socket.destroy();
      return;
    }
    const from = socket.remoteAddress === undefined ? entrance.address : `${socket.remoteAddress}:${socket.remotePort}`;
    this.#visitors.add(socket);
    try {
      const visitor = await this.#reception.receive(socket);
      await this.#serve(socket, visitor, from, entrance);
    } catch (error) {
      this.#reject(socket, from, error, entrance);
    } finally {
      this.#visitors.delete(socket);
    }
  }

  async #serve(socket: Socket, visitor: Visitor, from: string, entrance: Entrance): Promise<void> {
    const maxGuests = this.#options.maxGuests ?? 64;
    if (this.#sessions.size >= maxGuests) {
      throw new Rejection(
        `this host serves ${maxGuests} guests at a time, and that many are there; try again later`,
        true,
      );
    }
    const { agent, capability } = visitor.hello;
    const grant = capability === undefined ? undefined : this.#delegations.take(capability);
    if (capability !== undefined && grant === undefined) {
      throw new Rejection('the capability that the guest shows was never given, or has been used or withdrawn', true);
    }
    const policy = grant?.policy ?? entrance.policy;
    const session = this.#admit(agent, policy, grant?.parent);
    if (!(await session.executor.ready)) {
      throw new Rejection('the host could not start a process for this guest; its log says why', true);
    }
    const detached = detach(socket, visitor, entrance.expectsMemory);
    if (detached === undefined || this.#closing !== undefined) {
      session.abandon('it was gone before it could be served');
      socket.destroy();
      return;
    }
    session.logStart(from);
    session.handOver({ ...detached.source, ...this.#terms(policy) }, detached.socket);
  }

  /** What a guest is held to: by its host, and by the watch over that. */
  #terms(policy: Policy | undefined): Pick<Assignment, 'watch' | 'policy' | 'learn'> {
    return {
      ...(policy === undefined
        ? { watch: this.#watch }
        : { watch: { ...this.#watch, ...watchLimits(policy) }, policy }),
      ...(this.#options.learned === undefined ? {} : { learn: true }),
    };
  }

  /** Gives a guest a number and a process, and follows them to the end. */
  #admit(agent: string, policy: Policy | undefined, parent?: Delegator): Session {
    const session = new Session(++this.#guests, agent, policy?.role, this.#pool.take(), this.#logger);
    this.#sessions.add(session);
    this.#delegations.begin(session, policy ?? DEFAULT_POLICY, parent);
    session.executor.onDelegate = (wanted) => this.#delegations.grant(session, wanted);
    this.#observer.started(session, parent);
    session.executor.news = (news) => this.#observer.news(session, news);
    void session.executor.ended.then((end) => {
      this.#sessions.delete(session);
      // On a line of its own: an optional call does not evaluate its arguments when there is nothing to call.
      const report = session.end(end);
      this.#delegations.end(session);
      this.#observer.ended(session, report, end.violation);
      if (end.learned !== undefined) this.#options.learned?.(end.learned);
      this.#options.sessionEnded?.(report);
    });
    return session;
  }

  #reject(socket: Socket, from: string, error: unknown, { expectsMemory }: Entrance): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#observer.rejected();
    // A socket that was closed because the broker ends is no news.
    if (error instanceof Rejection && error.madeRoom) this.#logFlood(from);
    else if (this.#closing === undefined) this.#logRefusal(from, message);
    if (error instanceof Rejection && error.speaksVesper && !socket.destroyed)
      refuseGuest(socket, message, expectsMemory);
    else socket.destroy();
  }

  /** Some are told one by one; of a flood of them, the number once a second. */
  #logRefusal(from: string, message: string): void {
    const nowMs = performance.now();
    const regained = ((nowMs - this.#refusalsFromMs) * REFUSAL_LINES_PER_SECOND) / 1000;
    this.#refusalLines = Math.min(REFUSAL_LINES, this.#refusalLines + regained);
    this.#refusalsFromMs = nowMs;
    if (this.#refusalLines >= 1) {
      this.#refusalLines--;
      this.#logger.warn({ from }, `refused: ${message}`);
      return;
    }
    this.#unsaidRefusals++;
    if (this.#unsaidRefusals > 1) return;
    setTimeout(() => {
      const connections = this.#unsaidRefusals;
      this.#unsaidRefusals = 0;
      this.#logger.warn(
        { from, connections },
        `refused: ${connections} more connections, the first of them: ${message}`,
      );
    }, FLOOD_LOG_MS).unref();
  }

  /** Each costs a line at most a second: whoever opens thousands must not fill a disk. */
  #logFlood(from: string): void {
    this.#madeRoom++;
    if (this.#madeRoom > 1) return;
    setTimeout(() => {
      const connections = this.#madeRoom;
      this.#madeRoom = 0;
      this.#logger.warn(
        { from, connections },
        `refused: ${connections} connections that said nothing made room for others`,
      );
    }, FLOOD_LOG_MS).unref();
  }
}

function roleOf(policy: Policy | undefined): { role?: string } {
  return policy === undefined ? {} : { role: policy.role };
}
