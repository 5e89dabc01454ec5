import type { Logger } from 'pino';
import { ExecutorProcess, type ExecutorOptions } from './executor-process.ts';
import { ProcessorGroups } from './processor-groups.ts';
import { ReservedProcessor } from './reserved-processor.ts';
import type { Sandbox } from './sandbox.ts';
import { type Watched, Yielding } from './yielding.ts';

/** How long, in milliseconds, to wait before a spare that died by itself is replaced. */
const RETRY_MS = 5000;

/** How long, in milliseconds, an executor may take to get ready in a sandbox that is tried. */
const TRIAL_MS = 10_000;

export interface PoolOptions extends Omit<ExecutorOptions, 'output' | 'sandbox' | 'isAwaited'> {
  /** Ways to start them, at least one: the first in which an executor gets ready is used. */
  readonly sandboxes: readonly Sandbox[];
  /** Keeps busy executors off a processor: its file, where there is one. */
  readonly taskset?: string | undefined;
  /** What an executor has to say of its adapter: a sandbox must not hide the driver that was chosen. */
  readonly adapter: string;
  readonly logger: Logger;
  /** How long, in milliseconds, after a spare was taken the next one is started. */
  readonly spareDelayMs: number;
  /** Hears how many executors wait for a guest. */
  spares?(count: number): void;
}

/**
 * Starts executors, one of them ahead: loading a driver takes some 300 ms that a guest need not wait for. A spare that
 * dies by itself is replaced, but not at once, so that a broken driver does not keep the machine busy.
 */
export class ExecutorPool {
  readonly #options: PoolOptions;
  readonly #live = new Set<ExecutorProcess>();
  readonly #yielding: Yielding;
  readonly #watched = new Map<ExecutorProcess, Watched>();
  #spare: ExecutorProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #sandbox: Sandbox;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#sandbox = options.sandboxes.at(-1)!;
    this.#yielding = new Yielding(ProcessorGroups.open(), new ReservedProcessor(options.taskset));
  }

  /** How those that are busy let others go first, in words. */
  get yieldingMeans(): string {
    return this.#yielding.means;
  }

  /** Finds the way to start executors, and keeps the first one ready. To be called before anything else. */
  async open(): Promise<Sandbox> {
    const candidates = this.#options.sandboxes;
    for (const sandbox of candidates.slice(0, -1)) {
      this.#sandbox = sandbox;
      // What it writes is of interest if it stays; that a sandbox did not work is said once, in words.
      const lines: (() => void)[] = [];
      let isTrial = true;
      const executor = this.#start({ output: (log) => void (isTrial ? lines.push(log) : log()) });
      const timer = setTimeout(() => executor.kill(), TRIAL_MS);
      const isReady = await executor.ready;
      clearTimeout(timer);
      const { adapter = this.#options.adapter } = executor;
      if (isReady && adapter === this.#options.adapter && !this.#isClosed) {
        isTrial = false;
        for (const log of lines) log();
        this.#keep(executor);
        return sandbox;
      }
      executor.kill();
    }
    this.#sandbox = candidates.at(-1)!;
    this.#refillWithin(0);
    return this.#sandbox;
  }

  /** The spare, or a new one; it may still be loading. */
  take(): ExecutorProcess {
    const spare = this.#spare;
    this.#spare = undefined;
    this.#options.spares?.(0);
    this.#refillWithin(this.#options.spareDelayMs);
    const executor = spare === undefined || spare.isGone ? this.#start() : spare;
    executor.awaited();
    const watched = this.#watched.get(executor);
    if (watched !== undefined) this.#yielding.awaited(watched);
    return executor;
  }

  /** Ends all processes, those with a guest after at most `graceMs`, and waits until they are gone. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#spare?.kill();
    const all = [...this.#live];
    for (const executor of all) if (executor !== this.#spare) executor.stop(graceMs);
    await Promise.all(all.map((executor) => executor.ended));
  }

  #refillWithin(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.#refill(), milliseconds);
  }

  #refill(): void {
    if (this.#spare !== undefined || this.#isClosed) return;
    let spare: ExecutorProcess;
    try {
      spare = this.#start({ isAwaited: false });
    } catch (error) {
      // Out of processes or memory: the guests that are served go on.
      this.#options.logger.error(`no executor could be started: ${(error as Error).message}`);
      this.#refillWithin(RETRY_MS);
      return;
    }
    this.#keep(spare);
  }

  #keep(spare: ExecutorProcess): void {
    this.#spare = spare;
    void spare.ready.then((isReady) => {
      if (isReady && this.#spare === spare) this.#options.spares?.(1);
    });
    void spare.ended.then(({ how, output }) => {
      if (this.#spare !== spare) return;
      this.#spare = undefined;
      this.#options.spares?.(0);
      if (this.#isClosed) return;
      this.#options.logger.error({ output }, `the executor kept ready for the next guest ${how}`);
      this.#refillWithin(RETRY_MS);
    });
  }

  /**
   * @param options.isAwaited whether somebody waits for it, so that others do not come first.
   * @param options.output what is done with the writing of a line to the log.
   */
  #start({ isAwaited = true, output = (log: () => void): void => log() } = {}): ExecutorProcess {
    const { logger } = this.#options;
    const executor: ExecutorProcess = new ExecutorProcess({
      file: this.#options.file,
      environment: this.#options.environment,
      isAwaited,
      sandbox: { ...this.#sandbox, wrapper: [...this.#yielding.prefix, ...this.#sandbox.wrapper] },
      output: (line) => output(() => logger.debug({ pid: executor.pid, line }, 'an executor wrote')),
    });
    this.#live.add(executor);
    const { pid } = executor;
    const watched = pid === undefined ? undefined : this.#yielding.add(pid, isAwaited);
    if (watched !== undefined) this.#watched.set(executor, watched);
    void executor.ready.then((isReady) => {
      if (isReady && watched !== undefined) this.#yielding.started(watched);
    });
    void executor.ended.then(() => {
      this.#live.delete(executor);
      this.#watched.delete(executor);
      if (watched !== undefined) this.#yielding.remove(watched);
    });
    return executor;
  }
}
