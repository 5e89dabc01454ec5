import { ConnectionError, type Transport } from '@vesper-gpu/wire';
import { openTransport, parseAddress, relay, type Listener } from '@vesper-gpu/transport';
import { listenWebSocket } from '@vesper-gpu/transport/websocket-listen';
import { createLogger, type LogLevel } from '../log/logger.ts';
import { sparingly } from '../log/sparing.ts';
import { failureText } from './failure.ts';
import { onEndingSignals } from './signals.ts';

/**
 * How long, in milliseconds, a page may have a connection and say nothing: at a Unix socket a host waits for longer, and
 * slots are few.
 */
const SILENCE_MS = 10_000;

/** Options of `vesper gateway`, as the command line gives them. */
export interface GatewayFlags {
  listen: string;
  to: string;
  /** Origins of pages that may connect. */
  allowOrigin?: string[];
  maxConnections: number;
  logLevel: LogLevel;
}

/**
 * `vesper gateway`: takes WebSockets, which browsers can open, and passes their bytes on to a host, until a signal. It is
 * a process of its own, so that neither the broker nor an executor speaks HTTP.
 * @returns the exit status: 0; 1 when it cannot start
 */
export async function gateway(flags: GatewayFlags): Promise<number> {
  const logger = createLogger(flags.logLevel);
  let stop: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const ignoreSignals = onEndingSignals((signal) => {
    logger.info(`${signal}: stopping`);
    stop();
  });
  const andMore = (more: number): string => (more === 0 ? '' : ` (and ${more} others)`);
  const refused = sparingly((why, more) => logger.warn(`refused: ${why}${andMore(more)}`));
  const failed = sparingly((why, more) => logger.error(`${why}${andMore(more)}`));
  let listener: Listener | undefined;
  const browsers = new Set<Transport>();
  try {
    const allowedOrigins = (flags.allowOrigin ?? []).map(checkOrigin);
    parseAddress(flags.to);
    listener = await listenWebSocket(flags.listen, {
      allowedOrigins,
      maxConnections: flags.maxConnections,
      async connection(browser, from) {
        browsers.add(browser);
        try {
          const host = await openTransport(flags.to);
          logger.debug({ from }, `connected: ${from}`);
          await relay(browser, host, SILENCE_MS);
          logger.debug({ from }, `left: ${from}`);
        } catch (error) {
          failed(`not connected: ${from}: ${failureText(error)}`);
          browser.close();
        }
        browsers.delete(browser);
      },
      refused: (from, why) => refused(`${from}: ${why}`),
      failed: (error) => failed(`a connection could not be accepted: ${error.message}`),
    });
    const { address } = listener;
    logger.info({ address, to: flags.to, allowedOrigins }, `listening for WebSockets at ${address}`);
    await stopped;
    return 0;
  } catch (error) {
    console.error(`vesper gateway: ${failureText(error)}`);
    return 1;
  } finally {
    ignoreSignals();
    await listener?.close();
    for (const browser of browsers) browser.close();
  }
}

/** @throws ConnectionError for what no browser would send as an origin: then no page would ever be let in */
function checkOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.origin === 'null' || url.origin !== text) {
    const remedy =
      url === undefined || url.origin === 'null'
        ? 'give SCHEME://HOST, with :PORT where it is not the usual one'
        : `give ${url.origin}`;
    throw new ConnectionError(`"${text}" is no origin of a page: ${remedy}`);
  }
  return text;
}
