import { fork, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { readExecutorMessage, type Assignment, type ExecutorReport } from './messages.ts';
import { OutputCapture } from './output.ts';

/** How long, in milliseconds, loading the driver may take. */
const START_TIMEOUT_MS = 30_000;
/**
 * How long, in milliseconds, an executor may live on behind its report. Its transport may take 5 s to say the last word;
 * some drivers hang in their exit handlers.
 */
const EXIT_TIMEOUT_MS = 7000;

export interface ExecutorOptions {
  /** The program. */
  readonly file: string;
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** A line that it wrote to stdout or stderr. */
  output(line: string): void;
}

/** How an executor came to its end. */
export interface ExecutorEnd {
  /** What it said of its session; absent when it ended without a word. */
  readonly report?: ExecutorReport;
  /** How the process ended, in words: "was ended by SIGSEGV". */
  readonly how: string;
  /** The last lines that it wrote. */
  readonly output: readonly string[];
}

/** One process that serves one guest, seen from the broker. */
export class ExecutorProcess {
  /** Resolves to whether it can serve: false when it ended before it could. Never rejects. */
  readonly ready: Promise<boolean>;
  /** Resolves once the process is gone and all that it wrote is read. Never rejects. */
  readonly ended: Promise<ExecutorEnd>;
  readonly #child: ChildProcess;
  #report: ExecutorReport | undefined;
  #killTimer: NodeJS.Timeout | undefined;
  #isGone = false;

  constructor(options: ExecutorOptions) {
    const child = fork(options.file, [], {
      cwd: '/',
      env: options.environment,
      // Not the broker's: it may have modules to register, or an inspector. The host says when to collect.
      execArgv: ['--expose-gc'],
      // A signal from the terminal is for the broker, which ends its executors in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    const output = new OutputCapture((line) => options.output(line));
    // Absent when there were too few descriptors left to start it.
    if (child.stdout) output.add(child.stdout);
    if (child.stderr) output.add(child.stderr);

    this.ended = new Promise((resolve) => {
      let how: string | undefined;
      const finish = (): void => {
        // Its last message may be read later than its exit is.
        if (how === undefined || child.connected) return;
        clearTimeout(this.#killTimer);
        this.#isGone = true;
        resolve({ how, output: output.tail, ...(this.#report === undefined ? {} : { report: this.#report }) });
      };
      child.on('close', (status, signal) => {
        how ??= signal === null ? `ended with status ${status}` : `was ended by ${signal}`;
        finish();
      });
      child.on('disconnect', finish);
      child.on('error', (error) => {
        if (child.pid !== undefined) return; // a signal or message that came too late
        how ??= `could not be started: ${error.message}`;
        finish();
      });
    });
    this.ready = new Promise((resolve) => {
      const startTimer = setTimeout(() => this.kill(), START_TIMEOUT_MS);
      const settle = (isReady: boolean): void => {
        clearTimeout(startTimer);
        resolve(isReady);
      };
      child.on('message', (value: unknown) => {
        const message = readExecutorMessage(value);
        if (message?.type === 'ready') settle(true);
        if (message?.type !== 'ended') return;
        this.#report ??= message.report;
        this.#killWithin(EXIT_TIMEOUT_MS);
      });
      void this.ended.then(() => settle(false));
    });
  }

  /** The process's id, for logs; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether the process is gone. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /**
   * Gives it its guest. A socket is its own from now on; this process's copy is closed.
   * @param failed called when the process could not be reached; it is ending then
   */
  assign(assignment: Assignment, socket: Socket | undefined, failed: (error: Error) => void): void {
    const sent = (error: Error | null): void => {
      if (error !== null) failed(error);
    };
    if (socket === undefined) {
      this.#child.send(assignment, sent);
      return;
    }
    // Node closes this process's copy once the other says that it has its own. One that ends before never says so, and
    // the guest would wait at a socket that nobody serves. Closing twice does nothing.
    const { _handle: handle } = socket as Socket & { _handle?: { close(): void } | null };
    void this.ended.then(() => handle?.close());
    this.#child.send(assignment, socket, {}, (error) => {
      if (error !== null) socket.destroy();
      sent(error);
    });
  }

  /** Asks it to end its session and report, and ends it when it does not within `graceMs`. */
  stop(graceMs: number): void {
    this.#child.kill('SIGTERM');
    this.#killWithin(graceMs);
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #killWithin(milliseconds: number): void {
    if (this.#isGone) return;
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => this.kill(), milliseconds);
  }
}
