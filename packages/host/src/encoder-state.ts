import { commandInfo } from '@vesper-gpu/protocol/host';
import type { WireReader } from '@vesper-gpu/wire';

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

  /** Whether the reader's record would set what is set. */
  isRepeated(reader: WireReader): boolean {
    const at = this.#placeOf(reader);
    const isRepeated = at >= 0 && reader.isSaved(this.#records, at);
    if (isRepeated) this.#repeated++;
    if (++this.#looks === LOOKS) this.#judge();
    return isRepeated;
  }

  #judge(): void {
    if (this.#repeated < WORTHWHILE) {
      this.#rests = RESTS;
      this.isKept = false;
    }
    this.#looks = 0;
    this.#repeated = 0;
  }

  /** The reader's record was executed, for `encoder`. */
  executed(reader: WireReader, encoder: object): void {
    const { state } = commandInfo[reader.opcode]!;
    if (state === 'sets' || state === 'sets by key') {
      const at = this.#placeOf(reader);
      if (at >= 0 && this.isKept) reader.save(this.#records, at, MAX_WORDS);
      return;
    }
    if (state === 'ends') {
      this.isKept = false;
      this.#ended.add(encoder);
    }
    this.forget();
  }

  /** Where a record is saved; -1 where it is not. */
  #placeOf(reader: WireReader): number {
    const at = places[reader.opcode]!;
    if (commandInfo[reader.opcode]!.state !== 'sets by key') return at;
    const key = reader.target;
    return key < KEYS ? at + key * MAX_WORDS : -1;
  }
}
