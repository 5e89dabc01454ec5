import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex, Readable } from 'node:stream';
import type { Learned } from '@vesper-gpu/host';
import type { KeptSocket } from './hand-over.ts';
import { LineReader, type Flood } from './line-reader.ts';
import {
  readExecutorMessage,
  type Assignment,
  type BrokerMessage,
  type ExecutorNews,
  type ExecutorReport,
} from './messages.ts';
import { OutputCapture } from './output.ts';
import type { Sandbox } from './sandbox.ts';
import { DownwardChannel, MAX_UNHEARD_BYTES, readTalk, TALK_CAPS, TALK_DESCRIPTOR, talkLine } from './talk.ts';
import { WATCH_DESCRIPTOR, WatchReader, type Violation, type WatchLine } from './watch.ts';

/** How long, in milliseconds, loading the driver may take, */
const START_TIMEOUT_MS = 30_000;
/** and where nobody waits for it: all that others do may go first. */
const SPARE_TIMEOUT_MS = 600_000;
/** How long, in milliseconds, an executor may live on behind its report. Its transport takes 5 s at most to say it all. */
const FLUSH_TIMEOUT_MS = 6000;
/** How long, in milliseconds, a beat that is due may lie unread because the broker itself did not run. */
const BEAT_GRACE_MS = 1000;
/** How long, in milliseconds, what an executor wrote may be read behind its exit: who inherited its pipes is not waited for. */
const EXIT_GRACE_MS = 1000;

export interface ExecutorOptions {
  /** The program. */
  readonly file: string;
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether somebody waits for it. */
  readonly isAwaited: boolean;
  /** How it is started. */
  readonly sandbox: Sandbox;
  /** A line that it wrote to stdout or stderr. */
  output(line: string): void;
}

/** What an executor asks for on behalf of its guest: a capability of this policy. @returns its secret, or throws. */
export type DelegateHandler = (policy: unknown) => string;

/** How an executor came to its end. */
export interface ExecutorEnd {
  /** What it said of its session; absent when it ended without a word. */
  readonly report?: ExecutorReport;
  /** How the process ended, in words: "was ended by SIGSEGV". */
  readonly how: string;
  /** Why this side ended it, where the reason was its work. */
  readonly violation?: Violation;
  /** What it saw its guest use, where it was to learn that: the last that it said. */
  readonly learned?: Learned;
  /** Whether the guest was sent the hello. */
  readonly hasGreeted: boolean;
  /** Whether the stream to the guest may end within a frame. */
  readonly isBehind: boolean;
  /** The last lines that it wrote. */
  readonly output: readonly string[];
}

/** One process that serves one guest, seen from the broker. */
export class ExecutorProcess {
  /** Resolves to whether it can serve: false when it ended before it could. Never rejects. */
  readonly ready: Promise<boolean>;
  /** The adapter that it opened, in its own words; undefined before it is ready, and where it does not say. */
  adapter: string | undefined;
  /** Resolves once the process is gone and all that it wrote is read. Never rejects. */
  readonly ended: Promise<ExecutorEnd>;
  /** Hears what it says while it serves. */
  news: ((news: ExecutorNews) => void) | undefined;
  readonly #child: ChildProcess;
  readonly #channel: DownwardChannel;
  readonly #talk: Duplex | undefined;
  #report: ExecutorReport | undefined;
  #learned: Learned | undefined;
  #killTimer: NodeJS.Timeout | undefined;
  /** Runs while it is loading. */
  #startTimer: NodeJS.Timeout | undefined;
  #beatTimer: NodeJS.Timeout | undefined;
  #hangMs = 0;
  #violation: Violation | undefined;
  #hasGreeted = false;
  #isBehind = false;
  #isGone = false;
  #onDelegate: DelegateHandler | undefined;
  /** Hears that it can serve. */
  #isReady: () => void = () => {};

  constructor(options: ExecutorOptions) {
    // None of the broker's own arguments: it may have modules to register, or an inspector. The host says when to collect.
    const program = [process.execPath, '--expose-gc', options.file];
    const [command, ...args] = [...options.sandbox.wrapper, ...program];
    const child = spawn(command!, args, {
      cwd: '/',
      env: options.environment,
      // A signal from the terminal is for the broker, which ends its executors in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#channel = new DownwardChannel(child);
    const output = new OutputCapture(
      (line) => options.output(line),
      (flood) => this.#flooded(flood),
    );
    // Absent when there were too few descriptors left to start it.
    if (child.stdout) output.add(child.stdout);
    if (child.stderr) output.add(child.stderr);
    const watch = child.stdio[WATCH_DESCRIPTOR] as Readable | null | undefined;
    const reader = new WatchReader(
      (line) => this.#watched(line),
      (flood) => this.#flooded(flood),
    );
    watch?.setEncoding('utf8').on('data', (text: string) => reader.push(text));
    watch?.on('error', () => {});

    this.#talk = (child.stdio as (Duplex | null | undefined)[])[TALK_DESCRIPTOR] ?? undefined;
    const talk = new LineReader(
      TALK_CAPS,
      (line) => this.#heard(line),
      (flood) => this.#flooded(flood.unit === 'lines' ? { ...flood, unit: 'messages' } : flood),
    );
    this.#talk?.setEncoding('utf8').on('data', (text: string) => talk.push(text));
    this.#talk?.on('error', () => {});

    this.ended = new Promise((resolve) => {
      const pipes = child.stdio.filter((pipe) => pipe !== null && pipe !== undefined);
      let openPipes = pipes.length;
      let how: string | undefined;
      let exitTimer: NodeJS.Timeout | undefined;
      const finish = (): void => {
        // Its last message may be read later than its exit is.
        if (how === undefined || this.#isGone) return;
        clearTimeout(this.#killTimer);
        clearTimeout(exitTimer);
        this.#expectNoBeat();
        this.#isGone = true;
        this.#channel.close();
        for (const pipe of pipes) pipe.destroy();
        resolve({
          how,
          output: output.tail,
          hasGreeted: this.#hasGreeted,
          isBehind: this.#isBehind,
          ...(this.#report === undefined ? {} : { report: this.#report }),
          ...(this.#violation === undefined ? {} : { violation: this.#violation }),
          ...(this.#learned === undefined ? {} : { learned: this.#learned }),
        });
      };
      for (const pipe of pipes) {
        pipe.on('close', () => {
          openPipes--;
          if (openPipes === 0) finish();
        });
      }
      child.on('exit', (status, signal) => {
        this.kill();
        const ending = signal ?? (options.sandbox.isParent ? signalOf(status) : undefined);
        how ??= ending === undefined ? `ended with status ${status}` : `was ended by ${ending}`;
        // A process that it started and that left its group may have its pipes, for as long as it likes.
        exitTimer = setTimeout(finish, EXIT_GRACE_MS);
        if (openPipes === 0) finish();
      });
      child.on('error', (error) => {
        if (child.pid !== undefined) return; // a signal or message that came too late
        how ??= `could not be started: ${error.message}`;
        finish();
      });
    });
    this.ready = new Promise((resolve) => {
      this.#startTimer = setTimeout(() => this.kill(), options.isAwaited ? START_TIMEOUT_MS : SPARE_TIMEOUT_MS);
      const settle = (isReady: boolean): void => {
        clearTimeout(this.#startTimer);
        this.#startTimer = undefined;
        resolve(isReady);
      };
      this.#isReady = () => settle(true);
      void this.ended.then(() => settle(false));
    });
  }

  /** Somebody waits for it from now on. */
  awaited(): void {
    if (this.#startTimer === undefined) return;
    clearTimeout(this.#startTimer);
    this.#startTimer = setTimeout(() => this.kill(), START_TIMEOUT_MS);
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
   * Gives it its guest, and watches it from now on.
   * @param kept this process's copy of the guest's socket; it stays the caller's
   * @param failed called when the process could not be reached; it is ending then
   */
  assign(assignment: Assignment, kept: KeptSocket | undefined, failed: (error: Error) => void): void {
    this.#hangMs = assignment.watch.hangMs;
    this.#expectBeat();
    const sent = (error: Error | null): void => {
      if (error !== null) failed(error);
    };
    this.#channel.send(assignment, kept?.socket, sent);
  }

  /** Who answers what its guest wants to give away. */
  set onDelegate(handler: DelegateHandler) {
    this.#onDelegate = handler;
  }

  /** Hears a line of what it says. */
  #heard(line: string): void {
    const message = readExecutorMessage(readTalk(line));
    if (message?.type === 'ready') {
      this.adapter = message.adapter;
      this.#isReady();
    }
    if (message?.type === 'delegate') this.#delegate(message.id, message.policy);
    if (message?.type === 'audit' || message?.type === 'usage') this.news?.(message);
    if (message?.type === 'learned') this.#learned = message.learned;
    if (message?.type === 'ended') {
      this.#report ??= message.report;
      this.#expectNoBeat();
      if (message.isFlushing) this.#killWithin(FLUSH_TIMEOUT_MS);
    }
    // With a guest's work on the GPU, some drivers never return from their exit handlers.
    if (message?.type === 'flushed' || (message?.type === 'ended' && !message.isFlushing)) this.kill();
  }

  #flooded(flood: Flood): void {
    this.#end({ kind: 'flood', ...flood });
  }

  #delegate(id: number, policy: unknown): void {
    try {
      const token = this.#onDelegate?.(policy);
      this.tell({ type: 'delegated', id, ...(token === undefined ? { refusal: 'nobody is served' } : { token }) });
    } catch (error) {
      this.tell({ type: 'delegated', id, refusal: (error as Error).message });
    }
  }

  /** Says something to it; that it cannot be reached any more is no news. */
  tell(message: BrokerMessage): void {
    const talk = this.#talk;
    if (talk === undefined || !talk.writable) return;
    if (talk.writableLength > MAX_UNHEARD_BYTES) this.kill();
    else talk.write(talkLine(message));
  }

  /** Asks it to end its session and report, and ends it when it does not within `graceMs`. */
  stop(graceMs: number): void {
    this.tell({ type: 'stop' });
    this.#killWithin(graceMs);
  }

  /** Ends it at once, with whatever was put in front of it. */
  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#isGone) return;
    try {
      // The group: a wrapper that is killed as it starts the program would leave that behind.
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }

  #killWithin(milliseconds: number): void {
    if (this.#isGone) return;
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => this.kill(), milliseconds);
  }

  #watched(line: WatchLine): void {
    if (line.type === 'beat' && this.#beatTimer !== undefined) this.#expectBeat();
    if (line.type === 'greeted') this.#hasGreeted = true;
    if (line.type === 'behind') this.#isBehind = line.isBehind;
    if (line.type === 'violation' && this.#report === undefined) this.#end(line.violation);
  }

  #expectBeat(): void {
    clearTimeout(this.#beatTimer);
    this.#beatTimer = setTimeout(() => {
      // If this process stood still itself, the beats lie in the pipe: they are read first.
      this.#beatTimer = setTimeout(() => this.#end({ kind: 'frozen', limitMs: this.#hangMs }), BEAT_GRACE_MS);
    }, this.#hangMs);
  }

  #expectNoBeat(): void {
    clearTimeout(this.#beatTimer);
    this.#beatTimer = undefined;
  }

  #end(violation: Violation): void {
    this.#violation ??= violation;
    this.kill();
  }
}

/** The signal that a status of a shell, or of a wrapper like one, stands for. */
function signalOf(status: number | null): string | undefined {
  const number = (status ?? 0) - 128;
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
}
