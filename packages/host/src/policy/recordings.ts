/**
 * What encoders have recorded keeps objects alive that nobody looks into: a texture whose id is released is still there
 * for a command buffer that draws to it. So what is released while anything is being recorded waits for the end of all
 * recordings that had begun by then: a command buffer's is its submit, a render bundle's the release of its id.
 */
export class Recordings {
  /** How many recordings go on, by the time when they began; in that order. */
  readonly #live = new Map<number, number>();
  readonly #beganAt = new WeakMap<object, number>();
  readonly #waiting: { time: number; act: () => void }[] = [];
  #time = 0;

  /** An encoder begins. */
  begin(encoder: object): void {
    this.#set(encoder, ++this.#time);
  }

  /** What was recorded by one object is another's now: a command buffer's, a render bundle's. */
  move(from: object, to: object): void {
    const time = this.#beganAt.get(from);
    if (time === undefined) return;
    this.#set(to, time);
    this.end(from);
  }

  /** What was recorded is of no use any more; does nothing to an object that has recorded nothing. */
  end(recording: object): void {
    const time = this.#beganAt.get(recording);
    if (time === undefined) return;
    this.#beganAt.delete(recording);
    const left = this.#live.get(time)! - 1;
    if (left > 0) this.#live.set(time, left);
    else this.#live.delete(time);
    this.#actIfDue();
  }

  /** Calls `act` once nothing is going on that had begun by now. */
  afterwards(act: () => void): void {
    if (this.#live.size === 0) act();
    else this.#waiting.push({ time: this.#time, act });
  }

  #set(recording: object, time: number): void {
    this.#beganAt.set(recording, time);
    this.#live.set(time, (this.#live.get(time) ?? 0) + 1);
  }

  #actIfDue(): void {
    const [oldest = Infinity] = this.#live.keys();
    let count = 0;
    while (count < this.#waiting.length && this.#waiting[count]!.time < oldest) count++;
    for (const { act } of this.#waiting.splice(0, count)) act();
  }
}
