// Serves one guest on a transport, and answers on another with what it is sent.
import { openGPU } from '@vesper-gpu/dawn';
import { serveGuest } from '@vesper-gpu/host';
import { hostMemory } from '../collector.mjs';

/** @import { Transport } from '@vesper-gpu/wire' */

/**
 * @param {Transport} guest
 * @param {Transport} echo
 */
export function serve(guest, echo) {
  void serveGuest(guest, { gpu: openGPU(), memory: hostMemory }).ended.then(({ reason, message }) => {
    if (reason !== 'closed') console.error(`the host's session ended: ${message}`);
  });
  echo.start({ bytes: (chunk) => void echo.send(chunk.slice()), closed() {} });
}
