import { describe, expect, it } from 'vitest';
import { violations } from './invariants.ts';
import { Random } from './random.ts';
import { simulate, type Result, type Setup } from './world.ts';

/** `VESPER_SEED` runs one seed; `VESPER_SEEDS` so many instead of these. */
const SEEDS = Number(process.env['VESPER_SEEDS'] ?? 150);
const FIRST = Number(process.env['VESPER_SEED'] ?? 1);
const COUNT = process.env['VESPER_SEED'] === undefined ? SEEDS : 1;
/** Programs there are, so that what each does alone is found out once. */
const PROGRAMS = 100;
const MOST_REPORTED = 3;

function setupOf(seed: number): Setup {
  const random = new Random(seed * 7919);
  const programs = Array.from({ length: random.between(1, 5) }, () => random.below(PROGRAMS));
  return { seed, programs, hostileGuests: random.below(4), isCalm: false };
}

/** @returns what is wrong, with how to see it again. */
async function check(seed: number): Promise<{ result: Result; found: string[] }> {
  const again = `VESPER_SEED=${seed} npx vitest run test/simulation`;
  let result: Result;
  try {
    result = await simulate(setupOf(seed));
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).stack}\nagain: ${again}`, { cause: error });
  }
  const found = await violations(result);
  return { result, found: found.map((what) => `seed ${seed}: ${what}; again: ${again}`) };
}

describe('many guests, in any order', () => {
  it(
    'get what they would get alone, or are told that their connection ended',
    async () => {
      const found: string[] = [];
      const counts: Record<string, number> = {};
      let actions = 0;
      for (let seed = FIRST; seed < FIRST + COUNT && found.length < MOST_REPORTED; seed++) {
        const one = await check(seed);
        found.push(...one.found);
        actions += one.result.actions;
        for (const [name, count] of Object.entries(one.result.counts)) counts[name] = (counts[name] ?? 0) + count;
      }
      expect(found).toEqual([]);
      // Everything that can happen did, where there were enough seeds for it.
      const kinds = ['answer', 'attack', 'collect', 'cut', 'deliver', 'drain', 'end', 'silence', 'sleep', 'task'];
      expect(COUNT < 100 ? kinds : Object.keys(counts).toSorted()).toEqual(kinds);
      expect(actions).toBeGreaterThan(COUNT * 20);
    },
    60_000 + COUNT * 1000,
  );

  it('are the same again with the same seed, and others with another', async () => {
    const digests = new Set<string>();
    for (let seed = FIRST; seed < FIRST + 20; seed++) {
      const [first, second] = [await simulate(setupOf(seed)), await simulate(setupOf(seed))];
      expect(second.digest, `seed ${seed}`).toBe(first.digest);
      expect(second, `seed ${seed}`).toEqual(first);
      digests.add(first.digest);
    }
    expect(digests.size).toBe(20);
  });
});
