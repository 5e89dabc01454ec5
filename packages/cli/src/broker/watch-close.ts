import type { Transport } from '@vesper-gpu/wire';

/** The same transport, and a promise of its end. */
export function watchClose(inner: Transport): { transport: Transport; closed: Promise<void> } {
  let resolveClosed: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    resolveClosed = resolve;
  });
  const transport: Transport = {
    start: (handlers) =>
      inner.start({
        bytes: (chunk) => handlers.bytes(chunk),
        drained: () => handlers.drained?.(),
        closed: (error) => {
          handlers.closed(error);
          resolveClosed();
        },
      }),
    send: (bytes) => inner.send(bytes),
    pause: () => inner.pause(),
    resume: () => inner.resume(),
    close: () => inner.close(),
  };
  return { transport, closed };
}
