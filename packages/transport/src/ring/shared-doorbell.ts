import { TaskQueue } from '@vesper-gpu/wire';
import type { Doorbell } from './doorbell.ts';
import { BELL, BELL_KIND } from './layout.ts';

/** A side hears a change of its word by waiting on it. */
const BY_WAITING = 1;
/** A side is sent messages: its engine cannot wait without blocking. */
const BY_MESSAGE = 2;

/** ES2024, which node 20 has and its types here do not. */
type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
) => { async: false; value: 'not-equal' | 'timed-out' } | { async: true; value: Promise<unknown> };

/** A `MessagePort`, of node or of a browser. */
export type MessagingPort = InstanceType<typeof MessageChannel>['port1'];

/** What a `MessagePort` has in node and in browsers, and what node's has beyond. */
interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: 'message' | 'close', listener: () => void): void;
  start(): void;
  close(): void;
  ref?(): void;
  unref?(): void;
}

/** Wakes the side whose words these are: by what it waits on, or with a message where it asked for one. */
export function wake(words: Int32Array, port: Pick<Port, 'postMessage'>): void {
  Atomics.add(words, BELL, 1);
  if (Atomics.load(words, BELL_KIND) === BY_MESSAGE) port.postMessage(null);
  else Atomics.notify(words, BELL);
}

/** Says that the side whose words these are waits on its word. */
export function hearByWaiting(words: Int32Array): void {
  Atomics.store(words, BELL_KIND, BY_WAITING);
}

/**
 * The doorbell between two threads: a word of shared memory that the other side changes and this one waits on, and a
 * `MessagePort`, which is closed when its thread ends, and keeps node alive, which a pending wait does not.
 */
export class SharedDoorbell implements Doorbell {
  readonly #own: Int32Array;
  readonly #peer: Int32Array;
  readonly #port: Port;
  readonly #tasks = new TaskQueue();
  #isClosed = false;

  /**
   * @param own control words of the ring that this side reads
   * @param peer those of the other one
   */
  constructor(own: Int32Array, peer: Int32Array, port: MessagingPort) {
    this.#own = own;
    this.#peer = peer;
    // The types of node know its other way to listen alone.
    this.#port = port as unknown as Port;
  }

  ring(): void {
    if (!this.#isClosed) wake(this.#peer, this.#port);
  }

  listen(rung: () => void, gone: () => void): void {
    const port = this.#port;
    port.addEventListener('message', () => {
      if (!this.#isClosed) rung();
    });
    port.addEventListener('close', () => {
      if (!this.#isClosed) gone();
    });
    port.start();
    port.ref?.();
    const { waitAsync } = Atomics as unknown as { waitAsync?: WaitAsync };
    if (waitAsync === undefined) {
      Atomics.store(this.#own, BELL_KIND, BY_MESSAGE);
    } else {
      hearByWaiting(this.#own);
      this.#wait(waitAsync, rung);
    }
  }

  #wait(waitAsync: WaitAsync, rung: () => void): void {
    // The next wait begins before anything is looked at: what changes behind it is heard.
    const heard = (): void => {
      if (this.#isClosed) return;
      this.#wait(waitAsync, rung);
      rung();
    };
    const result = waitAsync(this.#own, BELL, Atomics.load(this.#own, BELL));
    // Rung between the two: heard in a task of its own too, so that a side that rings without end lets others run.
    if (result.async) void result.value.then(heard);
    else this.#tasks.push(heard);
  }

  ref(): void {
    this.#port.ref?.();
  }

  unref(): void {
    this.#port.unref?.();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#port.close();
    // Ends this side's own wait.
    Atomics.notify(this.#own, BELL);
  }
}
