import { spawn } from 'node:child_process';
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
  const stopWaiting = onEndingSignals((signal) => {
    early = signal;
  });
  let broker: PrivateBroker;
  try {
    // One command is one guest, mostly: the executor for a second one shall not take its processor at the start.
    broker = await startPrivateBroker({ spareDelayMs: 1000, ...options() });
  } catch (error) {
    console.error(`${style.name}: ${failureText(error)}`);
    return 1;
  } finally {
    stopWaiting();
  }
  try {
    const status = early === undefined ? await runCommand(command, broker.address, style) : statusOf(early);
    await style.ended?.(broker);
    return status;
  } finally {
    await broker.close();
  }
}

function runCommand([file = '', ...args]: readonly string[], address: string, style: RunStyle): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      stdio: ['inherit', style.stdout === 'stderr' ? 2 : 'inherit', 'inherit'],
      env: { ...process.env, VESPER_ADDRESS: address },
    });
    const stopForwarding = onEndingSignals((signal) => {
      // A terminal sends Ctrl-C to the whole group, the command included.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
    const end = (status: number): void => {
      stopForwarding();
      resolve(status);
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return; // a signal that came too late
      const why = error.code === 'ENOENT' ? 'no such command' : error.message;
      console.error(`${style.name}: cannot run "${file}": ${why}`);
      end(error.code === 'ENOENT' ? 127 : 126);
    });
    child.on('exit', (status, signal) => end(signal === null ? (status ?? 1) : statusOf(signal)));
  });
}
