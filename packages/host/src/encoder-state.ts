import { commandInfo } from '@vesper-gpu/protocol/host';

/** Of what is set by slot or index, so many are remembered: as many as the default limits of WebGPU allow. */
const KEYS = 8;
/** Longer records are not remembered. */
const MAX_WORDS = 8;

/** By opcode: the first of its places among the saved records, -1 where it sets nothing. */
const places = new Int32Array(commandInfo.length).fill(-1);
let length = 0;
for (const [opcode, info] of commandInfo.entries()) {
  if (info?.state !== 'sets' && info?.state !== 'sets by key') continue;
  places[opcode] = length;
  length += (info.state === 'sets' ? 1 : KEYS) * MAX_WORDS;
}

/** So many records are compared before it is asked whether that is worth it, */
const LOOKS = 256;
/** which it is when at least so many of them were repeated: comparing costs about a tenth of executing. */
const WORTHWHILE = LOOKS / 8;
/** If it is not, encoders are left alone so many times: a guest that uses our library sends next to nothing twice. */
const RESTS = 64;

/**
 * What the state of the current encoder was set to, as records. A command that sets what is set already changes nothing;
 * as the first of them was executed without an exception, the second could not report anything either: it is skipped.
 * https://www.w3.org/TR/webgpu/#programmable-passes
 */
export class EncoderState {
  readonly #records = new Int32Array(length);
  /** Encoders that have ended: each of their commands is an error of its own, whatever was selected in between. */
  readonly #ended = new WeakSet<object>();
  /** Whether anything is remembered of the current encoder. Where it is not, only its end has to be told of. */
  isKept = false;
  #looks = 0;
  #repeated = 0;
  #rests = 0;

  /** `encoder` is the current one: nothing is known of its state. */
  selected(encoder: object): void {
    if (this.#rests > 0) this.#rests--;
    this.isKept = this.#rests === 0 && !this.#ended.has(encoder);
    if (this.isKept) this.forget();
  }

  /** Nothing is known any more, as ids may stand for other objects. */
  forget(): void {
    this.#records.fill(0);
  }

  /**
   * Whether the record from `start` to `end` would set what is set. What it would set is remembered, so that `forget` has to
   * follow where it is not executed after all.
   */
  setsAgain(opcode: number, words: Int32Array, start: number, end: number): boolean {
    const at = placeOf(opcode, words, start, end);
    if (at < 0 || !this.isKept) return false;
    const isRepeated = this.#isSaved(at, words, start, end);
    if (isRepeated) this.#repeated++;
    else this.#save(at, words, start, end);
    if (++this.#looks === LOOKS) this.#judge();
    return isRepeated;
  }

  /** The header is among the words: it holds the length. */
  #isSaved(at: number, words: Int32Array, start: number, end: number): boolean {
    for (let i = 0; i < end - start; i++) if (words[start + i] !== this.#records[at + i]) return false;
    return true;
  }

  #save(at: number, words: Int32Array, start: number, end: number): void {
    this.#records[at] = 0;
    if (end - start > MAX_WORDS) return;
    for (let i = 0; i < end - start; i++) this.#records[at + i] = words[start + i]!;
  }

  #judge(): void {
    if (this.#repeated < WORTHWHILE) {
      this.#rests = RESTS;
      this.isKept = false;
    }
    this.#looks = 0;
    this.#repeated = 0;
  }

  /** A command that does something else to the state of `encoder` was executed. */
  executed(opcode: number, encoder: object): void {
    if (commandInfo[opcode]!.state === 'ends') {
      this.isKept = false;
      this.#ended.add(encoder);
    }
    this.forget();
  }
}

/** Where a record is saved; -1 where it is not. */
function placeOf(opcode: number, words: Int32Array, start: number, end: number): number {
  const at = places[opcode]!;
  if (at < 0 || commandInfo[opcode]!.state !== 'sets by key') return at;
  // Behind the header, of which a long record has two words.
  const first = words[start]! >>> 16 === 0 ? start + 2 : start + 1;
  const key = first < end ? words[first]! >>> 0 : KEYS;
  return key < KEYS ? at + key * MAX_WORDS : -1;
}
