/** Something that is released, and may still be needed by what was recorded. */
interface Waiting {
  /** When it was made, and when it was released. */
  readonly madeAt: number;
  readonly releasedAt: number;
  readonly act: () => void;
}

/**
 * What encoders have recorded keeps objects alive that nobody looks into: a texture whose id is released is still there
 * for a command buffer that draws to it. So what is released waits for the end of every recording that may know it:
 * of encoders and command buffers those that had begun by then, which live shortly, until their submit; of render
 * bundles, which may live for ever, those that were finished after it was made.
 */
export class Recordings {
  /** Encoders and command buffers that live: how many there are, by the time when they began; in that order. */
  readonly #live = new Map<number, number>();
  readonly #beganAt = new WeakMap<object, number>();
  /** Render bundles that live: how many there are, by the time when they were finished; in that order. */
  readonly #bundles = new Map<number, number>();
  readonly #finishedAt = new WeakMap<object, number>();
  /** In the order of their release. */
  readonly #forEncoders: Waiting[] = [];
  #forBundles: Waiting[] = [];
  #time = 0;

  /** A time later than all before: for `madeAt`. */
  now(): number {
    return ++this.#time;
  }

  /** An encoder begins. */
  begin(encoder: object): void {
    this.#beginAt(encoder, this.now());
  }

  /** What was recorded by an encoder is a command buffer's now. */
  move(from: object, to: object): void {
    const time = this.#beganAt.get(from);
    if (time === undefined) return;
    this.#beginAt(to, time);
    this.end(from);
  }

  /** What was recorded by an encoder is a render bundle's now. */
  moveToBundle(from: object, bundle: object): void {
    if (!this.#beganAt.has(from)) return;
    const time = this.now();
    this.#finishedAt.set(bundle, time);
    count(this.#bundles, time, 1);
    this.end(from);
  }

  /** Whether it is an encoder or command buffer of which a recording goes on. */
  isEncoding(object: object): boolean {
    return this.#beganAt.has(object);
  }

  /** What was recorded is of no use any more; does nothing to an object that has recorded nothing. */
  end(recording: object): void {
    const beganAt = this.#beganAt.get(recording);
    if (beganAt !== undefined) {
      this.#beganAt.delete(recording);
      count(this.#live, beganAt, -1);
      this.#encoderEnded();
    }
    const finishedAt = this.#finishedAt.get(recording);
    if (finishedAt === undefined) return;
    this.#finishedAt.delete(recording);
    count(this.#bundles, finishedAt, -1);
    const waiting = this.#forBundles;
    this.#forBundles = [];
    for (const one of waiting) this.#waitForBundles(one);
  }

  /** The guest has let go of a render bundle, which a command buffer may still execute. */
  endBundle(bundle: object): void {
    if (this.#finishedAt.has(bundle)) this.afterwards(Infinity, () => this.end(bundle));
  }

  /** Calls `act` once no recording goes on that may know what was made at `madeAt` and is released now. */
  afterwards(madeAt: number, act: () => void): void {
    const waiting = { madeAt, releasedAt: this.#time, act };
    if (this.#live.size === 0) this.#waitForBundles(waiting);
    else this.#forEncoders.push(waiting);
  }

  #beginAt(recording: object, time: number): void {
    this.#beganAt.set(recording, time);
    count(this.#live, time, 1);
  }

  #encoderEnded(): void {
    const [oldest = Infinity] = this.#live.keys();
    let ready = 0;
    while (ready < this.#forEncoders.length && this.#forEncoders[ready]!.releasedAt < oldest) ready++;
    if (ready > 0) for (const one of this.#forEncoders.splice(0, ready)) this.#waitForBundles(one);
  }

  #waitForBundles(waiting: Waiting): void {
    let latest = 0;
    for (const finishedAt of this.#bundles.keys()) latest = Math.max(latest, finishedAt);
    if (waiting.madeAt > latest) waiting.act();
    else this.#forBundles.push(waiting);
  }
}

/** Counts up or down; a count of 0 is no entry. */
function count(counts: Map<number, number>, key: number, change: 1 | -1): void {
  const now = (counts.get(key) ?? 0) + change;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}
