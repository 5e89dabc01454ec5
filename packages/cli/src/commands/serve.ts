import { startBroker, type ListenAddress } from '../broker/broker.ts';
import type { SessionReport } from '../broker/session.ts';
import { failureText } from './failure.ts';
import { listenAddresses } from './roles.ts';
import { brokerOptions, type ServeFlags } from './serve-options.ts';
import { onEndingSignals, statusOf } from './signals.ts';

/**
 * `vesper serve`: serves guests until a signal, or until the guests of its devices have left.
 * @returns the exit status: 0; 1 when it cannot start, or when a device's guest left by a fault
 */
export async function serve(flags: ServeFlags & { listen: string[] }): Promise<number> {
  const options = brokerOptions(flags);
  let addresses: ListenAddress[];
  try {
    addresses = listenAddresses(flags.listen, flags);
  } catch (error) {
    console.error(`vesper serve: ${failureText(error)}`);
    return 1;
  }
  let stop: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  let signals = 0;
  const ignoreSignals = onEndingSignals((signal) => {
    signals++;
    // The second time, whoever sent it does not want to wait.
    if (signals > 1) process.exit(statusOf(signal));
    options.logger.info(`${signal}: stopping`);
    stop();
  });
  try {
    let lastReason: SessionReport['reason'] = 'closed';
    const broker = await startBroker({
      ...options,
      listen: addresses,
      sessionEnded: ({ reason }) => {
        lastReason = reason;
      },
    });
    const status = await Promise.race([
      stopped.then(() => 0),
      broker.finished.then(() => (lastReason === 'closed' ? 0 : 1)),
    ]);
    await broker.close();
    return status;
  } catch (error) {
    console.error(`vesper serve: ${failureText(error)}`);
    return 1;
  } finally {
    ignoreSignals();
  }
}
