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
import { socketTransport } from '@vesper-gpu/transport';

/** A guest that may be served. */
export interface Visitor {
  readonly hello: GuestHello;
  readonly fields: ReadonlyMap<string, string>;
  /** What had arrived behind the hello. */
  readonly rest: Uint8Array;
}

/** Why a peer is not served. The message is for the log and, where the peer can read it, for the peer. */
export class Rejection extends Error {
  override readonly name = 'Rejection';
  readonly code = 'VESPER_REJECTED';
  /** Whether the peer has shown that it speaks Vesper, so that an answer makes sense. */
  readonly speaksVesper: boolean;

  constructor(message: string, speaksVesper: boolean) {
    super(message);
    this.speaksVesper = speaksVesper;
  }
}

/**
 * Reads a guest's hello off a paused socket, and leaves the socket paused.
 * @param timeoutMs how long, in milliseconds, the guest may take for the whole of it
 * @throws Rejection, with the socket still open unless the peer closed it
 */
export function receiveHello(socket: Socket, timeoutMs: number): Promise<Visitor> {
  const reader = new HelloReader('guest');
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
      try {
        const hello = reader.push(chunk);
        if (hello === undefined) return;
        const visitor = { ...hello, hello: parseGuestHello(hello.fields) };
        const reason = incompatibility(visitor.hello, PROTOCOL);
        if (reason !== undefined) throw new ProtocolError('refused', reason);
        stop();
        resolve(visitor);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        refuse(new Rejection(message, !(error instanceof ProtocolError && error.reason === 'bad-magic')));
      }
    };
    const ended = (): void => refuse(new Rejection(reader.endedEarly().message, false));
    const timer = setTimeout(() => {
      const message = `the guest sent no complete hello within ${timeoutMs / 1000} s: ${receivedBytes} bytes came`;
      // What does not start as a hello was refused before.
      refuse(new Rejection(message, receivedBytes > 0));
    }, timeoutMs);
    socket.on('data', receive).on('end', ended).on('close', ended);
    socket.resume();
  });
}

/** Tells a guest why it is not served, in a hello of this side, which also names this side's wire version; closes. */
export function refuseGuest(socket: Socket, refusal: string, agent: string): void {
  const transport = socketTransport(socket);
  transport.send(
    encodeHello({
      ...PROTOCOL,
      agent,
      limits: DEFAULT_LIMITS,
      wgslLanguageFeatures: [],
      preferredCanvasFormat: '',
      refusal,
    }),
  );
  transport.close();
}
