import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../scripts/vm/bundle.mjs';
import { REGISTER } from '../../scripts/vm/image.mjs';
import { Machine } from '../../scripts/vm/machine.mjs';
import { putProgram } from '../../scripts/vm/other-program.mjs';
import { prepare } from '../../scripts/vm/prepare.mjs';

const VESPER = fileURLToPath(new URL('../../packages/cli/bin/vesper.js', import.meta.url));

/** A line of the host's log; guest and pid where it is about one. */
export interface LogEntry {
  readonly msg: string;
  readonly guest?: number;
  readonly pid?: number;
  readonly reason?: string;
}

/** A host, `vesper serve`, that listens at one Unix socket, and machines whose ports are connected to it. */
export class Machines {
  readonly log: LogEntry[] = [];
  readonly #host: ChildProcess;
  readonly #folder = mkdtempSync(join(tmpdir(), 'vesper-vm-test-'));
  readonly #parts: Awaited<ReturnType<typeof prepare>>;
  readonly #booted: Machine[] = [];
  readonly #kill = (): void => void this.#host.kill('SIGKILL');
  #waiting: (() => void)[] = [];

  static async prepare(): Promise<Machines> {
    const machines = new Machines(await prepare({ memoryMiB: 768 }));
    await machines.logged(({ msg }) => msg.startsWith('listening at'));
    return machines;
  }

  constructor(parts: Awaited<ReturnType<typeof prepare>>) {
    this.#parts = parts;
    this.#host = spawn(process.execPath, [VESPER, 'serve', '--listen', `unix:${this.#socket}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    // A test run that is cut off must not leave it behind.
    process.once('exit', this.#kill);
    createInterface({ input: this.#host.stderr! }).on('line', (line) => {
      this.log.push(JSON.parse(line) as LogEntry);
      for (const look of this.#waiting.splice(0)) look();
    });
  }

  get #socket(): string {
    return join(this.#folder, 'gpu');
  }

  /** Resolves with the first line of the log of which `test` is true, as soon as there is one. */
  async logged(test: (entry: LogEntry) => boolean): Promise<LogEntry> {
    for (;;) {
      const found = this.log.find(test);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The guest that was let in last. */
  get lastGuest(): { readonly guest: number; readonly executor: number } {
    const { guest, pid } = this.log.findLast(({ msg }) => msg.endsWith(' connected'))!;
    return { guest: guest!, executor: pid! };
  }

  /** Resolves with the last line about a guest, which says why it left. */
  left(guest: number): Promise<LogEntry> {
    return this.logged((entry) => entry.guest === guest && / left$| was dropped/.test(entry.msg));
  }

  async boot(): Promise<Machine> {
    const machine = await Machine.start({ ...this.#parts, gpu: this.#socket });
    this.#booted.push(machine);
    return machine;
  }

  async close(): Promise<void> {
    await Promise.all(this.#booted.map((machine) => machine.kill()));
    const gone = once(this.#host, 'exit');
    this.#host.kill('SIGTERM');
    await gone;
    process.off('exit', this.#kill);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A program of this repository that runs in a guest. */
export interface GuestProgram {
  /** Resolves once it has printed a line that is `text`; rejects when it ends without. */
  printed(text: string): Promise<void>;
  readonly ended: ReturnType<Machine['control']['run']>;
}

/** Puts a program into a guest. @returns its path there */
export async function put(machine: Machine, path: string): Promise<string> {
  const file = fileURLToPath(new URL(path, import.meta.url));
  return putProgram(machine.control, await bundle(file), `${path.replaceAll(/\W/g, '-')}.mjs`);
}

/** Starts a program of the repository in a guest, where it finds the GPU as unmodified programs do. */
export async function startIn(machine: Machine, path: string, ...args: string[]): Promise<GuestProgram> {
  return start(machine, ['node', '--import', REGISTER, await put(machine, path), ...args]);
}

/** The same for one that connects itself. */
export async function startPlainIn(machine: Machine, path: string, ...args: string[]): Promise<GuestProgram> {
  return start(machine, ['node', await put(machine, path), ...args]);
}

function start(machine: Machine, command: string[]): GuestProgram {
  let stdout = '';
  let look = (): void => {};
  const ended = machine.control.run(command, {
    stdout: (text) => {
      stdout += text;
      look();
    },
  });
  // Who resets the machine does not wait for it.
  ended.catch(() => {});
  return {
    ended,
    printed: (text) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (stdout.split('\n').includes(text)) resolve();
        };
        look();
        ended.then(
          (end) => reject(new Error(`it ended without printing "${text}": ${JSON.stringify(end)}`)),
          (error: unknown) => reject(error as Error),
        );
      }),
  };
}
