/**
 * A record is one header word and its fields, all in little-endian 32-bit words.
 * Header: opcode in the low 16 bits, the record's length in words (header included) in the high 16.
 * Length 0 is the escape: the next word holds the length, for records of more than 65,535 words.
 */
export const MAX_SHORT_RECORD_WORDS = 0xffff;

/** @returns the header word of a record of `words` words, `words` ≤ MAX_SHORT_RECORD_WORDS. */
export function recordHeader(opcode: number, words: number): number {
  return opcode | (words << 16);
}

/** Where the bytes of a `bytes` field are: behind its length in the record, or in the bulk records sent before it. */
export const BYTES_INLINE = 0;
/** See BYTES_INLINE. */
export const BYTES_BULK = 1;

/** The two records that the runtime itself writes and reads; `idl/wire.lock.json` gives them these numbers. */
export const OPCODE_BEGIN_BULK = 1;
/** See OPCODE_BEGIN_BULK. */
export const OPCODE_BULK_CHUNK = 2;

/** How a request ended; the word after the request's id in a reply. */
export const REPLY_OK = 0;
/** See REPLY_OK. */
export const REPLY_FAILED = 1;
