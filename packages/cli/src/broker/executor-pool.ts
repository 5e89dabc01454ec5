import type { Logger } from 'pino';
import { ExecutorProcess, type ExecutorOptions } from './executor-process.ts';

/** How long, in milliseconds, to wait before a spare that died by itself is replaced. */
const RETRY_MS = 5000;

export interface PoolOptions extends Omit<ExecutorOptions, 'output'> {
  readonly logger: Logger;
  /** How long, in milliseconds, after a spare was taken the next one is started. */
  readonly spareDelayMs: number;
}

/**
 * Starts executors, one of them ahead: loading a driver takes some 300 ms that a guest need not wait for. A spare that
 * dies by itself is replaced, but not at once, so that a broken driver does not keep the machine busy.
 */
export class ExecutorPool {
  readonly #options: PoolOptions;
  readonly #live = new Set<ExecutorProcess>();
  #spare: ExecutorProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#refillWithin(0);
  }

  /** The spare, or a new one; it may still be loading. */
  take(): ExecutorProcess {
    const spare = this.#spare;
    this.#spare = undefined;
    this.#refillWithin(this.#options.spareDelayMs);
    return spare === undefined || spare.isGone ? this.#start() : spare;
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
      spare = this.#start();
    } catch (error) {
      // Out of processes or memory: the guests that are served go on.
      this.#options.logger.error(`no executor could be started: ${(error as Error).message}`);
      this.#refillWithin(RETRY_MS);
      return;
    }
    this.#spare = spare;
    void spare.ended.then(({ how, output }) => {
      if (this.#spare !== spare) return;
      this.#spare = undefined;
      if (this.#isClosed) return;
      this.#options.logger.error({ output }, `the executor kept ready for the next guest ${how}`);
      this.#refillWithin(RETRY_MS);
    });
  }

  #start(): ExecutorProcess {
    const { logger } = this.#options;
    const executor: ExecutorProcess = new ExecutorProcess({
      file: this.#options.file,
      environment: this.#options.environment,
      output: (line) => logger.debug({ pid: executor.pid, line }, 'an executor wrote'),
    });
    this.#live.add(executor);
    void executor.ended.then(() => this.#live.delete(executor));
    return executor;
  }
}
