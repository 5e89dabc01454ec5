// A WebSocket that leads to a host, until it is cut: from then on it takes what comes, and nobody hears it.
import { listenWebSocket } from '@vesper-gpu/transport/websocket-listen';
import { openTransport } from '@vesper-gpu/transport';

/**
 * @typedef {object} Line
 * @property {string} url for the page
 * @property {() => number} cut says how many bytes have come
 * @property {() => number} receivedBytes
 * @property {() => Promise<void>} close
 */

/**
 * @param {string} host its address
 * @param {string} origin of the page
 * @returns {Promise<Line>} for one connection
 */
export async function openLine(host, origin) {
  let isCut = false;
  let receivedBytes = 0;
  const listener = await listenWebSocket('tcp:127.0.0.1:0', {
    allowedOrigins: [origin],
    async connection(page) {
      const line = await openTransport(host);
      page.start({
        bytes(chunk) {
          receivedBytes += chunk.byteLength;
          if (!isCut) line.send(chunk.slice());
        },
        closed: () => line.close(),
      });
      line.start({ bytes: (chunk) => void page.send(chunk.slice()), closed: () => page.close() });
    },
  });
  return {
    url: listener.address.replace('tcp:', 'ws://'),
    cut() {
      isCut = true;
      return receivedBytes;
    },
    receivedBytes: () => receivedBytes,
    close: () => listener.close(),
  };
}
