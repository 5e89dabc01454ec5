// A guest and a host in this process, with a switch between them.

/** @import { Transport, TransportHandlers } from '@vesper-gpu/wire' */

/**
 * Where the guest's frames go: to the host, as through any transport; into `recorded`, and no further; or nowhere.
 *
 * @typedef {'deliver' | 'record' | 'discard'} Mode
 */

export class Loopback {
  /** @type {Mode} */
  mode = 'deliver';
  /** @type {Uint8Array<ArrayBuffer>[]} */
  recorded = [];
  /** @type {TransportHandlers | undefined} */
  #guestHandlers;
  /** @type {TransportHandlers | undefined} */
  #hostHandlers;

  /** @type {Transport} the guest's end */
  get guest() {
    return {
      start: (handlers) => void (this.#guestHandlers = handlers),
      send: (bytes) => this.#fromGuest(bytes),
      pause() {},
      resume() {},
      close: () => this.#close(),
    };
  }

  /** @type {Transport} the host's end */
  get host() {
    return {
      start: (handlers) => void (this.#hostHandlers = handlers),
      send: (bytes) => {
        setImmediate(() => this.#guestHandlers?.bytes(bytes));
        return true;
      },
      pause() {},
      resume() {},
      close: () => this.#close(),
    };
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  #fromGuest(bytes) {
    if (this.mode === 'record') this.recorded.push(bytes);
    else if (this.mode === 'discard') this.#guestHandlers?.sent?.(bytes);
    else {
      setImmediate(() => {
        this.feed(bytes);
        this.#guestHandlers?.sent?.(bytes);
      });
    }
    return true;
  }

  /**
   * Hands bytes to the host, which decodes and executes them before this returns.
   *
   * @param {Uint8Array} bytes
   */
  feed(bytes) {
    if (this.#hostHandlers === undefined) throw new Error('the host has ended the session');
    this.#hostHandlers.bytes(bytes);
  }

  #close() {
    const [guest, host] = [this.#guestHandlers, this.#hostHandlers];
    this.#guestHandlers = undefined;
    this.#hostHandlers = undefined;
    setImmediate(() => {
      guest?.closed();
      host?.closed();
    });
  }
}
