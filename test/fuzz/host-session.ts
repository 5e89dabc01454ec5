import * as guest from '@vesper-gpu/protocol/guest';
import { serveGuest, type ServeOptions, type Session, type SessionEnd } from '@vesper-gpu/host';
import {
  DEFAULT_LIMITS,
  FrameReader,
  HelloReader,
  WireReader,
  type Transport,
  type TransportHandlers,
} from '@vesper-gpu/wire';
import { commands } from '../wire/schema.ts';
import type { Step } from './guest-model.ts';
import { HELLO } from './hello.ts';
import { REASONS } from './reasons.ts';
import type { Stream } from './mode.ts';

/** Milliseconds that a host may take to answer what it was asked. */
const MAX_ANSWER_MS = 30_000;

const ignore: guest.EventHandlers = {
  streamEnded() {},
  deviceLost() {},
  deviceOnuncapturederror() {},
  streamCollect() {},
};

/** Decoders of the replies, by opcode. */
const replyDecoders = new Map<number, (reader: WireReader) => unknown>();
for (const command of commands) {
  if (command.class !== 'request') continue;
  const reply = command.reply!;
  const decode =
    reply.kind === 'undefined'
      ? () => undefined
      : Object.entries(guest).find(([name]) => name === `decode${'name' in reply ? reply.name : ''}`)?.[1];
  if (typeof decode !== 'function') throw new Error(`nobody decodes the reply of ${command.name}`);
  replyDecoders.set(command.opcode, decode as (reader: WireReader) => unknown);
}

/** The guest's end of a stream: what the host says must be well-formed, and its answers are counted. */
class Listener implements Transport {
  handlers!: TransportHandlers;
  replies = 0;
  isClosed = false;
  /** The first thing that a host must not say. */
  wrong: string | undefined;
  readonly #hello = new HelloReader('host');
  #isGreeted = false;
  readonly #frames = new FrameReader(DEFAULT_LIMITS.maxFrameBytes);
  readonly #reader = new WireReader(DEFAULT_LIMITS.maxStringBytes, {
    take: (byteLength) => new Uint8Array(byteLength),
  });

  start(handlers: TransportHandlers): void {
    this.handlers = handlers;
  }
  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    try {
      this.#hear(bytes);
    } catch (error) {
      this.wrong ??= `the host said what no host says: ${String(error)}`;
    }
    return true;
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    this.isClosed = true;
  }

  #hear(bytes: Uint8Array<ArrayBuffer>): void {
    let rest: Uint8Array = bytes;
    if (!this.#isGreeted) {
      const hello = this.#hello.push(bytes);
      if (hello === undefined) return;
      this.#isGreeted = true;
      rest = hello.rest;
    }
    this.#frames.push(rest, (records) => this.#frame(records));
  }

  #frame(records: Uint8Array<ArrayBuffer>): void {
    const reader = this.#reader;
    reader.open(records);
    while (reader.nextRecord()) {
      if (reader.opcode === 1 || reader.opcode === 2) skip(reader);
      else if (guest.decodeEvent(reader, ignore) === undefined) this.#reply(reader);
      reader.finish();
    }
  }

  #reply(reader: WireReader): void {
    const decode = replyDecoders.get(reader.opcode);
    if (decode === undefined) throw new Error(`a record of opcode ${reader.opcode}`);
    reader.u32();
    if (reader.u32() === 0) decode(reader);
    else guest.decodeVesperFailure(reader);
    this.replies++;
  }
}

function skip(reader: WireReader): void {
  reader.position = reader.end;
}

/** One session of a host under test: takes bytes, remembers them, and watches what must always hold. */
export class HostSession {
  readonly session: Session;
  /** How it ended, once it has. */
  end: SessionEnd | undefined;
  readonly #listener = new Listener();
  readonly #chunks: Uint8Array[] = [];
  readonly #waits: [number, number][] = [];
  #byteLength = 0;

  /** @param hello what the guest says first. */
  constructor(options: ServeOptions, hello: Uint8Array = HELLO) {
    this.session = serveGuest(this.#listener, { turnMs: Infinity, ...options });
    void this.session.ended.then((end) => (this.end = end));
    this.feed(hello);
  }

  /** All that the host was sent, and where the guest waited. */
  get stream(): Stream {
    return { from: 'guest', bytes: Buffer.concat(this.#chunks), waits: [...this.#waits] };
  }

  /** Sends bytes. */
  feed(bytes: Uint8Array): void {
    if (bytes.byteLength > 0) {
      this.#chunks.push(bytes.slice());
      this.#byteLength += bytes.byteLength;
      this.#listener.handlers.bytes(bytes);
    }
  }

  /** Sends a step. @returns what is wrong, if something is. */
  async step({ bytes, replies }: Step): Promise<string | undefined> {
    try {
      this.feed(bytes);
    } catch (error) {
      return `threw ${String((error as Error).stack ?? error)}`;
    }
    if (replies !== undefined) return this.settle();
    await nextTask();
    return this.#listener.wrong;
  }

  /** Waits until every request is answered, or the session has ended. @returns what is wrong, if something is. */
  async settle(): Promise<string | undefined> {
    this.#waits.push([this.#byteLength, this.session.statistics.requests]);
    const giveUpAt = performance.now() + MAX_ANSWER_MS;
    do await nextTask();
    while (
      this.end === undefined &&
      this.#listener.replies < this.session.statistics.requests &&
      performance.now() < giveUpAt
    );
    const open = this.session.statistics.requests - this.#listener.replies;
    if (this.end === undefined && open > 0) return `${open} requests were not answered in ${MAX_ANSWER_MS} ms`;
    return this.#listener.wrong ?? this.#illEnded();
  }

  /** A session that has ended says why, in a way that programs know. */
  #illEnded(): string | undefined {
    if (this.end === undefined) return undefined;
    const { reason, message, error } = this.end;
    if (reason === 'closed') return undefined;
    if (reason === 'fault') return `the session failed: ${error?.stack ?? message}`;
    if (error === undefined) return message === '' ? 'it ended without a word' : undefined;
    const { reason: rule } = error as { reason?: string };
    if (rule === undefined || !(REASONS.has(rule) || HELLO_REASONS.has(rule))) return `the reason "${rule}" is none`;
    return this.#listener.isClosed ? undefined : 'it ended, and the connection did not';
  }

  /** The guest leaves. @returns what is wrong, if something is. */
  async leave(): Promise<string | undefined> {
    this.#listener.handlers.closed();
    await nextTask();
    return this.end === undefined ? 'the guest left, and its session did not end' : this.#illEnded();
  }
}

const HELLO_REASONS = new Set(['bad-magic', 'wire-version', 'bad-hello', 'refused', 'bad-frame', 'frame-too-large']);

export function nextTask(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
