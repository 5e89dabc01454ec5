import type { Transport } from '@vesper-gpu/wire';

/**
 * Passes on what arrives at either end to the other, with back-pressure, until either closes. Both belong to it.
 * @returns once both are closed; never rejects
 */
export async function relay(a: Transport, b: Transport): Promise<void> {
  await Promise.all([passOn(a, b), passOn(b, a)]);
}

function passOn(from: Transport, to: Transport): Promise<void> {
  return new Promise((resolve) => {
    from.start({
      bytes(chunk) {
        // A copy: the chunk is the handler's for the duration of the call only.
        if (!to.send(chunk.slice())) from.pause();
      },
      drained: () => to.resume(),
      closed() {
        to.close();
        resolve();
      },
    });
  });
}
