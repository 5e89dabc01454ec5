/**
 * An average rate that may be exceeded for a second: what is spent beyond it is owed, and paid back by waiting.
 * https://en.wikipedia.org/wiki/Token_bucket
 */
export class TokenBucket {
  #perMs!: number;
  #capacity!: number;
  #tokens: number;
  #lastMs: number;

  /** @param perSecond units that may be spent in each second; as many may be saved up. */
  constructor(perSecond: number, nowMs: number) {
    this.#tokens = perSecond;
    this.#lastMs = nowMs;
    this.setRate(perSecond);
  }

  /** From now on, it is another rate. */
  setRate(perSecond: number): void {
    this.#perMs = perSecond / 1000;
    this.#capacity = perSecond;
  }

  /** Spends, into debt if there is not enough. @returns how long to wait, in milliseconds, until nothing is owed. */
  spend(amount: number, nowMs: number): number {
    this.#fill(nowMs);
    this.#tokens -= amount;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs;
  }

  /** Spends if there is enough. @returns whether there was. */
  trySpend(amount: number, nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#tokens < amount) return false;
    this.#tokens -= amount;
    return true;
  }

  #fill(nowMs: number): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + Math.max(0, nowMs - this.#lastMs) * this.#perMs);
    this.#lastMs = nowMs;
  }
}
