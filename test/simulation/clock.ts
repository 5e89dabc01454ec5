/** Who runs: the guest or the host of a connection. Each has an event loop of its own, as two processes have. */
export type Actor = number;

interface Timer {
  id: number;
  atMs: number;
  actor: Actor;
  run(): void;
}

/** What is taken over while a simulation runs. */
type Name = 'setImmediate' | 'setTimeout' | 'clearTimeout' | 'FinalizationRegistry' | 'performance';

/** Time, tasks and the collector of garbage, as the simulation has them. Promise reactions run as they do. */
export class Clock {
  nowMs = 0;
  /** Whoever runs now: what is scheduled is its own. */
  actor: Actor = 0;
  readonly #tasks = new Map<Actor, (() => void)[]>();
  #timers: Timer[] = [];
  #nextTimer = 1;
  /** Objects that a program dropped, which may be collected at any time from now on. */
  readonly #garbage: (() => void)[] = [];
  readonly #finalizers = new Map<object, { actor: Actor; run: () => void }[]>();
  readonly #realImmediate = setImmediate;

  /** Takes over. @returns gives everything back. */
  install(): () => void {
    const taken: Record<Name, unknown> = {
      setImmediate: (run: () => void) => this.#task(run),
      setTimeout: (run: () => void, ms: number) => this.#timer(run, ms),
      clearTimeout: (id: number) => void (this.#timers = this.#timers.filter((timer) => timer.id !== id)),
      FinalizationRegistry: registryOf((holder, run) => this.#watch(holder, run)),
      performance: { now: () => this.nowMs },
    };
    const kept = Object.keys(taken).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)!] as const);
    for (const [name, value] of Object.entries(taken))
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    return () => {
      for (const [name, descriptor] of kept) Object.defineProperty(globalThis, name, descriptor);
    };
  }

  #watch(holder: object, run: () => void): void {
    const known = this.#finalizers.get(holder) ?? [];
    known.push({ actor: this.actor, run });
    this.#finalizers.set(holder, known);
  }

  #task(run: () => void): void {
    const waiting = this.#tasks.get(this.actor) ?? [];
    waiting.push(run);
    this.#tasks.set(this.actor, waiting);
  }

  #timer(run: () => void, ms = 0): number {
    const id = this.#nextTimer++;
    this.#timers.push({ id, atMs: this.nowMs + ms, actor: this.actor, run });
    return id;
  }

  /** Actors that have a task to run. */
  get busy(): Actor[] {
    return [...this.#tasks].filter(([, waiting]) => waiting.length > 0).map(([actor]) => actor);
  }

  /** Runs the oldest task of an actor. */
  runTask(actor: Actor): void {
    this.as(actor, this.#tasks.get(actor)!.shift()!);
  }

  as(actor: Actor, run: () => void): void {
    this.actor = actor;
    run();
  }

  /** Lets time pass, and what it brings about happen. */
  async advance(ms: number): Promise<void> {
    this.nowMs += ms;
    for (;;) {
      const due = this.#timers.find((timer) => timer.atMs <= this.nowMs);
      if (due === undefined) return;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.as(due.actor, due.run);
      await this.settle();
    }
  }

  /** The program holds `holder` no longer. */
  drop(holder: object): void {
    for (const { actor, run } of this.#finalizers.get(holder) ?? []) this.#garbage.push(() => this.as(actor, run));
    this.#finalizers.delete(holder);
  }

  get garbageCount(): number {
    return this.#garbage.length;
  }

  /** The collector finds one of the objects that were dropped. */
  collect(index: number): void {
    const [run] = this.#garbage.splice(index, 1);
    run!();
  }

  /** Lets all promise reactions run. */
  settle(): Promise<void> {
    return new Promise((resolve) => this.#realImmediate(resolve));
  }
}

/** A FinalizationRegistry that says whom it watches, and leaves it to others when somebody is collected. */
function registryOf(watch: (holder: object, run: () => void) => void): object {
  return class<T> {
    readonly #run: (held: T) => void;

    constructor(run: (held: T) => void) {
      this.#run = run;
    }

    register(holder: object, held: T): void {
      watch(holder, () => this.#run(held));
    }
  };
}
