import { ProtocolError } from '@vesper-gpu/wire';
import { MARK, NONCE_BYTES, partialMark, TAG } from '../pump/port-marks.mjs';

/** What a guest's bytes on a port say, in order. */
export type PortPart =
  /** Bytes of the session. */
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  /** The guest begins a session, and whatever came before is of no more account. The host is to repeat the nonce. */
  | { readonly type: 'start'; readonly nonce: Uint8Array<ArrayBuffer> }
  /** The guest has ended the session. */
  | { readonly type: 'end' };

const TAG_AT = MARK.byteLength;
const NONCE_AT = TAG_AT + 1;

/** Reads the host's side of a port: the data, and where sessions begin and end. See "Ports" in the README. */
export class PortReader {
  /** A mark, its tag and its nonce, as far as they have come. */
  readonly #held = Buffer.alloc(NONCE_AT + NONCE_BYTES);
  #heldBytes = 0;

  /** Bytes that were taken and of which it is not known yet what they are. */
  get pending(): Uint8Array {
    return this.#held.subarray(0, this.#heldBytes);
  }

  /**
   * Takes received bytes. To be read to the end, or not to be used any more.
   * @throws ProtocolError when a mark is followed by no tag
   */
  *read(chunk: Uint8Array): Generator<PortPart> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < bytes.byteLength) {
      const held = this.#heldBytes;
      if (held === 0) {
        const mark = bytes.indexOf(MARK, at);
        const end = mark === -1 ? bytes.byteLength - partialMark(bytes, at) : mark;
        if (end > at) yield { type: 'data', bytes: bytes.subarray(at, end) };
        if (mark === -1) return void this.#hold(bytes.subarray(end));
        this.#hold(MARK);
        at = mark + MARK.byteLength;
      } else if (held < TAG_AT) {
        if (bytes[at] === MARK[held]) {
          this.#hold(bytes.subarray(at, at + 1));
          at++;
          continue;
        }
        // It was none; what follows may be one.
        this.#heldBytes = 0;
        yield { type: 'data', bytes: MARK.subarray(0, held) };
      } else if (bytes[at] === MARK[0]) {
        // Neither a tag nor a nonce has this byte: the mark was cut off, and here is another.
        this.#heldBytes = 0;
      } else if (held === TAG_AT) {
        yield* this.#tagged(bytes[at++]!);
      } else {
        this.#hold(bytes.subarray(at, at + 1));
        at++;
        if (this.#heldBytes < this.#held.byteLength) continue;
        this.#heldBytes = 0;
        yield { type: 'start', nonce: Uint8Array.from(this.#held.subarray(NONCE_AT)) };
      }
    }
  }

  *#tagged(tag: number): Generator<PortPart> {
    if (tag === TAG.start) return void this.#hold(Uint8Array.of(tag));
    this.#heldBytes = 0;
    if (tag === TAG.data) yield { type: 'data', bytes: MARK };
    else if (tag === TAG.end) yield { type: 'end' };
    else if (tag !== TAG.nothing) throw new ProtocolError('bad-magic', `a mark on the port with the tag ${tag}`);
  }

  #hold(bytes: Uint8Array): void {
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes += bytes.byteLength;
  }
}
