interface Account {
  bytes: number;
  /** What still needs the memory: the object itself, until it is released, and its references. */
  holders: number;
  isReleased: boolean;
}

/**
 * What a guest's objects occupy, against a limit. An object is charged before it is created, and released when it is
 * destroyed or when the guest has let go of its id.
 *
 * Memory outlives an id: a texture lives on while a view of it is bound, and a bind group holds the buffers that it
 * binds. Who creates such an object adds a reference to what it is made of, and drops it when the id of the new one is
 * released; the charge ends with the last holder. `destroy` frees memory at once, whoever refers to it: `free` is for that.
 *
 * Sizes are what `texture-size.ts` gives: whole numbers up to 2⁵³, so that sums below the limit are exact.
 */
export class MemoryLedger {
  #limitBytes: number;
  #usedBytes = 0;
  #peakBytes = 0;
  // Not weak: what is charged must stay charged until it is released, and a collected object was released by its id.
  readonly #accounts = new Map<object, Account>();

  readonly #freed: ((object: object) => void) | undefined;
  readonly #unneeded: (object: object) => void;

  /**
   * @param limitBytes at most 2⁵³; Infinity where there is no limit.
   * @param freed called with an object that is charged no longer.
   * @param unneeded called with an object that is released and has no reference left: it is to call `free`, now or later.
   */
  constructor(limitBytes: number, freed?: (object: object) => void, unneeded?: (object: object) => void) {
    this.#limitBytes = limitBytes;
    this.#freed = freed;
    this.#unneeded = unneeded ?? ((object) => this.free(object));
  }

  /** What may be charged in all, in bytes. */
  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** What is charged now, in bytes. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The most that was ever charged at once, in bytes. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** From now on, so much may be charged in all; what is charged already stays. */
  setLimit(bytes: number): void {
    this.#limitBytes = bytes;
  }

  /** Whether so much could be charged. */
  fits(bytes: number): boolean {
    // This way round, NaN does not fit either.
    return bytes <= this.#limitBytes - this.#usedBytes;
  }

  /**
   * Charges an object. Charged again, it is charged the sum, as one that has grown.
   * @returns false, with nothing changed, where it does not fit.
   */
  charge(object: object, bytes: number): boolean {
    if (!this.fits(bytes)) return false;
    const account = this.#accounts.get(object);
    if (account === undefined) this.#accounts.set(object, { bytes, holders: 1, isReleased: false });
    else account.bytes += bytes;
    this.#usedBytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#usedBytes);
    return true;
  }

  /** Another object keeps `object` alive. Nothing happens to an object that is not charged. */
  addReference(object: object): void {
    const account = this.#accounts.get(object);
    if (account !== undefined) account.holders++;
  }

  /** Undoes one `addReference`. */
  dropReference(object: object): void {
    const account = this.#accounts.get(object);
    if (account !== undefined && account.holders > (account.isReleased ? 0 : 1)) this.#letGo(object, account);
  }

  /** The guest's id of `object` is released; a second time changes nothing. */
  release(object: object): void {
    const account = this.#accounts.get(object);
    if (account === undefined || account.isReleased) return;
    account.isReleased = true;
    this.#letGo(object, account);
  }

  #letGo(object: object, account: Account): void {
    if (--account.holders === 0) this.#unneeded(object);
  }

  /** The memory of `object` is gone, whoever still refers to it; a second time changes nothing. */
  free(object: object): void {
    const account = this.#accounts.get(object);
    if (account === undefined) return;
    this.#accounts.delete(object);
    this.#usedBytes -= account.bytes;
    this.#freed?.(object);
  }
}
