import type { Transport } from '@vesper-gpu/wire';

/** A transport, and what it has come to. */
export interface WatchedTransport {
  readonly transport: Transport;
  /** Resolves at its end. */
  readonly closed: Promise<void>;
  /** Whether it has ended; true when its user is told. */
  readonly isClosed: boolean;
}

/**
 * The same transport, and word of its end.
 * @param sent called when something was given to the transport
 */
export function watchClose(inner: Transport, sent: () => void): WatchedTransport {
  let resolveClosed: () => void = () => {};
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    resolveClosed = resolve;
  });
  const transport: Transport = {
    copiesOnSend: inner.copiesOnSend,
    start: (handlers) =>
      inner.start({
        bytes: (chunk) => handlers.bytes(chunk),
        room: () => handlers.room?.(),
        sent: (bytes) => handlers.sent?.(bytes),
        drained: () => handlers.drained?.(),
        closed: (error) => {
          isClosed = true;
          handlers.closed(error);
          resolveClosed();
        },
      }),
    send: (bytes) => {
      const takesMore = inner.send(bytes);
      sent();
      return takesMore;
    },
    pause: () => inner.pause(),
    resume: () => inner.resume(),
    close: () => inner.close(),
  };
  return {
    transport,
    closed,
    get isClosed() {
      return isClosed;
    },
  };
}
