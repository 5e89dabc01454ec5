import type { Random } from './random.ts';
import { MAX_WORDS, Role } from './records.ts';

/** Words that are an edge of some range. */
const EDGES = [
  0, 1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 64, 127, 128, 255, 256, 4095, 4096, 4097, 0xffff, 0x1_0000, 0x3f_ffff, 0x40_0000,
  0x40_0001, 0x3fff_ffff, 0x4000_0000, 0x7fff_fffc, 0x7fff_ffff, 0x8000_0000, 0xffc0_0000, 0xffff_fffc, 0xffff_fffe,
  0xffff_ffff,
];
/** Words whose bytes are no UTF-8, or the start of a character that does not end. */
const BAD_TEXT = [
  0x80, 0xbf, 0x80c0, 0xc3, 0x8080e0, 0x82e2, 0xa0ed80, 0x80a0ed, 0x9f92f0, 0x809090f4, 0xff, 0xfeff, 0,
];
const FLOATS = [
  0x7fc0_0000, 0x7f80_0001, 0xffff_ffff, 0x7f80_0000, 0xff80_0000, 1, 0x8000_0000, 0x5f00_0000, 0xcf00_0001,
];

/** A valid record and what its words mean. */
export interface Sample {
  words: Int32Array;
  roles: Uint8Array;
}

/**
 * Copies a record to `target` and harms it: its words and bytes, its lengths, masks, ids, counts, enum numbers, strings,
 * floats; cut, lengthened, and spliced with another.
 * @param target of at least 2 × MAX_WORDS words.
 * @param bad gives an id that may be none.
 * @returns its length in words, at least 1.
 */
export function mutate(
  target: Int32Array,
  pool: readonly Sample[],
  sample: Sample,
  random: Random,
  bad: () => number,
): number {
  const { words, roles } = sample;
  let length = words.length;
  target.set(words);
  for (let harms = howMany(random); harms > 0; harms--) {
    const at = random.below(length);
    switch (random.below(16)) {
      case 0:
        target[at]! ^= 1 << random.below(32);
        break;
      case 1:
        target[at] = random.pick(EDGES);
        break;
      case 2:
        target[at]! += random.below(9) - 4;
        break;
      case 3:
        target[at] = random.word();
        break;
      case 4: {
        const shift = 8 * random.below(4);
        target[at] = (target[at]! & ~(0xff << shift)) | (random.below(256) << shift);
        break;
      }
      case 5:
        target[at] = bad();
        break;
      case 6:
        length = withLength(target, 1 + random.below(length));
        break;
      case 7:
        length = grow(target, length, 1 + random.below(length), 1 + random.below(6), random);
        break;
      case 8: {
        const from = 1 + random.below(length);
        const to = Math.min(length, from + 1 + random.below(3));
        target.copyWithin(from, to, length);
        length = withLength(target, length - Math.max(0, to - from));
        break;
      }
      case 9: {
        // The end of another record.
        const other = random.pick(pool).words;
        const from = random.below(other.length);
        const to = 1 + random.below(length);
        const count = Math.min(other.length - from, MAX_WORDS - to);
        target.set(other.subarray(from, from + count), to);
        length = withLength(target, to + count);
        break;
      }
      case 10:
        // The body of this record behind the header of another.
        target[0] = (random.pick(pool).words[0]! & 0xffff) | (length << 16);
        break;
      case 11:
        target[0] = lie(target[0]!, length, random);
        break;
      default:
        // Where the record is what it was, the roles are known; elsewhere this is a mutation like another.
        aim(target, at, roles[at] ?? Role.integer, random, bad);
    }
  }
  return length;
}

function howMany(random: Random): number {
  const draw = random.below(16);
  return draw < 3 ? 0 : draw < 11 ? 1 : draw < 14 ? 2 : 1 + random.below(6);
}

/** A record's header says its length; most mutants keep it true, so that they get further than the header. */
function withLength(target: Int32Array, length: number): number {
  target[0] = (target[0]! & 0xffff) | (length << 16);
  return length;
}

function grow(target: Int32Array, length: number, at: number, count: number, random: Random): number {
  if (length + count > MAX_WORDS) return length;
  target.copyWithin(at + count, at, length);
  for (let i = at; i < at + count; i++) target[i] = random.pick(EDGES);
  return withLength(target, length + count);
}

/** A header that tells another length, or none. */
function lie(header: number, length: number, random: Random): number {
  const opcode = random.oneIn(8) ? random.below(0x1_0000) : header & 0xffff;
  return opcode | (random.pick([0, 1, length - 1, length + 1, length + 2, random.below(0x1_0000), 0xffff]) << 16);
}

/** Harms a word as what it is. */
function aim(target: Int32Array, at: number, role: number, random: Random, bad: () => number): void {
  const word = target[at]!;
  switch (role) {
    case Role.id:
      target[at] = bad();
      break;
    case Role.boolean:
    case Role.tag:
    case Role.place:
      target[at] = random.oneIn(3) ? random.word() : random.below(5);
      break;
    case Role.enum:
      target[at] = random.oneIn(3) ? random.pick(EDGES) : random.below(128);
      break;
    case Role.presence:
      target[at] = random.oneIn(2) ? word ^ (1 << random.below(32)) : random.word() & random.word();
      break;
    case Role.count:
    case Role.length:
      target[at] = random.oneIn(3) ? random.pick(EDGES) : word + random.below(9) - 4;
      break;
    case Role.text:
      target[at] = random.oneIn(2) ? random.pick(BAD_TEXT) : word ^ (0x80 << (8 * random.below(4)));
      break;
    case Role.float:
      target[at] = random.pick(FLOATS);
      break;
    default:
      target[at] = random.pick(EDGES);
  }
}
