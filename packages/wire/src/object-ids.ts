import { ProtocolError } from './errors.ts';

/**
 * An object id is one word: the slot in the low 22 bits, its generation (1 to 1023) in the high 10. 0 is null.
 * A slot is used again with the next generation, and never after its last, so no id ever means two objects.
 */
const SLOT_BITS = 22;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const MAX_GENERATION = (1 << (32 - SLOT_BITS)) - 1;

/** Where an id stands in the host's table: 0 to 2²² − 1. */
export function slotOf(id: number): number {
  return id & SLOT_MASK;
}

/** How often the slot has been used, this time included: 1 to 1023. */
export function generationOf(id: number): number {
  return id >>> SLOT_BITS;
}

/** Type of an id that waits for its object; no interface has this number, so no mask of interfaces holds it. */
const RESERVED = 31;
const TYPE_BITS = 5;
const TYPE_MASK = (1 << TYPE_BITS) - 1;

/** Allocates object ids on the guest. */
export class ObjectIds {
  /** Ids that were released, each already with its next generation. */
  readonly #free: number[] = [];
  #nextSlot = 0;
  #last = 0;

  /** The id of a new object; it must be written before the next one is allocated. @throws RangeError when every slot is taken. */
  allocate(): number {
    const id = this.#free.pop();
    if (id !== undefined) return (this.#last = id);
    if (this.#nextSlot > SLOT_MASK) throw new RangeError('Vesper: more than 4,194,304 objects live at once');
    return (this.#last = (this.#nextSlot++ | (1 << SLOT_BITS)) >>> 0);
  }

  /** The id that was allocated last has not been written after all: the next object gets it. */
  takeBack(): void {
    this.#free.push(this.#last);
  }

  /** To be called once the record that releases `id` has been written. */
  free(id: number): void {
    const generation = generationOf(id);
    if (generation < MAX_GENERATION) this.#free.push((slotOf(id) | ((generation + 1) << SLOT_BITS)) >>> 0);
  }
}

/**
 * The host's side: what each id stands for. The slot, the generation and the type of an id are checked at every use.
 * Types are the schema's interface numbers, 1 to 30; 0 marks a free slot.
 */
export class ObjectTable<T> {
  readonly #objects: (T | undefined)[] = [];
  /** By slot, the generation and, in the low bits, the type: one look for both, as each command has ids. */
  readonly #tags: number[] = [];
  readonly #maxObjects: number;
  #count = 0;

  constructor(maxObjects = SLOT_MASK + 1) {
    this.#maxObjects = maxObjects;
  }

  /** How many ids are bound. */
  get count(): number {
    return this.#count;
  }

  /** Binds a new id. Slots are taken in order, so that a hostile id cannot make the table large. */
  bind(id: number, type: number, object: T): void {
    this.reserve(id);
    this.fulfil(id, type, object);
  }

  /** Takes a new id for an object that does not exist yet: until `fulfil`, it can only be released. */
  reserve(id: number): void {
    const slot = slotOf(id);
    const generation = generationOf(id);
    if (slot > this.#tags.length || generation === 0) throw new ProtocolError('bad-id', `id ${id} was never allocated`);
    if (slot === this.#tags.length) {
      if (slot >= this.#maxObjects) throw new ProtocolError('limit', `more than ${this.#maxObjects} objects`);
      this.#tags.push(0);
      this.#objects.push(undefined);
    }
    const tag = this.#tags[slot]!;
    if ((tag & TYPE_MASK) !== 0) throw new ProtocolError('bad-id', `id ${id} is in use`);
    if (generation <= tag >>> TYPE_BITS) throw new ProtocolError('bad-id', `id ${id} is of the past`);
    this.#tags[slot] = (generation << TYPE_BITS) | RESERVED;
    this.#count++;
  }

  /** Gives a reserved id its object. @returns false when the id was released in the meantime: nothing is bound. */
  fulfil(id: number, type: number, object: T): boolean {
    if (this.typeOf(id) !== RESERVED) return false;
    const slot = slotOf(id);
    this.#tags[slot] = (generationOf(id) << TYPE_BITS) | type;
    this.#objects[slot] = object;
    return true;
  }

  /** The interface number of a live id, 31 while it waits for its object, or 0. */
  typeOf(id: number): number {
    const tag = this.#tags[slotOf(id)];
    return tag !== undefined && tag >>> TYPE_BITS === generationOf(id) ? tag & TYPE_MASK : 0;
  }

  /** What a live id stands for if the bit of its interface is set in `types`; undefined for any other id. */
  get(id: number, types: number): T | undefined {
    return (types >>> this.typeOf(id)) & 1 ? this.#objects[slotOf(id)] : undefined;
  }

  /** What an id stands for that `get` has just found: nothing is checked again. */
  bound(id: number): T {
    return this.#objects[slotOf(id)]!;
  }

  /** Unbinds a live id. @returns what it stood for; undefined when it waited for its object. */
  release(id: number): T | undefined {
    if (this.typeOf(id) === 0) throw new ProtocolError('bad-id', `id ${id} is not bound`);
    const slot = slotOf(id);
    const object = this.#objects[slot];
    this.#tags[slot] = generationOf(id) << TYPE_BITS;
    this.#objects[slot] = undefined;
    this.#count--;
    return object;
  }

  /** Lets other objects take the place of those in some slots. @param choose undefined leaves a slot as it is. */
  replace(choose: (slot: number, type: number) => T | undefined): void {
    for (let slot = 0; slot < this.#tags.length; slot++) {
      const type = this.#tags[slot]! & TYPE_MASK;
      if (type === 0 || type === RESERVED) continue;
      const object = choose(slot, type);
      if (object !== undefined) this.#objects[slot] = object;
    }
  }
}
