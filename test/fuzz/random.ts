/** A seeded generator (Marsaglia's xorshift128), so that an execution comes back with its seed and number. */
export class Random {
  #x = 1;
  #y = 1;
  #z = 1;
  #w = 1;

  /** @param parts what the stream of numbers follows from: a seed, a mode, the number of an execution. */
  constructor(...parts: readonly number[]) {
    this.seed(...parts);
  }

  /** Begins the stream of these parts. */
  seed(...parts: readonly number[]): void {
    let state = 0x9e37_79b9;
    for (const part of parts) {
      state = mix(state ^ (part >>> 0));
      state = mix(state ^ Math.floor(part / 2 ** 32));
    }
    this.#x = state = mix(state + 0x6d2b_79f5);
    this.#y = state = mix(state + 0x6d2b_79f5);
    this.#z = state = mix(state + 0x6d2b_79f5);
    // Never all zero.
    this.#w = mix(state + 0x6d2b_79f5) | 1;
  }

  /** A signed word. */
  word(): number {
    const t = this.#x ^ (this.#x << 11);
    this.#x = this.#y;
    this.#y = this.#z;
    this.#z = this.#w;
    this.#w = this.#w ^ (this.#w >>> 19) ^ t ^ (t >>> 8);
    return this.#w;
  }

  u32(): number {
    return this.word() >>> 0;
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    return this.u32() % limit;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }
}

function mix(value: number): number {
  let t = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  t = Math.imul(t ^ (t >>> 13), 0xc2b2_ae35);
  return t ^ (t >>> 16);
}
