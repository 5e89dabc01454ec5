import { FIRST_ANSWERS, PROGRAM_REQUESTS, replayHost } from '@vesper-gpu/cli';
import { hostHello } from '@vesper-gpu/host';
import { DEFAULT_HOST_LIMITS, encodeHello } from '@vesper-gpu/wire';
import { NullGpu } from '../hostile/null-gpu.ts';
import { commands, events, type CommandSchema, type TypeSchema } from '../wire/schema.ts';
import { REASONS } from './reasons.ts';
import type { Finding, Mode, Stream } from './mode.ts';
import { mutate, type Sample } from './mutate.ts';
import { Random } from './random.ts';
import { MAX_WORDS, RecordWriter } from './records.ts';

const FAILURE: TypeSchema = { kind: 'dictionary', name: 'VesperFailure' };
const HOST_HELLO = encodeHello(hostHello(new NullGpu().api, DEFAULT_HOST_LIMITS, 'fuzz'));
const DEVICE_ID = 1 | (1 << 22);

const byName = new Map(commands.map((command) => [command.name, command]));

/** Hosts that mean harm, an execution a session, against the guest's library with a program that has asked for everything. */
export class GuestMode implements Mode {
  readonly name = 'guest';
  readonly unit = 'sessions';
  executions = 0;
  readonly verdicts = new Map<string, number>();
  readonly #seed: number;
  readonly #words = new Int32Array(2 * MAX_WORDS);
  readonly #treatAsFinding: string | undefined;
  #rejection: string | undefined;
  readonly #onRejection = (error: unknown): void => {
    this.#rejection ??= `an unhandled rejection: ${String((error as Error).stack ?? error)}`;
  };

  constructor(seed: number, treatAsFinding?: string) {
    this.#seed = seed;
    this.#treatAsFinding = treatAsFinding;
    process.on('unhandledRejection', this.#onRejection);
  }

  async run(): Promise<Finding | undefined> {
    const random = new Random(this.#seed, 5, this.executions);
    const stream = this.#stream(random);
    const { isContained, message } = await quietly(() => replayHost(stream));
    const rule = /: ([a-z-]+): /.exec(message)?.[1] ?? '';
    const verdict = REASONS.has(rule) ? rule : 'ended';
    this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1);
    const wrong = isContained ? this.#rejection : message;
    const found = wrong ?? (verdict === this.#treatAsFinding ? `refused: ${message}` : undefined);
    if (found !== undefined) return { mode: this.name, execution: this.executions, what: found, stream };
    this.executions++;
    return undefined;
  }

  /** A host's hello, its first answers, mostly right, and then anything. */
  #stream(random: Random): Stream {
    const talk = new HostTalk();
    talk.say(this.#harmedHello(random));
    talk.wait();
    const open = new Set(PROGRAM_REQUESTS.map((_, index) => index + 1));
    for (let request = 1; request <= FIRST_ANSWERS; request++) {
      open.delete(request);
      if (random.oneIn(30)) talk.say(frame([this.#answer(request, random, random.oneIn(2))], random));
      else talk.say(frame([goodAnswer(request, random)]));
      talk.wait();
    }
    for (let left = 1 + random.below(8); left > 0; left--) {
      const records: Int32Array[] = [];
      for (let more = 1 + random.below(3); more > 0; more--) {
        const request = random.oneIn(6) || open.size === 0 ? random.below(14) : random.pick([...open]);
        open.delete(request);
        records.push(random.oneIn(3) ? this.#event(random) : this.#answer(request, random, random.oneIn(2)));
      }
      talk.say(frame(records, random));
      if (random.oneIn(2)) talk.wait();
    }
    return talk.stream;
  }

  #harmedHello(random: Random): Uint8Array {
    if (!random.oneIn(16)) return HOST_HELLO;
    const bytes = HOST_HELLO.slice();
    for (let left = 1 + random.below(4); left > 0; left--) bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  }

  #answer(request: number, random: Random, isHarmed: boolean): Int32Array {
    const { opcode, reply } = requestOf(request, random);
    const writer = writerOf(random);
    const isFailed = random.oneIn(3);
    writer.reply(opcode, request, isFailed ? 1 : 0, isFailed ? FAILURE : reply);
    return this.#perhapsHarmed(writer, random, isHarmed);
  }

  #event(random: Random): Int32Array {
    const writer = writerOf(random);
    writer.event(random.pick(events));
    return this.#perhapsHarmed(writer, random, random.oneIn(3));
  }

  #perhapsHarmed(writer: RecordWriter, random: Random, isHarmed: boolean): Int32Array {
    const words = writer.words.slice(0, writer.length);
    if (!isHarmed) return words;
    const sample: Sample = { words, roles: writer.roles };
    const length = mutate(this.#words, [sample], sample, random, () => random.word());
    return this.#words.slice(0, length);
  }

  async close(): Promise<void> {
    process.off('unhandledRejection', this.#onRejection);
  }
}

/** What a host says, and where it waits. */
class HostTalk {
  readonly #chunks: Uint8Array[] = [];
  readonly #waits: [number, number][] = [];
  #byteLength = 0;

  say(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#byteLength += bytes.byteLength;
  }

  wait(): void {
    this.#waits.push([this.#byteLength, this.#waits.length + 1]);
  }

  get stream(): Stream {
    return { from: 'host', bytes: Buffer.concat(this.#chunks), waits: this.#waits };
  }
}

/** The stream of a host whose answers are right until the program has asked for everything, and that then says `record`. */
export function afterFirstAnswers(record: Uint8Array): Stream {
  const random = new Random(0);
  const talk = new HostTalk();
  talk.say(HOST_HELLO);
  talk.wait();
  for (let request = 1; request <= FIRST_ANSWERS; request++) {
    talk.say(frame([goodAnswer(request, random)]));
    talk.wait();
  }
  talk.say(frame([new Int32Array(Uint8Array.from(record).buffer)]));
  return talk.stream;
}

/** The number under which the program asks what has this opcode, last; 0 for what it does not ask. */
export function requestNumberOf(opcode: number): number {
  return 1 + PROGRAM_REQUESTS.findLastIndex((name) => byName.get(name)!.opcode === opcode);
}

function requestOf(request: number, random: Random): CommandSchema & { reply: TypeSchema } {
  const name = PROGRAM_REQUESTS[request - 1] ?? random.pick(PROGRAM_REQUESTS);
  return byName.get(name) as CommandSchema & { reply: TypeSchema };
}

/** An answer that is well-formed, and says that there is an adapter, which a reply's presence mask tells. */
function goodAnswer(request: number, random: Random): Int32Array {
  const { opcode, reply, name } = requestOf(request, random);
  const writer = writerOf(random);
  const isGood = (): boolean => name !== 'GPU.requestAdapter' || writer.words[3] !== 0;
  do writer.reply(opcode, request, 0, reply);
  while (!isGood());
  return writer.words.slice(0, writer.length);
}

function writerOf(random: Random): RecordWriter {
  return new RecordWriter(random, () => (random.oneIn(4) ? random.word() : DEVICE_ID));
}

/** @param random where the frame's length may be a lie. */
function frame(records: readonly Int32Array[], random?: Random): Uint8Array {
  const words = new Int32Array(records.reduce((sum, record) => sum + record.length, 1));
  words[0] = random?.oneIn(40) ? random.pick([0, 2, 4, -1, words.byteLength + 8]) : words.byteLength;
  let at = 1;
  for (const record of records) {
    words.set(record, at);
    at += record.length;
  }
  return new Uint8Array(words.buffer);
}

/** An uncaptured error that nobody listens to is a line on the console. */
async function quietly<T>(act: () => Promise<T>): Promise<T> {
  const { warn, error } = console;
  console.warn = console.error = () => {};
  try {
    return await act();
  } finally {
    console.warn = warn;
    console.error = error;
  }
}
