import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryLedger } from './memory-ledger.ts';

interface Model {
  limit: number;
  peak: number;
  /** Bytes and holders of what is charged. */
  charged: Map<object, { bytes: number; released: boolean; references: number }>;
}

const used = (model: Model): number => [...model.charged.values()].reduce((sum, { bytes }) => sum + bytes, 0);

const objects = Array.from({ length: 5 }, (_, index) => ({ index }));
const object = fc.constantFrom(...objects);
const size = fc.oneof(fc.nat({ max: 60 }), fc.constantFrom(0, 1, 100, 2 ** 53, Infinity, Number.NaN));

/** Does one thing to both. @returns what each of them answered. */
type Step = (ledger: MemoryLedger, model: Model) => readonly [boolean, boolean] | void;

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(object, size).map(([one, bytes]): Step => (ledger, model) => {
    const fits = used(model) + bytes <= model.limit;
    const answers = [ledger.charge(one, bytes), fits] as const;
    if (!fits) return answers;
    const known = model.charged.get(one);
    if (known === undefined) model.charged.set(one, { bytes, released: false, references: 0 });
    else known.bytes += bytes;
    model.peak = Math.max(model.peak, used(model));
    return answers;
  }),
  object.map((one): Step => (ledger, model) => {
    ledger.release(one);
    const known = model.charged.get(one);
    if (known === undefined) return;
    known.released = true;
    if (known.references === 0) model.charged.delete(one);
  }),
  object.map((one): Step => (ledger, model) => {
    ledger.addReference(one);
    const known = model.charged.get(one);
    if (known !== undefined) known.references++;
  }),
  object.map((one): Step => (ledger, model) => {
    ledger.dropReference(one);
    const known = model.charged.get(one);
    if (known === undefined || known.references === 0) return;
    known.references--;
    if (known.references === 0 && known.released) model.charged.delete(one);
  }),
  object.map((one): Step => (ledger, model) => {
    ledger.free(one);
    model.charged.delete(one);
  }),
  fc.nat({ max: 120 }).map((bytes): Step => (ledger, model) => {
    ledger.setLimit(bytes);
    model.limit = bytes;
  }),
);

describe('MemoryLedger', () => {
  it('keeps its books like a list of everything that is charged', () => {
    fc.assert(
      fc.property(fc.nat({ max: 200 }), fc.array(steps, { maxLength: 60 }), (limit, sequence) => {
        const ledger = new MemoryLedger(limit);
        const model: Model = { limit, peak: 0, charged: new Map() };
        for (const step of sequence) {
          const [answer, expected] = step(ledger, model) ?? [];
          expect(answer).toBe(expected);
          expect([ledger.limitBytes, ledger.usedBytes, ledger.peakBytes]).toEqual([
            model.limit,
            used(model),
            model.peak,
          ]);
        }
        for (const one of objects) ledger.free(one);
        expect(ledger.usedBytes).toBe(0);
      }),
    );
  });

  it('keeps a texture charged while a view of a released id is bound', () => {
    const ledger = new MemoryLedger(100);
    const [texture, other] = objects as [object, object];
    expect(ledger.charge(texture, 80)).toBe(true);
    ledger.addReference(texture);
    ledger.release(texture);
    ledger.release(texture);
    expect(ledger.charge(other, 80)).toBe(false);
    ledger.dropReference(texture);
    expect(ledger.charge(other, 80)).toBe(true);
  });

  it('takes everything without a limit', () => {
    const ledger = new MemoryLedger(Infinity);
    expect(ledger.charge(objects[0]!, 2 ** 53)).toBe(true);
    expect(ledger.fits(2 ** 53)).toBe(true);
  });
});
