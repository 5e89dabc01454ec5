import { FrameReader, type BulkSink } from '@vesper-gpu/wire';
import type { Flow } from './flow.ts';

/** How long, in milliseconds, the records of a frame are executed in one turn. */
const TURN_MS = 50;

/** Executes the records of frames, one frame at a time. */
export interface FrameExecutor {
  /** A frame has come, and nothing of the last one is left. What it is given is its own until its end. */
  open(records: Uint8Array<ArrayBuffer>): void;
  /**
   * Executes records of the frame that is open, until it ends, the flow is held, or the time is over.
   * @param endsMs by `performance.now()`
   * @returns whether the frame has ended
   */
  run(endsMs: number): boolean;
  /** A frame is one record of bulk data, which is handed on as it comes. */
  readonly bulk: Omit<BulkSink, 'end'>;
}

/**
 * What comes from a guest, up to its records: cuts frames out of it, and has them executed one after the other while
 * nothing holds the flow. What takes long is done in turns, between which timers run and the guest's end is heard.
 */
export class GuestStream {
  /** How long, in milliseconds, the records of a frame are executed in one turn. */
  turnMs = TURN_MS;
  readonly #frames: FrameReader;
  readonly #flow: Flow;
  readonly #executor: FrameExecutor;
  /** What came while nothing was to be executed. */
  #kept: Uint8Array[] = [];
  /** The frame that is open. */
  #records: Uint8Array<ArrayBuffer> | undefined;
  #isOver = false;

  constructor(maxFrameBytes: number, flow: Flow, executor: FrameExecutor) {
    this.#frames = new FrameReader(maxFrameBytes, {
      begin: () => executor.bulk.begin(),
      data: (data) => executor.bulk.data(data),
      room: (byteLength) => executor.bulk.room?.(byteLength),
      isUnfinished: () => executor.bulk.isUnfinished?.() ?? false,
      end: () => !this.#isOver && !flow.isHeld,
    });
    this.#flow = flow;
    this.#executor = executor;
  }

  /** Whether the stream stands within a frame. */
  get isWithinFrame(): boolean {
    return this.#frames.isWithinFrame;
  }

  /** See `TransportHandlers.room`: not where something is kept, which belongs before what comes next. */
  get room(): Uint8Array<ArrayBuffer> | undefined {
    const goesOn = !this.#isOver && !this.#flow.isHeld && this.#kept.length === 0 && this.#records === undefined;
    return goesOn ? this.#frames.room : undefined;
  }

  /** Takes received bytes. @throws what the executor does, and ProtocolError for what is no frame. */
  receive(chunk: Uint8Array): void {
    if (this.#flow.isHeld) this.#kept.push(new Uint8Array(chunk));
    else this.#take(chunk);
  }

  /** Goes on with the frame that had to wait, and with what was kept behind it. To be called when the flow is free. */
  goOn(): void {
    if (this.#records !== undefined && !this.#isOver) this.#run(this.#records);
    while (this.#kept.length > 0 && !this.#flow.isHeld && !this.#isOver) {
      const [chunk] = this.#kept.splice(0, 1);
      const behind = this.#kept;
      this.#kept = [];
      this.#take(chunk!);
      this.#kept.push(...behind);
    }
  }

  /** Nothing is executed any more. */
  stop(): void {
    this.#isOver = true;
    this.#kept = [];
  }

  /** Executes the frames that end in `chunk`, until there is a reason to wait. */
  #take(chunk: Uint8Array): void {
    const rest = this.#frames.push(chunk, (records) => {
      this.#executor.open(records);
      this.#run(records);
      return !this.#isOver && !this.#flow.isHeld;
    });
    if (rest !== undefined && rest.byteLength > 0 && !this.#isOver) this.#kept.push(new Uint8Array(rest));
  }

  #run(records: Uint8Array<ArrayBuffer>): void {
    const hasEnded = this.#executor.run(performance.now() + this.turnMs);
    this.#records = hasEnded ? undefined : records;
    if (hasEnded) this.#frames.reuse(records);
    if (hasEnded || this.#flow.isHeld || this.#isOver) return;
    this.#flow.hold('turn');
    setTimeout(() => this.#flow.release('turn'), 0);
  }
}
