import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** How a program ended. */
export interface Ending {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly process: ChildProcess;
  readonly ended: Promise<Ending>;
  /** Resolves when the program has printed a line that is `text`. Rejects when it ends without. */
  printed(text: string): Promise<void>;
}

/** Starts a program of this folder, unmodified, in a process that has a GPU by VESPER_ADDRESS and nothing else. */
export function startProgram(name: string, address: string | undefined): Program {
  const { VESPER_ADDRESS: _, ...environment } = process.env;
  const child = spawn(
    process.execPath,
    ['--import', '@vesper-gpu/register', fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url))],
    {
      cwd: root,
      env: address === undefined ? environment : { ...environment, VESPER_ADDRESS: address },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ending>((resolve) => child.once('close', (status) => resolve({ status, stdout, stderr })));
  const printed = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (stdout.split('\n').includes(text)) resolve();
      };
      child.stdout.on('data', look);
      void ended.then(() => reject(new Error(`the program ended without printing "${text}": ${stdout}${stderr}`)));
      look();
    });
  return { process: child, ended, printed };
}

/** Runs a program to its end, which it has to come to by itself. */
export function runProgram(name: string, address: string | undefined): Promise<Ending> {
  return startProgram(name, address).ended;
}
