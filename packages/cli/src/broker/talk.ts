/**
 * The pipe that a broker and its executor talk over: one JSON object a line, either way. Node's own channel carries the
 * one message that a socket travels beside, down to the executor. Nothing is read from that: Node takes a channel's
 * other end for a friend, and what a compromised executor writes there would end this process.
 */
import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { LineCaps } from './line-reader.ts';

/** Which descriptor of an executor leads to the broker's end of the pipe. */
export const TALK_DESCRIPTOR = 5;
/** What an executor may say: its news come once a second; all capabilities that its guest may give away fit in as well. */
export const TALK_CAPS: LineCaps = { length: 2 ** 20, lines: 200, text: 8 * 2 ** 20 };
/** What may wait for an executor that does not listen, in bytes; one that is there reads at once. */
export const MAX_UNHEARD_BYTES = 2 ** 20;

/** Writes a message; the other side reads it with {@link readTalk}. */
export function talkLine(message: object): string {
  return `${JSON.stringify(message)}\n`;
}

/** Reads a line; undefined when it makes no sense. */
export function readTalk(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

/** The part of libuv's handle behind a channel that is used here; Node has no public name for it. */
interface ChannelHandle {
  readStop(): number;
  close(): void;
}

/** Node's channel to a child, of which nothing is read. */
export class DownwardChannel {
  readonly #child: ChildProcess;
  readonly #handle: ChannelHandle | undefined;
  #isClosed = false;

  /** To be made in the task that starts the child: nothing has been read then. */
  constructor(child: ChildProcess) {
    this.#child = child;
    // It never started: there is nothing to read from.
    if (child.pid === undefined) return;
    this.#handle = handleOf(child);
    this.#handle.readStop();
  }

  /**
   * Sends the only message: without its acknowledgement, which is not read, Node would keep further ones back for ever.
   * The channel stays open, as libuv drops what it has not read of one that is closed.
   * @param socket travels along; it stays open here
   */
  send(message: object, socket: SentSocket | undefined, sent: (error: Error | null) => void): void {
    if (socket === undefined) {
      this.#child.send(message, sent);
      return;
    }
    // Else the server would ask the child when it is closed, and wait for the answer.
    socket.server = null;
    this.#child.send(message, socket as Parameters<ChildProcess['send']>[1], { keepOpen: true }, sent);
  }

  /** To be called when the child is gone. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handle?.close();
  }
}

/** A socket as Node's servers leave it. */
export type SentSocket = Duplex & { server?: unknown };

function handleOf(child: ChildProcess): ChannelHandle {
  const symbol = Object.getOwnPropertySymbols(child).find(({ description }) => description === 'kChannelHandle');
  const handle = symbol && (child as unknown as Record<symbol, Partial<ChannelHandle> | null>)[symbol];
  if (typeof handle?.readStop !== 'function' || typeof handle.close !== 'function') {
    child.kill('SIGKILL');
    throw new Error(`node ${process.version} has other channels than older versions have; Vesper has to be adapted`);
  }
  return handle as ChannelHandle;
}
