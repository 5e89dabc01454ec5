// Serves one guest on a transport, and answers on another with what it is sent.
import { openGPU } from '@vesper-gpu/dawn';
import { serveGuest } from '@vesper-gpu/host';

/** @import { Transport } from '@vesper-gpu/wire' */

/**
 * @param {Transport} guest
 * @param {Transport} echo
 * @param {import('@vesper-gpu/host').HostMemory} [memory] of a process that does nothing else
 */
export function serve(guest, echo, memory) {
  void serveGuest(guest, { gpu: openGPU(), ...(memory && { memory }) }).ended.then(({ reason, message }) => {
    if (reason !== 'closed') console.error(`the host's session ended: ${message}`);
  });
  echo.start({ bytes: (chunk) => void echo.send(chunk.slice()), closed() {} });
}
