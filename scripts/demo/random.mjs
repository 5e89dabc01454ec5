// Seeded random numbers: every run computes and draws the same thing.

/**
 * Mulberry32: small, fast and even enough for stars and test matrices.
 * @param {number} seed
 * @returns {() => number} each call gives the next number of [0, 1)
 */
export function randomSource(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
