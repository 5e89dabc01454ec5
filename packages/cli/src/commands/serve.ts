import { startBroker } from '../broker/broker.ts';
import { failureText } from './failure.ts';
import { brokerOptions, type ServeFlags } from './serve-options.ts';
import { onEndingSignals, statusOf } from './signals.ts';

/** `vesper serve`: serves guests until a signal. @returns the exit status: 1 when it cannot start, else 0 */
export async function serve(flags: ServeFlags & { listen: string[] }): Promise<number> {
  const options = brokerOptions(flags);
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
    const broker = await startBroker({ ...options, listen: flags.listen });
    await Promise.race([stopped, broker.finished]);
    await broker.close();
    return 0;
  } catch (error) {
    console.error(`vesper serve: ${failureText(error)}`);
    return 1;
  } finally {
    ignoreSignals();
  }
}
