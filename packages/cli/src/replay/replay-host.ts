import type { Transport, TransportHandlers } from '@vesper-gpu/wire';
import { setImmediate as nextTask } from 'node:timers/promises';
import { FIRST_ANSWERS, runGuestProgram, type ProgramEnd } from './guest-program.ts';
import type { Replayed } from './replay-guest.ts';
import type { Reproducer } from './reproducer.ts';

/** Turns of the event loop that a guest may take to come to its end once its connection has: it waits for nothing. */
const MAX_TURNS = 1000;

/** The host's end of a stream whose guest is a library. */
class HostEnd implements Transport {
  handlers!: TransportHandlers;
  isClosed = false;

  start(handlers: TransportHandlers): void {
    this.handlers = handlers;
  }
  send(): boolean {
    return true;
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    this.isClosed = true;
  }
}

/** Sends a host's bytes to a guest's library, with a program that uses it, in this process: it is JavaScript alone. */
export async function replayHost({ bytes, waits }: Pick<Reproducer, 'bytes' | 'waits'>): Promise<Replayed> {
  const transport = new HostEnd();
  const program: { end?: ProgramEnd; failure?: unknown; isOver: boolean } = { isOver: false };
  void runGuestProgram(transport)
    .then(
      (end) => (program.end = end),
      (error: unknown) => (program.failure = error),
    )
    .finally(() => (program.isOver = true));
  let sent = 0;
  try {
    for (const [atByte] of [...waits, [bytes.byteLength, 0] as const]) {
      if (transport.isClosed) break;
      if (atByte > sent) transport.handlers.bytes(bytes.subarray(sent, atByte));
      sent = Math.max(sent, atByte);
      await settle();
    }
    transport.handlers.closed();
  } catch (error) {
    return { isContained: false, message: `the guest's library threw ${textOf(error)}` };
  }
  for (let turns = 0; !program.isOver && turns < MAX_TURNS; turns++) await nextTask();
  if (!program.isOver) return { isContained: false, message: 'the connection has ended, and the guest waits still' };
  const { end, failure } = program;
  if (end === undefined) return { isContained: false, message: `the guest's program failed: ${textOf(failure)}` };
  return { isContained: true, message: end.message };
}

/** A program asks its next question some promises behind an answer. */
async function settle(): Promise<void> {
  for (let turns = 0; turns <= FIRST_ANSWERS; turns++) await nextTask();
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
