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
export async function run(command: readonly string[], flags: ServeFlags): Promise<number> {
  let early: EndingSignal | undefined;
  const stopWaiting = onEndingSignals((signal) => {
    early = signal;
  });
  let broker: PrivateBroker;
  try {
    // One command is one guest, mostly: the executor for a second one shall not take its processor at the start.
    broker = await startPrivateBroker({ ...brokerOptions(flags), ...onlyPolicy(flags), spareDelayMs: 1000 });
  } catch (error) {
    console.error(`vesper run: ${failureText(error)}`);
    return 1;
  } finally {
    stopWaiting();
  }
  try {
    return early === undefined ? await runCommand(command, broker.address) : statusOf(early);
  } finally {
    await broker.close();
  }
}

function runCommand([file = '', ...args]: readonly string[], address: string): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: 'inherit', env: { ...process.env, VESPER_ADDRESS: address } });
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
      console.error(`vesper run: cannot run "${file}": ${error.code === 'ENOENT' ? 'no such command' : error.message}`);
      end(error.code === 'ENOENT' ? 127 : 126);
    });
    child.on('exit', (status, signal) => end(signal === null ? (status ?? 1) : statusOf(signal)));
  });
}
