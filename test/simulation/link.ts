import { ConnectionError, type Transport, type TransportHandlers } from '@vesper-gpu/wire';

/** Bytes that a link holds in one direction before its sender is told to wait, and at which it may go on. */
export const HIGH_BYTES = 64 << 10;
export const LOW_BYTES = 16 << 10;

/** What a link can do next, for the scheduler to choose from. */
export interface LinkAction {
  what: 'deliver' | 'drain' | 'end';
  /** The end that is told. */
  end: LinkEnd;
}

/** One end of a simulated stream. What was sent waits here until the scheduler delivers it. */
export class LinkEnd implements Transport {
  peer!: LinkEnd;
  /** Of what the other side sent. */
  #received: Uint8Array[] = [];
  receivedBytes = 0;
  /** The most that waited here at once. */
  mostBytes = 0;
  #handlers: TransportHandlers | undefined;
  #isPaused = false;
  /** `send` has returned false, and `drained` was not called since. */
  #waits = false;
  #isClosing = false;
  #hasEnded = false;
  /** Why this end is about to be told of an end that was not asked for. */
  #fault: Error | undefined;
  /** Nothing arrives here any more, and nobody says so. */
  isSilent = false;

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
  }

  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#isClosing || this.#hasEnded) return true;
    const { peer } = this;
    if (!peer.isSilent && !peer.#isClosing && !peer.#hasEnded && bytes.byteLength > 0) {
      peer.#received.push(bytes);
      peer.receivedBytes += bytes.byteLength;
      peer.mostBytes = Math.max(peer.mostBytes, peer.receivedBytes);
    }
    if (peer.receivedBytes > HIGH_BYTES) this.#waits = true;
    return !this.#waits;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#forget();
  }

  /** Breaks the connection: what was on its way is lost, and each end hears of it when the scheduler says so. */
  cut(): void {
    for (const end of [this, this.peer]) {
      end.#fault = new ConnectionError('the connection broke: simulated');
      end.#forget();
    }
  }

  /** Nothing goes either way from now on, and nobody is told. */
  silence(): void {
    for (const end of [this, this.peer]) {
      end.isSilent = true;
      end.#forget();
    }
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  #forget(): void {
    this.#received = [];
    this.receivedBytes = 0;
  }

  /** Behind the last byte of a peer that closed; at once where this end closes, or the connection broke. */
  get #isEndDue(): boolean {
    if (this.#isClosing || this.#fault !== undefined) return true;
    return this.peer.#isClosing && !this.isSilent && this.receivedBytes === 0 && !this.#isPaused;
  }

  actions(): LinkAction[] {
    if (this.#handlers === undefined || this.#hasEnded) return [];
    const found: LinkAction[] = [];
    if (this.receivedBytes > 0 && !this.#isPaused) found.push({ what: 'deliver', end: this });
    const hasRoom = this.peer.receivedBytes <= LOW_BYTES;
    if (this.#waits && hasRoom && !this.#isClosing && !this.isSilent) found.push({ what: 'drain', end: this });
    if (this.#isEndDue) found.push({ what: 'end', end: this });
    return found;
  }

  /** Delivers what is waiting, at most so many bytes. @returns what was delivered. */
  deliver(mostBytes: number): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let left = mostBytes; left > 0 && this.#received.length > 0;) {
      const first = this.#received[0]!;
      const part = first.subarray(0, left);
      parts.push(part);
      left -= part.byteLength;
      if (part.byteLength === first.byteLength) this.#received.shift();
      else this.#received[0] = first.subarray(part.byteLength);
    }
    const bytes = Buffer.concat(parts);
    this.receivedBytes -= bytes.byteLength;
    this.#handlers!.bytes(bytes);
    return bytes;
  }

  drain(): void {
    this.#waits = false;
    this.#handlers!.drained?.();
  }

  end(): void {
    this.#hasEnded = true;
    this.#handlers!.closed(this.#isClosing ? undefined : this.#fault);
  }
}

/** A stream between a guest and its host, in the hands of the scheduler. */
export function link(): [guestEnd: LinkEnd, hostEnd: LinkEnd] {
  const [first, second] = [new LinkEnd(), new LinkEnd()];
  first.peer = second;
  second.peer = first;
  return [first, second];
}
