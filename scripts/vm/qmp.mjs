// QEMU's machine protocol: commands to the machine, and what it tells of itself.
// https://www.qemu.org/docs/master/interop/qmp-spec.html
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** @typedef {{ event: string, data?: Record<string, unknown> }} QmpEvent */
/** @typedef {Partial<QmpEvent> & { id?: number, return?: unknown, error?: { desc: string } }} QmpMessage */

export class Qmp {
  /** @type {import('node:net').Server} */
  #server;
  /** @type {import('node:net').Socket | undefined} */
  #socket;
  /** @type {Map<number, { resolve: (value: unknown) => void, reject: (error: Error) => void }>} */
  #waiting = new Map();
  /** @type {Set<(event: QmpEvent) => void>} */
  #listeners = new Set();
  #commands = 0;
  /** Resolves once QEMU takes commands. @type {Promise<void>} */
  connected;

  /** @param {string} path of the Unix socket that QEMU is to connect to */
  static async listen(path) {
    const qmp = new Qmp();
    await new Promise((resolve, reject) => {
      qmp.#server.once('error', reject);
      qmp.#server.listen(path, () => resolve(undefined));
    });
    return qmp;
  }

  constructor() {
    this.#server = createServer();
    this.connected = new Promise((resolve) => {
      this.#server.once('connection', (socket) => {
        this.#socket = socket;
        socket.on('error', () => {});
        createInterface({ input: socket }).on('line', (line) => this.#heard(JSON.parse(line)));
        resolve(this.command('qmp_capabilities').then(() => {}));
      });
    });
    // Where QEMU ends before it connects, nobody may be waiting.
    this.connected.catch(() => {});
  }

  /** @param {QmpMessage} message */
  #heard({ event, data, id, error, return: value }) {
    if (event !== undefined) for (const listener of this.#listeners) listener({ event, ...(data && { data }) });
    if (id === undefined) return;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error !== undefined) waiting?.reject(new Error(`QEMU: ${error.desc}`));
    else waiting?.resolve(value);
  }

  /** @param {string} name @param {object} [args] @returns {Promise<unknown>} */
  command(name, args = {}) {
    const id = ++this.#commands;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket?.write(`${JSON.stringify({ execute: name, arguments: args, id })}\n`);
    });
  }

  /** @param {(event: QmpEvent) => void} listener @returns {() => void} ends that */
  onEvent(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves with the next event of that name. @param {string} name @returns {Promise<QmpEvent>} */
  event(name) {
    return new Promise((resolve) => {
      const ignore = this.onEvent((event) => {
        if (event.event !== name) return;
        ignore();
        resolve(event);
      });
    });
  }

  /** QEMU has ended. */
  close() {
    for (const { reject } of this.#waiting.values()) reject(new Error('QEMU has ended'));
    this.#waiting.clear();
    this.#socket?.destroy();
    this.#server.close();
  }
}
