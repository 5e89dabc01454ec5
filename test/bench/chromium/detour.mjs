// A connection whose bytes can be sent elsewhere.

/** @import { Transport, TransportHandlers } from '@vesper-gpu/wire' */

/** A transport that, while its detour is taken, sends to a WebSocket that nobody listens to: the sender pays all the same. */
export class Detour {
  isTaken = false;
  #transport;
  #sink;

  /**
   * @param {Transport} transport
   * @param {WebSocket} sink an open one
   */
  constructor(transport, sink) {
    this.#transport = transport;
    this.#sink = sink;
  }

  /**
   * @param {string} url
   * @returns {Promise<WebSocket>} open
   */
  static open(url) {
    const socket = new WebSocket(url);
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve(socket);
      socket.onerror = () => reject(new Error(`${url} cannot be connected to`));
    });
  }

  get copiesOnSend() {
    return this.#transport.copiesOnSend ?? false;
  }

  /** @param {TransportHandlers} handlers */
  start(handlers) {
    this.#transport.start(handlers);
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  send(bytes) {
    if (!this.isTaken) return this.#transport.send(bytes);
    this.#sink.send(bytes);
    return true;
  }

  pause() {
    this.#transport.pause();
  }

  resume() {
    this.#transport.resume();
  }

  close() {
    this.#transport.close();
  }

  /** Waits until the network has what was sent to the sink. */
  async drained() {
    while (this.#sink.bufferedAmount > 0) await new Promise((resolve) => setTimeout(resolve));
  }
}
