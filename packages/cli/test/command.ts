import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterwards, eventually, type LogEntry } from './test-broker.ts';

const LAUNCHER = fileURLToPath(new URL('../bin/vesper.js', import.meta.url));
/** What tests of whole processes run: they see what was built, not the sources. */
const BUILT = ['../dist/main.js', '../dist/executor.js', '../../register/dist/index.js'];

/** @throws Error when the packages are not built */
export function requireBuilt(): void {
  const missing = BUILT.filter((file) => !existsSync(fileURLToPath(new URL(file, import.meta.url))));
  if (missing.length > 0) throw new Error(`these tests run what is built, and it is not: run \`npm run build\` first`);
}

/** The `vesper` command in a process. */
export class VesperProcess {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  /** Exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;

  constructor(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    requireBuilt();
    this.child = spawn(process.execPath, [LAUNCHER, ...args], { env: { ...process.env, ...environment } });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve) => {
      this.child.on('close', (status, signal) => resolve(status ?? signal ?? -1));
    });
    afterwards(() => void this.child.kill('SIGKILL'));
  }

  /** The first entry of the log on stderr with such a message, waited for. */
  logged(pattern: RegExp): Promise<LogEntry> {
    return eventually(`a log entry that matches ${pattern}; stderr is ${this.stderr}`, () => {
      const lines = this.stderr.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
      return lines.map((line) => JSON.parse(line) as LogEntry).find(({ msg }) => pattern.test(msg));
    });
  }
}
