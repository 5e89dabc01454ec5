import { readFileSync } from 'node:fs';
import { createLogger } from '../log/logger.ts';
import { replayGuest, type Replayed } from '../replay/replay-guest.ts';
import { replayHost } from '../replay/replay-host.ts';
import { decodeReproducer, type Reproducer } from '../replay/reproducer.ts';
import { failureText } from './failure.ts';
import type { ServeFlags } from './serve-options.ts';

/** Milliseconds behind the last byte after which a host that has not ended the session counts as hung. */
const TIMEOUT_MS = 60_000;

/**
 * `vesper replay`: plays a session that a fuzzer has kept in a file to a host or a guest of its own, and says what
 * became of it.
 * @returns the exit status: 0 when it was contained, 1 when the process crashed or hung, 2 when the file is no reproducer
 */
export async function replay(file: string, flags: Pick<ServeFlags, 'driver' | 'logLevel'>): Promise<number> {
  let reproducer: Reproducer;
  try {
    reproducer = decodeReproducer(readFileSync(file));
  } catch (error) {
    console.error(`vesper replay: ${file}: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
  for (const [name, value] of Object.entries(reproducer.note)) console.log(`${name}: ${String(value)}`);
  console.log(`${reproducer.bytes.byteLength} bytes of a ${reproducer.from}`);
  try {
    const { isContained, message } = await play(reproducer, flags);
    console.log(`${isContained ? 'contained' : 'NOT CONTAINED'}: ${message}`);
    return isContained ? 0 : 1;
  } catch (error) {
    console.error(`vesper replay: ${failureText(error)}`);
    return 1;
  }
}

function play(
  reproducer: Reproducer,
  { driver, logLevel }: Pick<ServeFlags, 'driver' | 'logLevel'>,
): Promise<Replayed> {
  if (reproducer.from === 'host') return replayHost(reproducer);
  const logger = createLogger(logLevel);
  return replayGuest(reproducer, { logger, timeoutMs: TIMEOUT_MS, ...(driver === undefined ? {} : { driver }) });
}
