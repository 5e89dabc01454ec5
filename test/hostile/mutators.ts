import type { ProtocolErrorReason } from '@vesper-gpu/wire';
import { interfaceNumbers } from '../wire/schema.ts';
import { idAt, LIMITS, type Arena } from './arena.ts';
import type { Layout, Piece } from './layout.ts';

/** What the host must make of a record: refuse it for one of these reasons, take it, or either. */
export type Expectation = readonly ProtocolErrorReason[] | 'taken' | 'either';

export interface Mutant {
  path: string;
  what: string;
  words: Int32Array<ArrayBuffer>;
  expected: Expectation;
  /** The opcode or the length may be another: what is run then is not the command, or not only. */
  harmsHeader?: boolean;
}

/** Every 32-bit pattern that is an edge of some range, and a few that are not. */
const EXTREMES = [
  0, 1, 2, 3, 4, 7, 8, 0xff, 0x100, 0xffff, 0x1_0000, 0x1f_ffff, 0x3f_ffff, 0x40_0000, 0x3fff_ffff, 0x4000_0000,
  0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fffc, 0xffff_fffd, 0xffff_fffe, 0xffff_ffff,
];

/** Not a number, infinities, denormals, both zeros, the greatest and the least. */
const FLOATS_32 = [
  0, 0x8000_0000, 1, 0x8000_0001, 0x007f_ffff, 0x0080_0000, 0x7f7f_ffff, 0xff7f_ffff, 0x7f80_0000, 0xff80_0000,
  0x7f80_0001, 0x7fc0_0000, 0xffc0_0000, 0x7fff_ffff, 0xffff_ffff, 0x3f80_0000, 0xbf80_0000, 0x4b80_0000, 0x4f00_0000,
  0xcf00_0001, 0x5f00_0000,
];

/** Bytes that are no UTF-8, or would be if more followed. */
const BAD_UTF8 = [
  [0x80],
  [0xbf],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xc3],
  [0xc3, 0x28],
  [0xe0, 0x80, 0x80],
  [0xe0, 0x9f, 0xbf],
  [0xe2, 0x82],
  [0xe2, 0x28, 0xa1],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xef, 0xbf],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf0, 0x8f, 0xbf, 0xbf],
  [0xf0, 0x9f, 0x92],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0xfe],
  [0xff],
  [0xff, 0xfe],
  [0xfc, 0x80, 0x80, 0x80],
];

const OBJECT: readonly ProtocolErrorReason[] = ['bad-object'];
const ID: readonly ProtocolErrorReason[] = ['bad-id', 'limit'];
/** A length or a count of more than there is. */
const TOO_LONG: readonly ProtocolErrorReason[] = ['truncated', 'limit'];

type Change = { what: string; write(words: Int32Array, bytes: Uint8Array): void; expected: Expectation };

/** Arguments that are ids, although the schema calls them numbers. */
const IDS_BY_NUMBER: Record<string, readonly ProtocolErrorReason[]> = {
  'VesperStream.selectEncoder encoder': OBJECT,
  'VesperStream.release ids': ID,
};

/** Everything that is done to one piece of a record. */
function changesOf(piece: Piece, layout: Layout, arena: Arena, command: string): Change[] {
  const { role, start } = piece;
  const set = (what: string, value: number, expected: Expectation, word = 0): Change => ({
    what: `${what} ${value >>> 0}`,
    write: (words) => void (words[start + word] = value),
    expected,
  });
  switch (role.kind) {
    case 'object':
      return objectChanges(role, arena).map(([what, value, expected]) => set(what, value, expected));
    case 'newId':
      return newIdChanges(arena).map(([what, value]) => set(what, value, ID));
    case 'requestId':
      return EXTREMES.map((value) => set('request id', value, 'taken'));
    case 'boolean':
      return EXTREMES.filter((value) => value > 1).map((value) => set('boolean', value, ['bad-boolean']));
    case 'enum': {
      const known = new Set(role.numbers);
      const near = Array.from({ length: 8 }, (_, index) => role.numbers.length + index);
      const values = [...new Set([...EXTREMES, ...near])].filter((value) => !known.has(value));
      return values.map((value) => set('enum', value, ['bad-enum']));
    }
    case 'integer':
      return integerChanges(role.bits, IDS_BY_NUMBER[`${command} ${piece.path}`], set, arena, command);
    case 'float':
      return FLOATS_32.flatMap((value) => [
        set('float', value, 'taken', role.bits === 64 ? 1 : 0),
        ...(role.bits === 64 ? [set('low word', value, 'taken')] : []),
      ]);
    case 'presence':
      return presenceChanges(role.bits, layout.words[start]!, set);
    case 'count': {
      const left = layout.words.length - start - 1;
      // More items than the rest of the record has room for, by the fewest words that each takes.
      const tooMany = (value: number): boolean => value * role.minimum > left;
      return [...EXTREMES, Math.floor(left / role.minimum) + 1].map((value) =>
        set('count', value, tooMany(value) ? ['truncated'] : 'either'),
      );
    }
    case 'stringLength':
    case 'bytesLength': {
      const left = (layout.words.length - start - 1) * 4;
      const values = [...EXTREMES, left + 1, left + 4, LIMITS.maxStringBytes + 1, 2 ** 32 - 4 * start];
      return values.map((value) => set('length', value, value > left ? TOO_LONG : 'either'));
    }
    case 'text':
      return textChanges(piece);
    case 'data':
      return paddingChanges(piece);
    case 'tag':
      return EXTREMES.map((value) => set('tag', value, value < role.members ? 'either' : ['bad-union']));
    case 'place':
      return EXTREMES.filter((value) => value !== 0).map((value) => set('place', value, ['bad-bulk']));
  }
}

type SetWord = (what: string, value: number, expected: Expectation, word?: number) => Change;

/** An id of every interface that is not wanted, and of every way to be no object's. */
function objectChanges(
  role: { types: number; nullable: boolean },
  arena: Arena,
): [what: string, value: number, expected: Expectation][] {
  const wrong = [...interfaceNumbers]
    .filter(([, number]) => !((role.types >>> number) & 1))
    .map(([name]): [string, number, Expectation] => [`a ${name}`, arena.idOf(name), OBJECT]);
  const free = arena.nextSlot;
  const live = arena.idOf('GPUBuffer');
  const dead: [string, number][] = [
    ['stale', arena.stale],
    ['reserved', arena.reserved],
    ['free slot', idAt(free)],
    ['slot behind the table', idAt(free + 1)],
    ['last slot', idAt(0x3f_ffff)],
    ['last slot, last generation', 0xffff_ffff],
    ['generation 0', live & 0x3f_ffff],
    ['later generation', live + (1 << 22)],
    ['last generation', live | 0xffc0_0000],
    ['sign bit', live | 0x8000_0000],
    ['generation 0 of slot 1', 1],
    ['generation 2 of slot 0', idAt(0, 2)],
    ...Array.from({ length: 10 }, (_, index): [string, number] => [`generation ${index + 3}`, idAt(3, index + 3)]),
  ];
  return [
    ...wrong,
    ...dead.map(([what, value]): [string, number, Expectation] => [what, value, OBJECT]),
    ['null', 0, role.nullable ? 'taken' : OBJECT],
  ];
}

/** Ids that cannot be taken: in use, of the past, never allocated. */
function newIdChanges(arena: Arena): [string, number][] {
  return [
    ...[...arena.ids].map(([name, id]): [string, number] => [`the id of a ${name}`, id]),
    ['stale', arena.stale],
    ['reserved', arena.reserved],
    ['null', 0],
    ['generation 0', arena.nextSlot],
    ['slots left out', idAt(arena.nextSlot + 2)],
    ['last slot', 0xffff_ffff],
    ['other generation of a live id', arena.idOf('GPUBuffer') + (1 << 22)],
  ];
}

function integerChanges(
  bits: 32 | 64,
  isId: readonly ProtocolErrorReason[] | undefined,
  set: SetWord,
  arena: Arena,
  command: string,
): Change[] {
  if (isId !== undefined) {
    const bound = new Set(arena.ids.values());
    const wrong = EXTREMES.filter((value) => !bound.has(value));
    // Releasing what is bound is right, selecting what is no encoder is not.
    const live = command === 'VesperStream.selectEncoder' ? ['GPUBuffer', 'GPUCommandBuffer', 'GPUQueue'] : [];
    return [...wrong, arena.stale, ...live.map(arena.idOf)].map((value) => set('id', value, isId));
  }
  if (bits === 32) return EXTREMES.map((value) => set('integer', value, 'taken'));
  return EXTREMES.flatMap((value) => [set('low word', value, 'taken'), set('high word', value, 'taken', 1)]);
}

function presenceChanges(bits: number, mask: number, set: SetWord): Change[] {
  const changes: Change[] = [];
  for (let bit = 0; bit < 32; bit++) {
    // A known member that is said to be there and is not, or the other way round, shifts what follows.
    changes.push(set('presence', mask ^ (1 << bit), bit < bits ? 'either' : ['unknown-field']));
  }
  return changes;
}

function textChanges(piece: Piece): Change[] {
  const invalid = BAD_UTF8.map((sequence): Change => {
    // At the end of the text, so that what is missing of a character cannot follow.
    const at = piece.start * 4 + piece.byteLength - sequence.length;
    return {
      what: `text that ends with ${sequence.map((byte) => byte.toString(16)).join(' ')}`,
      write: (_, bytes) => bytes.set(sequence, at),
      expected: ['bad-string'],
    };
  });
  return [...invalid, ...paddingChanges(piece)];
}

function paddingChanges(piece: Piece): Change[] {
  const first = piece.start * 4 + piece.byteLength;
  const changes: Change[] = [];
  for (let at = first; at < (piece.start + piece.words) * 4; at++) {
    for (const value of [1, 0x80, 0xff]) {
      changes.push({
        what: `padding byte ${at - first} of ${value}`,
        write: (_, bytes) => void (bytes[at] = value),
        expected: ['bad-record'],
      });
    }
  }
  return changes;
}

/** All mutants of a record that harm one field each. */
export function* fieldMutants(layout: Layout, arena: Arena, command: string): Generator<Mutant> {
  const original = layout.record();
  for (const piece of layout.pieces) {
    for (const { what, write, expected } of changesOf(piece, layout, arena, command)) {
      const words = original.slice();
      write(words, new Uint8Array(words.buffer));
      if (words.every((word, index) => word === original[index])) continue;
      yield { path: piece.path, what, words, expected };
    }
  }
}

/** All mutants that harm the record as a whole: cut, lengthened, with a header that lies. */
export function* recordMutants(layout: Layout): Generator<Mutant> {
  const original = layout.record();
  const { length } = original;
  const opcode = original[0]! & 0xffff;
  const harmed = (what: string, words: Int32Array<ArrayBuffer>, expected: Expectation): Mutant => ({
    path: '',
    what,
    words,
    expected,
  });
  for (let cut = 1; cut < length; cut++) {
    const words = original.slice(0, cut);
    words[0] = opcode | (cut << 16);
    // Cut where an optional argument begins, it is another record, and a good one. Cut within a count of items,
    // it is refused for the count.
    const expected = layout.ends.has(cut) ? 'taken' : (['truncated', 'bad-bulk', 'limit'] as const);
    yield harmed(`cut to ${cut} words`, words, expected);
  }
  for (const extra of [[0], [1], [-1], [0, 0], Array.from({ length: 40 }, () => 0)]) {
    const words = Int32Array.from([...original, ...extra]);
    words[0] = opcode | (words.length << 16);
    yield harmed(`${extra.length} words more, of ${extra[0]}`, words, ['trailing-bytes']);
  }
  // The escape for long records: a length that is none, that is too great, and the right one.
  for (const value of [0, 1, 0x7fff_ffff, -1, -0x8000_0000]) {
    const words = Int32Array.from([opcode, value, ...original.subarray(1)]);
    yield harmed(`a long record of ${value >>> 0} words`, words, ['bad-record', 'truncated']);
  }
  yield harmed('written as a long record', Int32Array.from([opcode, length + 1, ...original.subarray(1)]), 'taken');
}

/** Every single bit of a record, the header's too. A `release` may be of what the next record needs. */
export function* bitMutants(layout: Layout, command: string): Generator<Mutant> {
  const original = layout.record();
  const isRelease = command === 'VesperStream.release';
  for (let bit = 0; bit < original.length * 32; bit++) {
    const words = original.slice();
    words[bit >> 5] = words[bit >> 5]! ^ (1 << (bit & 31));
    yield { path: '', what: `bit ${bit}`, words, expected: 'either', harmsHeader: bit < 32 || isRelease };
  }
}
