// How a session begins and ends on a port that outlives it. See "Ports" in the README of this package.
// @ts-check

/** A mark's first byte is nowhere else in it: no mark begins within another, however the bytes before it were cut off. */
export const MARK = Buffer.from('\xf7VESPER PORT\r\n\x1a\n', 'latin1');
/** What stands behind a mark. */
export const TAG = Object.freeze({
  /** The mark is data: the guest's bytes happen to contain it. */
  data: 0,
  /** A session begins; a nonce follows, which the host repeats in front of its own first byte. It has no byte of 0xf7. */
  start: 1,
  /** The session is over. */
  end: 2,
  /** Nothing: it parts bytes that look like a mark's beginning from what will follow them. */
  nothing: 3,
});
export const NONCE_BYTES = 32;

/**
 * The bytes that stand for `chunk` on a port: none of them can be taken for the beginning or the end of a session.
 * @param {Buffer} chunk
 * @returns {Buffer[]} in order; most often `chunk` alone
 */
export function escape(chunk) {
  const parts = [];
  let from = 0;
  for (let at = chunk.indexOf(MARK); at !== -1; at = chunk.indexOf(MARK, from)) {
    parts.push(chunk.subarray(from, at), control(TAG.data));
    from = at + MARK.byteLength;
  }
  parts.push(chunk.subarray(from));
  if (partialMark(chunk, from) > 0) parts.push(control(TAG.nothing));
  return parts;
}

/**
 * A mark and its tag.
 * @param {number} tag
 * @param {Uint8Array} [nonce]
 */
export function control(tag, nonce = new Uint8Array(0)) {
  return Buffer.concat([MARK, Buffer.from([tag]), nonce]);
}

/**
 * How many bytes at the end of `chunk` are the beginning of a mark.
 * @param {Buffer} chunk
 * @param {number} from what comes before is not looked at
 */
export function partialMark(chunk, from) {
  const at = chunk.lastIndexOf(/** @type {number} */ (MARK[0]));
  const length = chunk.byteLength - at;
  if (at < from || length >= MARK.byteLength) return 0;
  return chunk.compare(MARK, 0, length, at) === 0 ? length : 0;
}
