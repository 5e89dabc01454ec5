import type { Transport } from '@vesper-gpu/wire';

/**
 * Passes on what arrives at either end to the other, with back-pressure, until either closes. Both belong to it.
 * @param silenceMs how long, in milliseconds, `a` may be without having said anything; then both are closed
 * @returns once both are closed; never rejects
 */
export async function relay(a: Transport, b: Transport, silenceMs?: number): Promise<void> {
  const close = (): void => {
    a.close();
    b.close();
  };
  const timer = silenceMs === undefined ? undefined : setTimeout(close, silenceMs);
  const spoken = (): void => clearTimeout(timer);
  await Promise.all([passOn(a, b, spoken), passOn(b, a)]);
  clearTimeout(timer);
}

function passOn(from: Transport, to: Transport, spoken?: () => void): Promise<void> {
  /** Where bytes lie on their way to a transport that copies them: new memory for each chunk costs more. */
  let own = new Uint8Array(0);
  // A chunk is the handler's for the duration of the call only, and may lie in memory that is shared.
  const copy = (chunk: Uint8Array): Uint8Array<ArrayBuffer> => {
    // Not `slice`: that of a Buffer is a view.
    if (!to.copiesOnSend) return new Uint8Array(chunk);
    if (own.byteLength < chunk.byteLength) own = new Uint8Array(chunk.byteLength);
    own.set(chunk);
    return own.subarray(0, chunk.byteLength);
  };
  return new Promise((resolve) => {
    from.start({
      bytes(chunk) {
        spoken?.();
        if (!to.send(copy(chunk))) from.pause();
      },
      drained: () => to.resume(),
      closed() {
        to.close();
        resolve();
      },
    });
  });
}
