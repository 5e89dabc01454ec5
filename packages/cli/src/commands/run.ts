import { spawn, type ChildProcess } from 'node:child_process';
import { startPrivateBroker, type PrivateBroker } from '../broker/private-broker.ts';
import { failureText } from './failure.ts';
import { onlyPolicy } from './roles.ts';
import { brokerOptions, type ServeFlags } from './serve-options.ts';
import { onEndingSignals, statusOf, type EndingSignal } from './signals.ts';

/**
 * `vesper run`: runs a command with a host of its own, whose address it finds in VESPER_ADDRESS.
 * @returns the command's exit status, 128 + n when signal n ended it, 127 when there is no such command, 126 when it
 *   cannot be run; 1 when the host cannot start
 */
export function run(command: readonly string[], flags: ServeFlags): Promise<number> {
  return runWithHost(command, () => ({ ...brokerOptions(flags), ...onlyPolicy(flags) }), { name: 'vesper run' });
}

/** How {@link runWithHost} runs a command. */
export interface RunStyle {
  /** Who says what goes wrong. */
  readonly name: string;
  /** Where the command's stdout goes; default to this process's. */
  readonly stdout?: 'stderr';
  /** The command has ended, and the broker is about to. */
  ended?(broker: PrivateBroker): Promise<void>;
}

/**
 * Runs a command with a host of its own.
 * @param options of the host; what it throws is said, as what the host throws is
 * @returns the exit status, as run() has it
 */
export async function runWithHost(
  command: readonly string[],
  options: () => Parameters<typeof startPrivateBroker>[0],
  style: RunStyle,
): Promise<number> {
  let early: EndingSignal | undefined;
  let pass = (signal: EndingSignal): void => {
    early = signal;
  };
  // From begin to end: a signal that finds nobody listening, if only while the command is started, ends this process.
  const stopListening = onEndingSignals((signal) => pass(signal));
  let broker: PrivateBroker;
  try {
    // One command is one guest, mostly: the executor for a second one shall not take its processor at the start.
    broker = await startPrivateBroker({ spareDelayMs: 1000, ...options() });
  } catch (error) {
    console.error(`${style.name}: ${failureText(error)}`);
    stopListening();
    return 1;
  }
  try {
    const started = (child: ChildProcess): void => {
      pass = (signal) => {
        // A terminal sends Ctrl-C to the whole group, the command included.
        if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
      };
    };
    const status = early === undefined ? await runCommand(command, broker.address, style, started) : statusOf(early);
    stopListening();
    await style.ended?.(broker);
    return status;
  } finally {
    await broker.close();
  }
}

function runCommand(
  [file = '', ...args]: readonly string[],
  address: string,
  style: RunStyle,
  started: (child: ChildProcess) => void,
): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      stdio: ['inherit', style.stdout === 'stderr' ? 2 : 'inherit', 'inherit'],
      env: { ...process.env, VESPER_ADDRESS: address },
    });
    started(child);
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return; // a signal that came too late
      const why = error.code === 'ENOENT' ? 'no such command' : error.message;
      console.error(`${style.name}: cannot run "${file}": ${why}`);
      resolve(error.code === 'ENOENT' ? 127 : 126);
    });
    child.on('exit', (status, signal) => resolve(signal === null ? (status ?? 1) : statusOf(signal)));
  });
}
