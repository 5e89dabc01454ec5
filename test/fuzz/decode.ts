import * as guest from '@vesper-gpu/protocol/guest';
import { decoders, type Handlers } from '@vesper-gpu/protocol/host';
import { BulkQueue, ObjectTable, ProtocolError, WireReader, type HostSession } from '@vesper-gpu/wire';
import { commands, events, handlerOf, interfaceNumbers, type CommandSchema, type TypeSchema } from '../wire/schema.ts';
import { argumentCheck, bulkBlock, checkOf, NotConforming, StandIn } from './conforms.ts';
import type { Finding, Mode } from './mode.ts';
import { mutate, type Sample } from './mutate.ts';
import { Random } from './random.ts';
import { REASONS } from './reasons.ts';
import { hostReproducer, guestReproducer } from './reproducers.ts';
import { SequenceMaker } from './sequence.ts';
import { MAX_WORDS, RecordWriter } from './records.ts';

/** Records that are mutated again and again, and how often before new ones take their place. */
const POOL_RECORDS = 160;
export const BATCH_EXECUTIONS = 4096;
/** What a decoded value may be larger than its record, in members and items a word: an object of n members needs none. */
const MAX_SIZE_A_WORD = 24;
/** One execution in so many has its values checked against the schema. */
const CHECK_EVERY = 8;
/** Milliseconds that one record may take, when it is tried by itself. */
const MAX_RECORD_MS = 500;
/** Milliseconds after which a batch, which takes some ten, is looked at record by record. */
const SLOW_BATCH_MS = 2000;
const MAX_STRING_BYTES = 1 << 12;

const idAt = (slot: number, generation = 1): number => slot | (generation << 22) | 0;

/** Bulk data of any length that is not long, so that the commands behind it are decoded. */
const bulkSource = {
  take: (byteLength: number) => (byteLength <= bulkBlock.length ? bulkBlock.subarray(0, byteLength) : undefined),
};

/** Objects of every interface, and ids of all kinds that stand for none: those of a guest that has made one of each. */
class Objects {
  readonly table = new ObjectTable<StandIn>(1 << 16);
  readonly #ofMask = new Map<number, number[]>();
  readonly #all: number[] = [];
  readonly #bad: number[] = [0, -1, 1, 1 << 22, idAt(0, 2), idAt(500), idAt((1 << 22) - 1, 1023)];
  readonly #types: number[] = [];
  readonly freshSlot: number;

  constructor() {
    const { objects } = SequenceMaker.oneOfEach();
    for (const { id, type } of objects) {
      const number = interfaceNumbers.get(type)!;
      this.table.bind(id, number, new StandIn(number));
      this.#all.push(id | 0);
      this.#types.push(number);
    }
    // One of the past, with its slot in use again; one that is free; one that is awaited.
    let slot = objects.length;
    this.table.bind(idAt(slot), 3, new StandIn(3));
    this.table.release(idAt(slot));
    this.table.bind(idAt(slot, 2), 3, new StandIn(3));
    this.#bad.push(idAt(slot++));
    this.table.bind(idAt(slot), 3, new StandIn(3));
    this.table.release(idAt(slot));
    this.#bad.push(idAt(slot++));
    this.table.reserve(idAt(slot));
    this.#bad.push(idAt(slot++));
    this.freshSlot = slot;
  }

  ofMask(mask: number, random: Random): number {
    let ids = this.#ofMask.get(mask);
    if (ids === undefined) {
      ids = this.#all.filter((_, index) => (mask >>> this.#types[index]!) & 1);
      this.#ofMask.set(mask, ids);
    }
    return random.pick(ids.length === 0 ? this.#all : ids);
  }

  any(random: Random): number {
    return random.pick(random.oneIn(3) ? this.#bad : this.#all);
  }
}

/** Where the decoders' results go: nowhere, but that some are looked at first. */
class Sink implements HostSession {
  /** Whether the values of this execution are checked. */
  isChecking = false;
  /** Words of the record. */
  words = 0;
  readonly #objects: Objects;
  readonly #encoders = [14, 15, 16, 18].map((type) => new StandIn(type));

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  object(reader: WireReader, types: number): object {
    const id = reader.u32();
    return this.#objects.table.get(id, types) ?? reader.fail('bad-object', `id ${id}`);
  }

  nullableObject(reader: WireReader, types: number): object | null {
    const id = reader.u32();
    return id === 0 ? null : (this.#objects.table.get(id, types) ?? reader.fail('bad-object', `id ${id}`));
  }

  currentEncoder(reader: WireReader, types: number): object {
    for (const encoder of this.#encoders) if ((types >>> encoder.type) & 1) return encoder;
    return reader.fail('bad-object', 'no encoder');
  }

  reserve(id: number): void {
    // The table's own rules, without its memory: the next execution may take the id again.
    this.#check(id);
  }

  #check(id: number): void {
    if ((id & 0x3f_ffff) > this.#objects.freshSlot || id >>> 22 === 0) throw new ProtocolError('bad-id', `id ${id}`);
    if (this.#objects.table.typeOf(id) !== 0) throw new ProtocolError('bad-id', `id ${id} is in use`);
  }

  create(id: number, _type: number, _parent: object, make: () => object): void {
    this.#check(id);
    make();
  }

  request<T>(_requestId: number, _opcode: number, run: () => Promise<T>): void {
    void run();
  }

  /** Takes the arguments of a handler. */
  take(checks: readonly ((value: unknown) => number)[], args: readonly unknown[]): void {
    const first = args.length - checks.length;
    let size = 0;
    for (let i = 0; i < checks.length; i++) size += checks[i]!(args[first + i]);
    this.bound(size);
  }

  bound(size: number): void {
    if (size > MAX_SIZE_A_WORD * (this.words + 1)) {
      throw new NotConforming(`${this.words} words were decoded to a value of ${Math.round(size)}`);
    }
  }
}

function handlersOf(sink: Sink): Handlers {
  const groups: Record<string, Record<string, (...args: unknown[]) => unknown>> = {};
  const nothing = Promise.resolve();
  for (const command of commands) {
    const member = command.name.split('.')[1]!;
    const checks = command.fields.map(argumentCheck);
    (groups[handlerOf(command.name)] ??= {})[member] = (...args) => {
      if (sink.isChecking) sink.take(checks, args);
      return nothing;
    };
  }
  return groups as unknown as Handlers;
}

/** A side's decoders: what takes a record, and what makes valid ones. */
interface Direction {
  write(writer: RecordWriter, random: Random): void;
  decode(reader: WireReader): void;
}

function hostDirection(objects: Objects, sink: Sink): Direction {
  const handlers = handlersOf(sink);
  const newId = (): number => idAt(objects.freshSlot);
  return {
    write: (writer, random) => writer.command(random.pick(commands), newId),
    decode: (reader) => {
      const decode = decoders[reader.opcode];
      if (decode !== undefined) return decode(reader, sink, handlers);
      if (reader.opcode === 1) new BulkQueue(1 << 16).begin(reader.u32(), (r, d) => reader.fail(r, d));
      else if (reader.opcode === 2) new BulkQueue(1 << 16).chunk(reader.inlineBytes(), (r, d) => reader.fail(r, d));
      else reader.fail('unknown-record', 'no command');
      reader.finish();
    },
  };
}

type Decode = (reader: WireReader) => unknown;

function guestDirection(sink: Sink): Direction {
  const requests = commands.filter((command): command is CommandSchema & { reply: TypeSchema } => 'reply' in command);
  const failure: TypeSchema = { kind: 'dictionary', name: 'VesperFailure' };
  const exported = new Map<string, unknown>(Object.entries(guest));
  const decodeOf = (type: TypeSchema): Decode => {
    if (type.kind === 'undefined') return () => undefined;
    const name = type.kind === 'dictionary' || type.kind === 'shape' ? type.name : type.kind;
    const decode = exported.get(`decode${name}`);
    if (typeof decode !== 'function') throw new Error(`the guest decodes no ${name}`);
    return decode as Decode;
  };
  const failures: [Decode, (value: unknown) => number] = [decodeOf(failure), checkOf(failure)];
  const replies = requests.map(({ reply }): [Decode, (value: unknown) => number] => [decodeOf(reply), checkOf(reply)]);
  const take =
    (...types: readonly TypeSchema[]) =>
    (...args: unknown[]): void => {
      if (sink.isChecking) sink.take(types.map(checkOf), args);
    };
  const typesOf = (name: string): TypeSchema[] =>
    events.find((event) => event.name === name)!.fields.map((field) => field.type);
  const heard: guest.EventHandlers = {
    streamEnded: take(...typesOf('VesperStream.ended')),
    deviceLost: take(...typesOf('GPUDevice.lost')),
    deviceOnuncapturederror: take(...typesOf('GPUDevice.onuncapturederror')),
    streamCollect: take(),
  };
  return {
    write: (writer, random) => {
      if (random.oneIn(4)) return writer.event(random.pick(events));
      const index = random.below(requests.length);
      const isFailed = random.oneIn(3);
      writer.reply(requests[index]!.opcode, index, isFailed ? 1 : 0, isFailed ? failure : requests[index]!.reply);
    },
    decode: (reader) => {
      const event = guest.decodeEvent(reader, heard);
      if (event !== undefined) {
        reader.finish();
        return event();
      }
      const request = replies[reader.u32()] ?? reader.fail('bad-request', 'no request');
      const status = reader.u32();
      if (status > 1) reader.fail('bad-union', 'no status');
      const [decode, check] = status === 0 ? request : failures;
      const value = decode(reader);
      reader.finish();
      if (sink.isChecking) sink.bound(check(value));
    },
  };
}

/** Views of the first so many words: an execution makes none. */
class Frame {
  readonly words = new Int32Array(2 * MAX_WORDS);
  readonly #views: Uint8Array<ArrayBuffer>[] = [];

  view(length: number): Uint8Array<ArrayBuffer> {
    return (this.#views[length] ??= new Uint8Array(this.words.buffer, 0, length * 4));
  }
}

/**
 * Records, one an execution, straight into the generated decoders of one side.
 * @param name `decode`, the host's of a guest's bytes, or `replies`, the guest's of a host's.
 */
export class DecodeMode implements Mode {
  readonly name: 'decode' | 'replies';
  readonly unit = 'records';
  executions = 0;
  readonly verdicts = new Map<string, number>();
  readonly #seed: number;
  readonly #objects = new Objects();
  readonly #sink = new Sink(this.#objects);
  readonly #direction: Direction;
  readonly #reader = new WireReader(MAX_STRING_BYTES, bulkSource);
  readonly #frame = new Frame();
  readonly #treatAsFinding: string | undefined;
  #batch = 0;

  /** @param treatAsFinding a reason of refusals that is to be taken for a finding: to see a reproducer made. */
  constructor(name: 'decode' | 'replies', seed: number, treatAsFinding?: string) {
    this.name = name;
    this.#seed = seed;
    this.#treatAsFinding = treatAsFinding;
    this.#direction = name === 'decode' ? hostDirection(this.#objects, this.#sink) : guestDirection(this.#sink);
  }

  async run(most: number): Promise<Finding | undefined> {
    const startedMs = performance.now();
    const number = this.#batch++;
    const count = Math.min(most, BATCH_EXECUTIONS);
    const finding = this.#runBatch(number, count, Infinity);
    if (finding !== undefined) return finding;
    this.executions += count;
    if (performance.now() - startedMs < SLOW_BATCH_MS) return undefined;
    // The machine may have been busy: only what is slow by itself is a finding.
    return this.#runBatch(number, count, MAX_RECORD_MS);
  }

  /** A batch follows from its number and the seed alone. */
  #runBatch(number: number, count: number, mostMs: number): Finding | undefined {
    const random = new Random(this.#seed, this.name === 'decode' ? 1 : 2, number);
    const { words } = this.#frame;
    const pool = this.#pool(random);
    const bad = (): number => this.#objects.any(random);
    for (let i = 0; i < count; i++) {
      const length = mutate(words, pool, random.pick(pool), random, bad);
      const startedMs = mostMs === Infinity ? 0 : performance.now();
      let wrong = this.#execute(length, i % CHECK_EVERY === 0);
      if (mostMs !== Infinity && performance.now() - startedMs > mostMs) wrong ??= 'it took longer than the limit';
      if (wrong !== undefined) {
        const record = this.#frame.view(length).slice();
        const stream = this.name === 'decode' ? guestReproducer(record) : hostReproducer(record);
        return { mode: this.name, execution: number * BATCH_EXECUTIONS + i, what: wrong, stream };
      }
    }
    return undefined;
  }

  #pool(random: Random): Sample[] {
    const writer = new RecordWriter(random, (mask) => this.#objects.ofMask(mask, random));
    return Array.from({ length: POOL_RECORDS }, () => {
      this.#direction.write(writer, random);
      return { words: writer.words.slice(0, writer.length), roles: writer.roles.slice(0, writer.length) };
    });
  }

  #execute(length: number, isChecking: boolean): string | undefined {
    const reader = this.#reader;
    const sink = this.#sink;
    sink.isChecking = isChecking;
    sink.words = length;
    try {
      reader.open(this.#frame.view(length));
      // One, or as many as the header makes of it.
      while (reader.nextRecord()) this.#direction.decode(reader);
      this.#count('taken');
      return undefined;
    } catch (error) {
      return this.#judge(error, length);
    }
  }

  #judge(error: unknown, length: number): string | undefined {
    if (!(error instanceof ProtocolError)) {
      return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
    this.#count(error.reason);
    if (!REASONS.has(error.reason)) return `the reason "${error.reason}" is none`;
    if (!(error.offset >= -1 && error.offset <= length * 4)) return `offset ${error.offset} of ${length * 4}`;
    if (error.detail === '') return 'no detail';
    return error.reason === this.#treatAsFinding ? `refused: ${error.message}` : undefined;
  }

  #count(verdict: string): void {
    this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1);
  }
}
