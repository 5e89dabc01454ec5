// On what the two threads of device-pump.mjs agree: the nonce that begins a session, and that it has begun.
// @ts-check
import { NONCE_BYTES } from './port-marks.mjs';

const OPEN = 0;
const RENEWING = 1;
const BEGUN = 2;

/**
 * One thread says nonces to the host, the other hears the answer. A session that has begun gets no other nonce, whose
 * answer would be taken for data; and the answer to a nonce that has been replaced begins none.
 */
export class Agreement {
  /** For the other thread. */
  memory;
  #state;
  #nonce;

  /** @param {SharedArrayBuffer} [memory] that of the other thread */
  constructor(memory = new SharedArrayBuffer(4 + NONCE_BYTES)) {
    this.memory = memory;
    this.#state = new Int32Array(memory, 0, 1);
    this.#nonce = new Uint8Array(memory, 4);
  }

  /** What the host is to answer. A copy: the other thread may be replacing it, and then it is not believed in. */
  get nonce() {
    return Buffer.from(this.#nonce);
  }

  /**
   * Replaces the nonce; of one thread only.
   * @param {Uint8Array} nonce
   * @returns {boolean} false when the session has begun: nothing is to be said
   */
  renew(nonce) {
    if (Atomics.compareExchange(this.#state, 0, OPEN, RENEWING) === BEGUN) return false;
    this.#nonce.set(nonce);
    Atomics.store(this.#state, 0, OPEN);
    return true;
  }

  /**
   * The host has answered; of the other thread only.
   * @param {Buffer} answer
   * @returns {boolean} whether the session has begun by that: false when the nonce is another one by now
   */
  begin(answer) {
    if (Atomics.compareExchange(this.#state, 0, OPEN, BEGUN) !== OPEN) return false;
    if (answer.equals(this.#nonce)) return true;
    Atomics.store(this.#state, 0, OPEN);
    return false;
  }
}
