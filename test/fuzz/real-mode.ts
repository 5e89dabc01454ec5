import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { HELLO } from './hello.ts';
import type { Finding, Mode, Stream } from './mode.ts';
import { Random } from './random.ts';
import { REAL, type RealMessage } from './real-messages.ts';
import { SequenceMaker } from './sequence.ts';

/** Sequences of one process: what a driver does not give back ends with it. */
const PROCESS_SEQUENCES = 2000;
/** Milliseconds that a process may be silent: a sequence takes some ten, a process a second to start. */
const MAX_SILENCE_MS = 90_000;
const LOOK_MS = 50;
/** How much of a crashed process's last words is kept, in characters. */
const OUTPUT_LENGTH = 2000;

export interface RealOptions {
  readonly seed: number;
  /** Variables that choose the driver. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly first?: number;
  readonly treatAsFinding?: string | undefined;
}

/** Sequences against a real backend in a process of its own, so that a crash is seen, and has a reproducer. */
export class RealMode implements Mode {
  readonly name = 'real';
  readonly unit = 'sequences';
  executions = 0;
  readonly verdicts = new Map<string, number>();
  commands = 0;
  readonly #options: RealOptions;
  #child: ChildProcess | undefined;
  #next: number;
  #sessionBegan = 0;
  /** Sequences that the running process has finished. */
  #finished = 0;
  #heardMs = 0;
  #output = '';
  #finding: Finding | undefined;
  #isDone = false;
  #ended: Promise<string> | undefined;
  #end: string | undefined;

  constructor(options: RealOptions) {
    this.#options = options;
    this.#next = options.first ?? 0;
  }

  async run(most: number): Promise<Finding | undefined> {
    if (this.#child === undefined) this.#start(Math.min(most, PROCESS_SEQUENCES));
    const before = this.#finished;
    await Promise.race([this.#ended, sleep(LOOK_MS, undefined, { ref: false })]);
    const isSilent = performance.now() - this.#heardMs > MAX_SILENCE_MS;
    if (isSilent && this.#end === undefined) {
      this.#child!.kill('SIGKILL');
      await this.#ended;
      return this.#crash(`it hung: ${MAX_SILENCE_MS} ms without a sequence`);
    }
    this.executions += this.#finished - before;
    if (this.#end === undefined) return this.#finding;
    this.#child = undefined;
    if (this.#finding !== undefined) return this.#finding;
    return this.#isDone ? undefined : this.#crash(`the process ${this.#end}: ${this.#output}`);
  }

  #start(count: number): void {
    const { seed, environment, treatAsFinding } = this.#options;
    const args = [seed, this.#next, count, ...(treatAsFinding === undefined ? [] : [treatAsFinding])].map(String);
    const child = spawn(
      process.execPath,
      ['--expose-gc', '--import', 'tsx', join(import.meta.dirname, 'real.ts'), ...args],
      {
        env: environment as NodeJS.ProcessEnv,
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      },
    );
    this.#child = child;
    this.#finished = 0;
    this.#isDone = false;
    this.#output = '';
    this.#end = undefined;
    this.#heardMs = performance.now();
    const keep = (text: string): void => void (this.#output = (this.#output + text).slice(-OUTPUT_LENGTH));
    child.stdout!.setEncoding('utf8').on('data', keep);
    child.stderr!.setEncoding('utf8').on('data', keep);
    const first = this.#next;
    createInterface({ input: child.stdio[3] as Readable }).on('line', (line) =>
      this.#hear(JSON.parse(line) as RealMessage, first),
    );
    this.#ended = new Promise((resolve) => {
      child.on('close', (status, signal) => {
        this.#end = signal === null ? `ended with status ${status}` : `was ended by ${signal}`;
        resolve(this.#end);
      });
    });
  }

  #hear(message: RealMessage, first: number): void {
    this.#heardMs = performance.now();
    switch (message.type) {
      case 'begins':
        this.#next = message.sequence + 1;
        this.#sessionBegan = message.sessionBegan;
        this.#finished = message.sequence - first;
        break;
      case 'finding':
        this.#finding = {
          ...message.finding,
          stream: { ...message.stream, bytes: Buffer.from(message.stream.bytes, 'base64') },
        };
        break;
      case 'done':
        this.#isDone = true;
        if (this.#finding === undefined) this.#finished = this.#next - first;
        this.commands += message.commands;
        for (const [verdict, count] of message.verdicts) {
          this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + count);
        }
    }
  }

  #crash(what: string): Finding {
    this.#child = undefined;
    const execution = this.#next - 1;
    return { mode: this.name, execution, what, stream: streamOf(this.#options.seed, this.#sessionBegan, execution) };
  }

  async close(): Promise<void> {
    if (this.#child === undefined) return;
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** What the guest had sent when sequence `last` was through, in the session that began with sequence `first`. */
export function streamOf(seed: number, first: number, last: number): Stream {
  const maker = new SequenceMaker(REAL);
  const chunks: Uint8Array[] = [HELLO];
  const waits: [number, number][] = [];
  let byteLength = HELLO.byteLength;
  const add = (steps: ReturnType<SequenceMaker['begin']>): void => {
    for (const { bytes, replies } of steps) {
      chunks.push(bytes);
      byteLength += bytes.byteLength;
      if (replies !== undefined) waits.push([byteLength, replies]);
    }
  };
  add(maker.begin());
  for (let sequence = first; sequence <= last; sequence++) add(maker.next(new Random(seed, 3, sequence)));
  return { from: 'guest', bytes: Buffer.concat(chunks), waits };
}
