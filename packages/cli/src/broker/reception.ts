import type { Socket } from 'node:net';
import { PROTOCOL } from '@vesper-gpu/protocol';
import {
  DEFAULT_LIMITS,
  encodeHello,
  HelloReader,
  incompatibility,
  parseGuestHello,
  ProtocolError,
  type GuestHello,
} from '@vesper-gpu/wire';
import { beginPlainStream, isMarked, socketTransport } from '@vesper-gpu/transport';
import { PortHello } from './port-hello.ts';

/** A guest that may be served. */
export interface Visitor {
  readonly hello: GuestHello;
  readonly fields: ReadonlyMap<string, string>;
  /** What had arrived behind the hello, as it came: on a port, with its marks. */
  readonly rest: Uint8Array;
  /** How many bytes had arrived in all. */
  readonly receivedBytes: number;
  /** Whether the guest says where its session ends: it is behind a port that outlives sessions. */
  readonly isPort: boolean;
}

/** Why a peer is not served. The message is for the log and, where the peer can read it, for the peer. */
export class Rejection extends Error {
  override readonly name = 'Rejection';
  readonly code = 'VESPER_REJECTED';
  /** Whether the peer has shown that it speaks Vesper, so that an answer makes sense. */
  readonly speaksVesper: boolean;
  /** Whether it had to leave for others: a flood of such is one line in the log. */
  readonly madeRoom: boolean;

  constructor(message: string, speaksVesper: boolean, madeRoom = false) {
    super(message);
    this.speaksVesper = speaksVesper;
    this.madeRoom = madeRoom;
  }
}

/** Connections without a complete hello that are kept. Each holds some KB, and 64 KiB at most. */
export const MAX_VISITORS = 256;
/** How many of these may come from one address. Those at a Unix socket have none. */
export const MAX_VISITORS_OF_PEER = 64;

/** Most bytes before a hello is complete: the longest there is, and on a port the beginnings that it may be repeated in. */
const MAX_BYTES = 128 << 10;
/** Most connections that are being told why they are not served; each has some seconds to read it. */
export const MAX_REFUSALS = 256;

/** A connection that has not said its hello. */
interface Waiting {
  /** Network address of the other side, where it has one. */
  readonly peer: string | undefined;
  /** Whether any byte has come. */
  hasSpoken: boolean;
  /** Sends it away. */
  leave(rejection: Rejection): void;
}

/**
 * Where connections say their hello. It is never full: when too many say nothing, the one that has said nothing for the
 * longest has to leave, as a guest of good will is done within moments.
 */
export class Reception {
  readonly #timeoutMs: number;
  /** Oldest first. */
  readonly #waiting = new Map<Socket, Waiting>();

  /** @param timeoutMs how long, in milliseconds, a guest may take for the whole of its hello */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** How many connections are saying their hello. */
  get visitorCount(): number {
    return this.#waiting.size;
  }

  /**
   * Reads a guest's hello off a paused socket, and leaves the socket paused.
   * @throws Rejection, with the socket still open unless the peer closed it
   */
  async receive(socket: Socket): Promise<Visitor> {
    const peer = socket.remoteAddress;
    this.#makeRoom(peer);
    const waiting: Waiting = { peer, hasSpoken: false, leave: () => {} };
    this.#waiting.set(socket, waiting);
    try {
      return await receiveHello(socket, this.#timeoutMs, waiting);
    } finally {
      this.#waiting.delete(socket);
    }
  }

  #makeRoom(peer: string | undefined): void {
    const all = [...this.#waiting.values()];
    const ofPeer = peer === undefined ? [] : all.filter((waiting) => waiting.peer === peer);
    const candidates = ofPeer.length >= MAX_VISITORS_OF_PEER ? ofPeer : all.length >= MAX_VISITORS ? all : [];
    // Who has spoken is served or refused in a moment.
    const silent = candidates.find(({ hasSpoken }) => !hasSpoken) ?? candidates[0];
    silent?.leave(new Rejection('other connections came, and this one had said nothing for the longest', false, true));
  }
}

/** What finds a hello in a stream. */
type HelloSource = Pick<HelloReader, 'push'> & { endedEarly(): Error };

/** @param waiting is told of the first byte, and how to send the connection away */
function receiveHello(socket: Socket, timeoutMs: number, waiting: Waiting): Promise<Visitor> {
  let reader: HelloSource | undefined;
  let receivedBytes = 0;
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      socket.pause();
      socket.off('data', receive).off('end', ended).off('close', ended);
    };
    const refuse = (rejection: Rejection): void => {
      stop();
      reject(rejection);
    };
    const receive = (chunk: Buffer): void => {
      receivedBytes += chunk.byteLength;
      waiting.hasSpoken = true;
      timer ??= startTimer();
      try {
        reader ??= isMarked(chunk) ? new PortHello((answer) => socket.write(answer)) : new HelloReader('guest');
        const hello = reader.push(chunk);
        if (hello === undefined) {
          if (receivedBytes > MAX_BYTES)
            throw new ProtocolError('limit', `${receivedBytes} bytes, and no hello in them`);
          return;
        }
        const isPort = reader instanceof PortHello;
        const visitor = { ...hello, receivedBytes, hello: parseGuestHello(hello.fields), isPort };
        const reason = incompatibility(visitor.hello, PROTOCOL);
        if (reason !== undefined) throw new ProtocolError('refused', reason);
        stop();
        resolve(visitor);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        refuse(new Rejection(message, !(error instanceof ProtocolError && error.reason === 'bad-magic')));
      }
    };
    const ended = (): void => refuse(new Rejection((reader ?? new HelloReader('guest')).endedEarly().message, false));
    const startTimer = (): NodeJS.Timeout =>
      setTimeout(() => {
        const message = `the guest sent no complete hello within ${timeoutMs / 1000} s: ${receivedBytes} bytes came`;
        // What does not start as a hello was refused before.
        refuse(new Rejection(message, receivedBytes > 0));
      }, timeoutMs);
    // A virtual machine's monitor connects when the machine starts, hours before a program in it may want a GPU. At a
    // Unix socket, which only its owner can connect to, silence is no fault until somebody needs the room.
    let timer = socket.remoteAddress === undefined ? undefined : startTimer();
    socket.on('data', receive).on('end', ended).on('close', ended);
    waiting.leave = refuse;
    socket.resume();
  });
}

/** What a host calls itself whose process for a guest does not. */
const AGENT = 'vesper serve';

const refusals = new Set<Socket>();

/**
 * Tells a guest why it is not served, in a hello of this side, which also names this side's wire version; closes.
 * @param expectsMemory whether the guest expects shared memory
 */
export function refuseGuest(socket: Socket, refusal: string, expectsMemory: boolean): void {
  // More at a time are no guests that read it.
  if (refusals.size >= MAX_REFUSALS) return void socket.destroy();
  refusals.add(socket);
  socket.once('close', () => refusals.delete(socket));
  if (expectsMemory) beginPlainStream(socket);
  const transport = socketTransport(socket);
  transport.send(refusingHello(refusal));
  transport.close();
}

/** A hello of this side that says why the guest is not served. */
export function refusingHello(refusal: string): Uint8Array<ArrayBuffer> {
  return encodeHello({
    ...PROTOCOL,
    agent: AGENT,
    limits: DEFAULT_LIMITS,
    wgslLanguageFeatures: [],
    preferredCanvasFormat: '',
    refusal,
  });
}
