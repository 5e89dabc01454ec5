import { portMarks, PortReader, type PortPart } from '@vesper-gpu/transport';
import { HelloReader, ProtocolError } from '@vesper-gpu/wire';

/** Begun so often without an answer being read, a session is none. */
const MAX_STARTS = 64;

/**
 * Reads the hello of a guest on a port that outlives sessions. Whenever the guest begins its session, which it may
 * repeat until it hears of it, what came before is forgotten and its nonce is sent back.
 */
export class PortHello {
  readonly #port = new PortReader();
  readonly #answer: (nonce: Uint8Array) => void;
  #hello = new HelloReader('guest');
  #starts = 0;

  /** @param answer sends bytes to the guest */
  constructor(answer: (nonce: Uint8Array) => void) {
    this.#answer = answer;
  }

  /**
   * Adds received bytes.
   * @returns the hello once it is complete, and the bytes of the port behind it
   * @throws ProtocolError as a HelloReader does, and when the guest ends its session or begins it too often
   */
  push(chunk: Uint8Array): ReturnType<HelloReader['push']> {
    let found: ReturnType<HelloReader['push']>;
    const behind: Uint8Array[] = [];
    for (const part of this.#port.read(chunk)) {
      if (part.type !== 'data') this.#turn(part, found !== undefined);
      else if (found !== undefined) behind.push(part.bytes);
      else {
        found = this.#hello.push(part.bytes);
        if (found !== undefined) behind.push(found.rest);
      }
    }
    if (found === undefined) return undefined;
    // The next one to read the port begins with what was not finished here.
    const rest = Buffer.concat([...portMarks.escape(Buffer.concat(behind)), this.#port.pending]);
    return { fields: found.fields, rest };
  }

  #turn(part: Exclude<PortPart, { type: 'data' }>, isBehindHello: boolean): void {
    if (part.type === 'end') throw new ProtocolError('truncated', 'the guest ended its session before it was served');
    if (isBehindHello || ++this.#starts > MAX_STARTS)
      throw new ProtocolError('refused', 'the guest began its session anew before it was served');
    this.#hello = new HelloReader('guest');
    this.#answer(part.nonce);
  }

  /** What to say when the stream ended before the hello did. */
  endedEarly(): Error {
    return this.#hello.endedEarly();
  }
}
