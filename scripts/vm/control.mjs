// The host's end of the guest's second port: starts programs in the guest and exchanges files with it. No byte for the
// GPU goes this way.
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

import { VmProblem } from './problem.mjs';

/**
 * @typedef {object} Ending
 * @property {number | null} status
 * @property {string | null} signal
 * @property {string} stdout
 * @property {string} stderr
 */
/**
 * What the agent says: that it is there; or of an order, by its number, one of a file, output, the end, or what went wrong.
 *
 * @typedef {object} Message
 * @property {number} [uptimeSeconds] since the kernel started: it is there
 * @property {number} [id]
 * @property {string} [file]
 * @property {string} [data] in base64
 * @property {string} [stdout]
 * @property {string} [stderr]
 * @property {number | null} [status]
 * @property {string | null} [signal]
 * @property {boolean} [done]
 * @property {string} [error]
 */
/** @typedef {{ settle: (message: Message) => void, fail: (error: Error) => void }} Waiting */

/** What is known of a guest whose agent has said that it is there. */
export class Control {
  /** @type {import('node:net').Server} */
  #server;
  /** @type {import('node:net').Socket | undefined} */
  #socket;
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  #orders = 0;
  /** @type {((uptimeSeconds: number) => void) | undefined} */
  #isReady;

  /** @param {string} path of the Unix socket that QEMU is to connect to */
  static async listen(path) {
    const control = new Control();
    await new Promise((resolve, reject) => {
      control.#server.once('error', reject);
      control.#server.listen(path, () => resolve(undefined));
    });
    return control;
  }

  constructor() {
    this.#server = createServer((socket) => this.#connected(socket));
  }

  /** Resolves when the agent of the next boot is there, to the guest's seconds since its kernel started. @returns {Promise<number>} */
  ready() {
    return new Promise((resolve) => (this.#isReady = resolve));
  }

  /** @param {import('node:net').Socket} socket */
  #connected(socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    createInterface({ input: socket }).on('line', (line) => {
      if (socket === this.#socket) this.#heard(line);
    });
  }

  /** @param {string} line */
  #heard(line) {
    /** @type {Message} */
    let message;
    try {
      message = JSON.parse(line);
    } catch {
      return; // what was left of a boot that was cut off
    }
    if (message.uptimeSeconds !== undefined) this.#isReady?.(message.uptimeSeconds);
    else if (message.id !== undefined) this.#waiting.get(message.id)?.settle(message);
  }

  /** Nothing that was asked for will be answered: the guest is gone, or starts anew. @param {string} reason */
  reset(reason) {
    for (const { fail } of this.#waiting.values()) fail(new VmProblem(reason));
    this.#waiting.clear();
    // Bytes of the old boot are still on their way: QEMU connects again, without them.
    this.#socket?.destroy();
  }

  /** @param {string} reason */
  close(reason) {
    this.reset(reason);
    this.#server.close();
  }

  /**
   * @template T
   * @param {object} order
   * @param {(message: Message, done: (result: T) => void) => void} heard
   * @returns {Promise<T>}
   */
  #ask(order, heard) {
    const id = ++this.#orders;
    return new Promise((resolve, reject) => {
      /** @param {Error} error */
      const fail = (error) => {
        this.#waiting.delete(id);
        reject(error);
      };
      const done = (/** @type {T} */ result) => {
        this.#waiting.delete(id);
        resolve(result);
      };
      this.#waiting.set(id, {
        fail,
        settle: (message) => {
          if (message.error !== undefined) fail(new VmProblem(`in the guest: ${message.error}`));
          else heard(message, done);
        },
      });
      this.#send({ id, ...order });
    });
  }

  /** @param {object} message */
  #send(message) {
    this.#socket?.write(`${JSON.stringify(message)}\n`);
  }

  /** @param {string} path in the guest @param {Uint8Array} content @returns {Promise<void>} */
  put(path, content) {
    return this.#ask({ type: 'put', path, data: Buffer.from(content).toString('base64') }, (_, done) => done());
  }

  /** All files below a folder of the guest, by their paths. @param {string} path @returns {Promise<Map<string, Buffer>>} */
  get(path) {
    /** @type {Map<string, Buffer>} */
    const files = new Map();
    return this.#ask({ type: 'get', path }, (message, done) => {
      const { file, data = '' } = message;
      if (file === undefined) done(files);
      else files.set(file, Buffer.from(data, 'base64'));
    });
  }

  /**
   * Runs a program in the guest.
   * @param {string[]} argv
   * @param {{ env?: Record<string, string>, stdout?: (text: string) => void, stderr?: (text: string) => void }} [options]
   * @returns {Promise<Ending>}
   */
  run(argv, { env = {}, ...hear } = {}) {
    const texts = { stdout: '', stderr: '' };
    return this.#ask({ type: 'run', argv, env }, (message, done) => {
      for (const stream of /** @type {const} */ (['stdout', 'stderr'])) {
        const text = message[stream];
        if (text === undefined) continue;
        texts[stream] += text;
        hear[stream]?.(text);
      }
      const { status, signal = null } = message;
      if (status !== undefined) done({ status, signal, ...texts });
    });
  }
}
