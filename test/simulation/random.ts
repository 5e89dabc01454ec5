import { Random as Generator } from '../golden/random.ts';

/** A small seeded generator: the same seed, the same numbers. */
export class Random extends Generator {
  constructor(seed: number) {
    super(seed >>> 0);
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  oneIn(count: number): boolean {
    return this.chance(count);
  }
}
