const INTERESTING = [
  0, 1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 64, 127, 128, 255, 256, 4095, 4096, 4097, 0xffff, 0x1_0000, 0x3f_ffff, 0x40_0000,
  0x7fff_ffff, 0x8000_0000, 0xffc0_0000, 0xffff_fffc, 0xffff_fffe, 0xffff_ffff,
];

/** A record's header says its length; most mutants keep it true, so that they get further than the header. */
function withLength(words) {
  if (words.length > 0 && words.length <= 0xffff) words[0] = (words[0] & 0xffff) | (words.length << 16);
  return words;
}

/** Ways to harm a record; each gives new words. `streams` knows the live ids and other records. */
const MUTATORS = [
  (words, random) => {
    const at = random.below(words.length);
    words[at] ^= 1 << random.below(32);
    return words;
  },
  (words, random) => {
    words[random.below(words.length)] = random.pick(INTERESTING);
    return words;
  },
  (words, random) => {
    const at = random.below(words.length);
    words[at] = (words[at] + random.below(9) - 4) | 0;
    return words;
  },
  (words, random) => {
    words[random.below(words.length)] = random.u32();
    return words;
  },
  (words, random) => {
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    bytes[random.below(bytes.length)] = random.below(256);
    return words;
  },
  (words, random, streams) => {
    const id = random.pick(streams.ids);
    words[random.below(words.length)] = random.oneIn(4) ? id + (random.below(5) << 22) : id;
    return words;
  },
  (words, random) => withLength(words.slice(0, 1 + random.below(words.length))),
  (words, random) => {
    const more = Int32Array.from({ length: 1 + random.below(6) }, () => random.pick(INTERESTING));
    const at = 1 + random.below(words.length);
    return withLength(Int32Array.from([...words.subarray(0, at), ...more, ...words.subarray(at)]));
  },
  (words, random) => {
    const at = 1 + random.below(words.length);
    return withLength(Int32Array.from([...words.subarray(0, at), ...words.subarray(at + 1 + random.below(3))]));
  },
  // The body of one record behind the header of another.
  (words, random, streams) => {
    const other = random.pick(streams.pool).at(-1);
    return withLength(Int32Array.from([other[0], ...words.subarray(1)]));
  },
  // The end of another record.
  (words, random, streams) => {
    const other = random.pick(streams.pool).at(-1);
    const at = 1 + random.below(words.length);
    return withLength(Int32Array.from([...words.subarray(0, at), ...other.subarray(random.below(other.length))]));
  },
  (words) => Int32Array.from([words[0] & 0xffff, words.length + 1, ...words.subarray(1)]),
];

/** Makes a frame of one to four valid records, half of them harmed. */
export function mutatedFrame(streams, random) {
  const records = [];
  for (let count = 1 + random.below(4); count > 0; count--) {
    const [...valid] = random.pick(streams.pool);
    let last = valid.pop().slice();
    for (let harms = random.below(4) - 1; harms > 0; harms--) last = random.pick(MUTATORS)(last, random, streams);
    records.push(...valid, last);
    if (random.oneIn(12)) records.push(...bulk(random));
  }
  if (random.oneIn(8)) records.reverse();
  const words = new Int32Array(records.reduce((sum, record) => sum + record.length, 1));
  words[0] = random.oneIn(200) ? random.pick(INTERESTING) : words.byteLength;
  let at = 1;
  for (const record of records) {
    words.set(record, at);
    at += record.length;
  }
  return new Uint8Array(words.buffer);
}

/** An announcement of bulk data and chunks of it, which may or may not be what was announced. */
function bulk(random) {
  const size = random.below(40);
  const chunk = random.oneIn(3) ? random.below(40) : size;
  const body = new Int32Array(Math.ceil(chunk / 4));
  return [Int32Array.of(1 | (2 << 16), size), Int32Array.from([2 | ((2 + body.length) << 16), chunk, ...body])];
}
