// A host in a process of its own, reached through a Unix socket; and beside it a bare socket between the same two.
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { connect } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';
import { collectGarbage } from './collector.mjs';
import { forkHost } from './fork-host.mjs';
import * as code from './scene.mjs?remote';
import { ECHO, HEADER_BYTES, SINK, SOURCE } from './raw-server.mjs';

/** @import { Memory } from './memory.mjs' */

/**
 * @typedef {object} Remote
 * @property {typeof code} code
 * @property {code.Scene} scene
 * @property {RawClient} raw
 * @property {() => Promise<Memory>} hostMemory
 * @property {() => Promise<void>} close ends the process
 */

/** @returns {Promise<Remote>} */
export async function openRemote() {
  const { host, ready, stop } = await forkHost(new URL('host-process.mjs', import.meta.url), (folder) => [folder], {
    execArgv: ['--expose-gc'],
  });
  try {
    const socket = connectSocket({ path: ready.raw });
    await once(socket, 'connect');
    const connection = await connect(await openTransport(ready.address), { collectGarbage });
    return {
      code,
      scene: await code.makeScene(connection.gpu),
      raw: new RawClient(socket),
      async hostMemory() {
        host.send('memory');
        const [{ memory }] = await once(host, 'message');
        return memory;
      },
      async close() {
        socket.destroy();
        await connection.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Plain transfers over a socket, one at a time: what any protocol on it has to live with. */
class RawClient {
  #socket;
  /** Bytes that are awaited, and who awaits them. */
  #missing = 0;
  /** @type {() => void} */
  #done = () => {};

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#missing -= chunk.byteLength;
      if (this.#missing === 0) this.#done();
    });
  }

  /**
   * @param {number} kind
   * @param {number} byteLength
   * @param {number} answerBytes
   * @param {Uint8Array} [payload]
   * @returns {Promise<void>}
   */
  #exchange(kind, byteLength, answerBytes, payload) {
    const header = new Uint8Array(new Uint32Array([kind, byteLength]).buffer);
    return new Promise((resolve) => {
      this.#missing = answerBytes;
      this.#done = resolve;
      this.#socket.write(header);
      if (payload !== undefined) this.#socket.write(payload);
    });
  }

  /** A few bytes there and back. */
  echo() {
    return this.#exchange(ECHO, 0, HEADER_BYTES);
  }

  /** @param {Uint8Array} data sends it, and waits for a word that it has arrived */
  upload(data) {
    return this.#exchange(SINK, data.byteLength, HEADER_BYTES, data);
  }

  /** @param {number} byteLength asks for that many bytes, and waits until they are here */
  readBack(byteLength) {
    return this.#exchange(SOURCE, byteLength, byteLength);
  }
}
