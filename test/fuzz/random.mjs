/** A small seeded generator (mulberry32), so that a failure comes back with the same seed. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  u32() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit) {
    return this.u32() % limit;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  oneIn(count) {
    return this.below(count) === 0;
  }
}
