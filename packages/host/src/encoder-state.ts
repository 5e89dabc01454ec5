import { commandInfo } from '@vesper-gpu/protocol/host';
import type { WireReader } from '@vesper-gpu/wire';

/** Of what is set by slot or index, so many are remembered: as many as the default limits of WebGPU allow. */
const KEYS = 8;
/** Longer records are not remembered. */
const MAX_WORDS = 8;

/** By opcode: the first of its places among the saved records, -1 where it sets nothing. */
const places = new Int32Array(commandInfo.length).fill(-1);
/** By opcode: how many places it has, a power of two. */
const counts = new Int32Array(commandInfo.length);
let length = 0;
for (const [opcode, info] of commandInfo.entries()) {
  if (info?.state !== 'sets' && info?.state !== 'sets by key') continue;
  counts[opcode] = info.state === 'sets' ? 1 : KEYS;
  places[opcode] = length;
  length += counts[opcode]! * MAX_WORDS;
}

/** By opcode: whether it does something to the state of its encoder, or asks for it. */
export const touchesState = commandInfo.map((info) => info?.state !== undefined && info.state !== 'keeps');

/**
 * What the state of the current encoder was set to, as records. A command that sets what is set already changes nothing;
 * as the first of them was executed without an exception, the second could not report anything either: it is skipped.
 * https://www.w3.org/TR/webgpu/#programmable-passes
 */
export class EncoderState {
  readonly #records = new Int32Array(length);
  /** Not behind its end, where each command is an error. */
  #isKept = false;

  /** Another encoder is the current one: nothing is known of it. */
  selected(): void {
    this.#isKept = true;
    this.forget();
  }

  /** Nothing is known any more, as ids may stand for other objects. */
  forget(): void {
    this.#records.fill(0);
  }

  /** Whether the reader's record would set what is set. */
  isRepeated(reader: WireReader): boolean {
    const at = this.#placeOf(reader);
    return at >= 0 && reader.isSaved(this.#records, at);
  }

  /** The reader's record was executed. */
  executed(reader: WireReader): void {
    const { state } = commandInfo[reader.opcode]!;
    if (state === 'sets' || state === 'sets by key') {
      const at = this.#placeOf(reader);
      if (at >= 0 && this.#isKept) reader.save(this.#records, at, MAX_WORDS);
      return;
    }
    if (state === 'ends') this.#isKept = false;
    this.forget();
  }

  /** Where a record is saved; -1 where it is not. */
  #placeOf(reader: WireReader): number {
    const { opcode } = reader;
    const at = places[opcode]!;
    if (at < 0 || counts[opcode] === 1) return at;
    const key = reader.target;
    return key < KEYS ? at + key * MAX_WORDS : -1;
  }
}
