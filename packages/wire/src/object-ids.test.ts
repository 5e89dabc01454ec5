import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from './errors.ts';
import { generationOf, ObjectIds, ObjectTable, slotOf } from './object-ids.ts';

const BUFFER = 1;
const TEXTURE = 2;
/** Sets of types. */
const BUFFERS = 1 << BUFFER;
const TEXTURES = 1 << TEXTURE;
const ANY = 0x7fff_fffe;
const idOf = (slot: number, generation: number): number => (slot | (generation << 22)) >>> 0;

function reasonOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.reason;
    throw error;
  }
  return 'accepted';
}

describe('ObjectIds', () => {
  it('gives slots in order, and a released slot with the next generation', () => {
    const ids = new ObjectIds();
    const [a, b] = [ids.allocate(), ids.allocate()];
    expect([slotOf(a), generationOf(a), slotOf(b), generationOf(b)]).toEqual([0, 1, 1, 1]);
    ids.free(a);
    const again = ids.allocate();
    expect([slotOf(again), generationOf(again)]).toEqual([0, 2]);
    expect(slotOf(ids.allocate())).toBe(2);
  });

  it('gives an id again that was taken back, new or used', () => {
    const ids = new ObjectIds();
    const first = ids.allocate();
    const second = ids.allocate();
    ids.takeBack();
    expect(ids.allocate()).toBe(second);
    ids.free(first);
    const used = ids.allocate();
    ids.takeBack();
    expect([ids.allocate(), slotOf(ids.allocate())]).toEqual([used, 2]);
  });

  it('never gives an id twice, and gives up a slot after its last generation', () => {
    const ids = new ObjectIds();
    const seen = new Set<number>();
    let id = ids.allocate();
    while (slotOf(id) === 0) {
      expect(id).toBeGreaterThan(0);
      expect(seen.has(id)).toBe(false);
      seen.add(id);
      ids.free(id);
      id = ids.allocate();
    }
    expect(seen.size).toBe(1023);
    expect(id).toBe(idOf(1, 1));
  });
});

describe('ObjectIds and ObjectTable', () => {
  it('agree whatever is created and released, and old ids stand for nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(50), { freq: 2 }), { maxLength: 300 }), (steps) => {
        const ids = new ObjectIds();
        const table = new ObjectTable<number>();
        const live = new Map<number, number>();
        const dead: number[] = [];
        for (const step of steps) {
          const victim = step === null ? undefined : [...live.keys()][step];
          if (victim === undefined) {
            const id = ids.allocate();
            table.bind(id, BUFFER, id);
            live.set(id, id);
          } else {
            table.release(victim);
            ids.free(victim);
            live.delete(victim);
            dead.push(victim);
          }
          expect(table.count).toBe(live.size);
        }
        for (const id of live.keys()) {
          expect([table.get(id, BUFFERS), table.get(id, ANY), table.typeOf(id), table.get(id, TEXTURES)]).toEqual([
            id,
            id,
            BUFFER,
            undefined,
          ]);
        }
        for (const id of dead) {
          expect([table.get(id, BUFFERS), table.get(id, ANY), table.typeOf(id)]).toEqual([undefined, undefined, 0]);
          expect(reasonOf(() => table.release(id))).toBe('bad-id');
          expect(reasonOf(() => table.bind(id, BUFFER, id))).toBe('bad-id');
        }
      }),
    );
  });
});

describe('ObjectTable before a hostile guest', () => {
  it('refuses slots out of order, so that no id makes it large', () => {
    const table = new ObjectTable<string>();
    for (const slot of [1, 1000, 0x3f_ffff])
      expect(reasonOf(() => table.bind(idOf(slot, 1), BUFFER, 'x'))).toBe('bad-id');
    table.bind(idOf(0, 1), BUFFER, 'x');
    expect(reasonOf(() => table.bind(idOf(2, 1), BUFFER, 'x'))).toBe('bad-id');
    expect(table.count).toBe(1);
  });

  it('refuses null, a generation of 0, an id in use and an older generation', () => {
    const table = new ObjectTable<string>();
    expect(reasonOf(() => table.bind(0, BUFFER, 'x'))).toBe('bad-id');
    table.bind(idOf(0, 5), BUFFER, 'x');
    expect(reasonOf(() => table.bind(idOf(0, 5), BUFFER, 'y'))).toBe('bad-id');
    expect(reasonOf(() => table.bind(idOf(0, 6), BUFFER, 'y'))).toBe('bad-id');
    table.release(idOf(0, 5));
    for (const generation of [0, 1, 5])
      expect(reasonOf(() => table.bind(idOf(0, generation), BUFFER, 'y'))).toBe('bad-id');
    table.bind(idOf(0, 1023), BUFFER, 'z');
    table.release(idOf(0, 1023));
    expect(reasonOf(() => table.bind(idOf(0, 1023), BUFFER, 'y'))).toBe('bad-id');
  });

  it('answers any number with undefined or a live object', () => {
    const table = new ObjectTable<string>();
    table.bind(idOf(0, 1), BUFFER, 'x');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 1, max: 31 }), (id, type) => {
        expect(table.get(id, 1 << type)).toBe(id === idOf(0, 1) && type === BUFFER ? 'x' : undefined);
        expect(table.get(id, ANY)).toBe(id === idOf(0, 1) ? 'x' : undefined);
      }),
    );
    expect(table.get(0, ANY)).toBeUndefined();
    expect(table.get(idOf(0, 1), 0)).toBeUndefined();
  });

  it('keeps to its limit, and takes another object once one was released', () => {
    const table = new ObjectTable<string>(2);
    table.bind(idOf(0, 1), BUFFER, 'a');
    table.bind(idOf(1, 1), BUFFER, 'b');
    expect(reasonOf(() => table.bind(idOf(2, 1), BUFFER, 'c'))).toBe('limit');
    table.release(idOf(0, 1));
    table.bind(idOf(0, 2), TEXTURE, 'c');
    expect(table.get(idOf(0, 2), ANY)).toBe('c');
  });

  it('keeps a reserved id from every use but its release', () => {
    const table = new ObjectTable<string>();
    const id = idOf(0, 1);
    table.reserve(id);
    expect(table.count).toBe(1);
    expect([table.get(id, ANY), table.get(id, BUFFERS)]).toEqual([undefined, undefined]);
    expect(reasonOf(() => table.bind(id, BUFFER, 'x'))).toBe('bad-id');
    table.fulfil(id, BUFFER, 'x');
    expect(table.get(id, BUFFERS)).toBe('x');
    table.fulfil(id, TEXTURE, 'y');
    expect(table.get(id, BUFFERS)).toBe('x');
  });

  it('does not give a reserved id its object after its release', () => {
    const table = new ObjectTable<string>();
    table.reserve(idOf(0, 1));
    table.release(idOf(0, 1));
    table.reserve(idOf(0, 2));
    table.fulfil(idOf(0, 1), BUFFER, 'late');
    expect([table.get(idOf(0, 1), ANY), table.get(idOf(0, 2), ANY), table.count]).toEqual([undefined, undefined, 1]);
  });
});
