import { decoders } from '@vesper-gpu/protocol/host';
import { openTransport } from '@vesper-gpu/transport';
import { DEFAULT_LIMITS, FrameReader, HelloReader, WireReader, type Transport } from '@vesper-gpu/wire';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { DriverSetting } from '../broker/environment.ts';
import { startPrivateBroker } from '../broker/private-broker.ts';
import type { SessionReport } from '../broker/session.ts';
import type { Reproducer } from './reproducer.ts';

/** How a replay is run. */
export interface ReplayOptions {
  /** Default `auto`, or the environment's `VESPER_DRIVER`. */
  readonly driver?: DriverSetting;
  /** Where the host's log goes. */
  readonly logger: Logger;
  /** How long the host may take, in milliseconds, before it counts as hung. */
  readonly timeoutMs: number;
}

/** What became of a session that was replayed. */
export interface Replayed {
  /** Whether the other side stood it: it is there still, or it ended with a reason. */
  readonly isContained: boolean;
  /** What happened, in words. */
  readonly message: string;
}

/** How long, in milliseconds, a wait lasts if what it is for does not come: bytes that were harmed ask for less. */
const MAX_WAIT_MS = 5000;
/** How long a host that says nothing more is given, in milliseconds, before the guest leaves: a crash may come late. */
const LAST_WAIT_MS = 500;
const POLL_MS = 5;

/** Sends a guest's bytes to a host of its own, in a process of its own, as any guest's would be. */
export async function replayGuest(reproducer: Reproducer, options: ReplayOptions): Promise<Replayed> {
  const { driver, logger, timeoutMs } = options;
  let sessionEnded: (report: SessionReport) => void = () => {};
  const reported = new Promise<SessionReport>((resolve) => (sessionEnded = resolve));
  const broker = await startPrivateBroker({ logger, sessionEnded, ...(driver === undefined ? {} : { driver }) });
  try {
    const guest = new ReplayedGuest(await openTransport(broker.address));
    const end = Promise.race([
      reported.then(describe),
      // Without a session there is no report: who is no guest is not let in.
      guest.closed
        .then(() => sleep(LAST_WAIT_MS))
        .then(() => (broker.guestCount > 0 ? reported.then(describe) : REFUSED)),
    ]);
    await Promise.race([guest.send(reproducer), end]);
    const hung = { isContained: false, message: `the host was still busy after ${timeoutMs} ms` };
    return await Promise.race([end, sleep(timeoutMs, hung, { ref: false })]);
  } finally {
    await broker.close();
  }
}

const REFUSED: Replayed = { isContained: true, message: 'refused: the connection ended before a session began' };

function describe({ reason, message, statistics }: SessionReport): Replayed {
  const { commands, objects } = statistics;
  const counts = reason === 'crash' ? '' : ` (${commands} commands, ${objects} objects)`;
  return { isContained: reason !== 'crash', message: `${reason}: ${message}${counts}` };
}

/** A guest without a library. */
class ReplayedGuest {
  readonly closed: Promise<void>;
  readonly #transport: Transport;
  readonly #hello = new HelloReader('host');
  readonly #frames = new FrameReader(DEFAULT_LIMITS.maxFrameBytes);
  readonly #reader = new WireReader(DEFAULT_LIMITS.maxStringBytes);
  #isGreeted = false;
  #isClosed = false;
  #replies = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.closed = new Promise((resolve) => {
      transport.start({
        bytes: (chunk) => this.#hear(chunk),
        closed: () => {
          this.#isClosed = true;
          resolve();
        },
      });
    });
  }

  async send({ bytes, waits }: Reproducer): Promise<void> {
    let sent = 0;
    for (const [atByte, replies] of [...waits, [bytes.byteLength, Infinity] as const]) {
      if (atByte > sent) this.#transport.send(Uint8Array.from(bytes.subarray(sent, atByte)));
      sent = Math.max(sent, atByte);
      const isLast = replies === Infinity;
      const giveUpAtMs = performance.now() + (isLast ? LAST_WAIT_MS : MAX_WAIT_MS);
      while (!this.#isClosed && this.#replies < replies && performance.now() < giveUpAtMs) await sleep(POLL_MS);
    }
    this.#transport.close();
  }

  /** Counts the replies. */
  #hear(chunk: Uint8Array): void {
    let rest = chunk;
    if (!this.#isGreeted) {
      const hello = this.#hello.push(chunk);
      if (hello === undefined) return;
      this.#isGreeted = true;
      rest = hello.rest;
    }
    this.#frames.push(rest, (records) => {
      const reader = this.#reader;
      reader.open(records);
      while (reader.nextRecord()) {
        // A reply has the opcode of its request; events have their own.
        if (decoders[reader.opcode] !== undefined) this.#replies++;
        reader.position = reader.end;
      }
    });
  }
}
