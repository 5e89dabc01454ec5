import type { ServeOptions } from '@vesper-gpu/host';
import { encodeHello } from '@vesper-gpu/wire';
import { PROTOCOL } from '@vesper-gpu/protocol/guest';
import { commands } from '../wire/schema.ts';
import { HELLO } from './hello.ts';
import { HostSession } from './host-session.ts';
import type { Finding, Mode } from './mode.ts';
import { mutate, type Sample } from './mutate.ts';
import { Random } from './random.ts';
import { MAX_WORDS, RecordWriter } from './records.ts';
import { SequenceMaker } from './sequence.ts';

/** Frames that one session is sent at most, unless it ends before. */
const SESSION_FRAMES = 12;
/** Ids that the records name: those of the first objects of a session, which it has in the beginning. */
const IDS = 40;

const idAt = (slot: number, generation = 1): number => slot | (generation << 22);

/**
 * Whole streams, an execution a frame, in chunks of any size: hellos, frames that lie about their length, bulk data, and
 * harmed records in them, against a session that has some objects.
 */
export class FramesMode implements Mode {
  readonly name = 'frames';
  readonly unit = 'frames';
  executions = 0;
  readonly verdicts = new Map<string, number>();
  readonly #seed: number;
  readonly #serve: () => ServeOptions;
  readonly #treatAsFinding: string | undefined;
  readonly #words = new Int32Array(2 * MAX_WORDS);
  #session = 0;

  constructor(seed: number, serve: () => ServeOptions, treatAsFinding?: string) {
    this.#seed = seed;
    this.#serve = serve;
    this.#treatAsFinding = treatAsFinding;
  }

  async run(most: number): Promise<Finding | undefined> {
    const number = this.#session++;
    const random = new Random(this.#seed, 4, number);
    const session = new HostSession(this.#serve(), this.#hello(random));
    const before = this.executions;
    const wrong = (await this.#attack(session, random, most)) ?? this.#count(session) ?? (await session.leave());
    if (wrong === undefined) return undefined;
    return { mode: this.name, execution: before, what: wrong, stream: session.stream };
  }

  #count({ end }: HostSession): string | undefined {
    const rule = (end?.error as { reason?: string } | undefined)?.reason;
    const verdict = end === undefined ? 'alive' : (rule ?? end.reason);
    this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1);
    return verdict === this.#treatAsFinding ? `refused: ${end!.message}` : undefined;
  }

  async #attack(session: HostSession, random: Random, most: number): Promise<string | undefined> {
    const maker = new SequenceMaker({ isReal: false, wildOneIn: 1 });
    for (const step of maker.begin()) {
      const wrong = await session.step(step);
      if (wrong !== undefined || session.end !== undefined) {
        this.executions++;
        return wrong;
      }
    }
    const pool = this.#pool(random);
    for (let left = Math.min(most, SESSION_FRAMES); left > 0 && session.end === undefined; left--) {
      this.executions++;
      // A good frame now and then, so that there are objects.
      const bytes = random.oneIn(3) ? this.#good(maker, random) : this.#frame(pool, random);
      const wrong = await this.#send(session, bytes, random);
      if (wrong !== undefined) return wrong;
    }
    return session.settle();
  }

  #good(maker: SequenceMaker, random: Random): Uint8Array {
    return Buffer.concat(
      maker
        .next(random)
        .slice(0, 4)
        .map((step) => step.bytes),
    );
  }

  async #send(session: HostSession, bytes: Uint8Array, random: Random): Promise<string | undefined> {
    for (let at = 0; at < bytes.byteLength && session.end === undefined;) {
      const size = random.oneIn(2) ? bytes.byteLength : 1 + random.below(random.oneIn(2) ? 8 : 200);
      const wrong = await session.step({ bytes: Uint8Array.from(bytes.subarray(at, at + size)), replies: undefined });
      if (wrong !== undefined) return wrong;
      at += size;
    }
    return undefined;
  }

  #hello(random: Random): Uint8Array {
    if (!random.oneIn(8)) return HELLO;
    if (random.oneIn(3)) {
      const text = (): string => random.pick(['', 'x'.repeat(300), '\u0000\n', '9'.repeat(30), '-1', '1e3']);
      const number = (): number => random.pick([-1, NaN, 2 ** 60, 0.5, 0, 1]);
      const limits = { maxFrameBytes: number(), maxStringBytes: number(), maxBulkBytes: number() };
      return encodeHello(
        { ...PROTOCOL, agent: text(), schemaHash: text(), idlRevision: text(), limits },
        random.below(3),
      );
    }
    const bytes = HELLO.slice(0, random.oneIn(3) ? random.below(HELLO.length) : HELLO.length);
    for (let left = 1 + random.below(4); left > 0 && bytes.length > 0; left--)
      bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  }

  #pool(random: Random): Sample[] {
    const writer = new RecordWriter(random, () => idAt(random.below(IDS), 1 + random.below(2)));
    return Array.from({ length: 6 }, () => {
      writer.command(random.pick(commands), () => idAt(3 + random.below(IDS)));
      return { words: writer.words.slice(0, writer.length), roles: writer.roles.slice(0, writer.length) };
    });
  }

  /** A frame of a few records, some harmed, some of bulk data; its length is mostly true. */
  #frame(pool: readonly Sample[], random: Random): Uint8Array {
    const records: number[] = [0];
    for (let left = 1 + random.below(4); left > 0; left--) {
      if (random.oneIn(5)) records.push(...bulk(random));
      const bad = (): number => idAt(random.below(IDS), random.below(4));
      const length = mutate(this.#words, pool, random.pick(pool), random, bad);
      records.push(...this.#words.subarray(0, length));
    }
    const words = Int32Array.from(records);
    words[0] = random.oneIn(12)
      ? random.pick([0, 1, 3, 4, 5, words.byteLength - 4, words.byteLength + 4, -1, 0x7fff_fffc, 1 << 24])
      : words.byteLength;
    return new Uint8Array(words.buffer);
  }
}

/** An announcement of bulk data and a chunk, which may or may not be what was announced. */
function bulk(random: Random): number[] {
  const size = random.oneIn(6) ? random.word() : random.below(40);
  const chunk = random.oneIn(3) ? random.below(40) : size & 0xff;
  const words = Math.ceil(chunk / 4);
  return [1 | (2 << 16), size, 2 | ((2 + words) << 16), chunk, ...Array.from({ length: words }, () => 0)];
}
