import {
  CommandBatch,
  commandInfo,
  decoders,
  encodeDeviceOnuncapturederror,
  encodeStreamCollect,
  encodeStreamEnded,
  encodeVesperFailure,
  encoderTypes,
  type Handlers,
  isBatched,
  type VesperErrorValue,
} from '@vesper-gpu/protocol/host';
import {
  type BatchSession,
  BulkQueue,
  ObjectTable,
  OPCODE_BEGIN_BULK,
  OPCODE_BULK_CHUNK,
  ProtocolError,
  REPLY_FAILED,
  REPLY_OK,
  sendPieces,
  slotOf,
  type SessionEndReason,
  type HostLimits,
  type HostSession,
  type Transport,
  WireReader,
  WireWriter,
} from '@vesper-gpu/wire';
import { ENDS, MEMORY, SETS, SLOW, STATE, traits } from './command-traits.ts';
import type { DeviceState } from './device-state.ts';
import { EncoderState } from './encoder-state.ts';
import type { ErrorScopes, ReportedError } from './error-scopes.ts';
import { cutMessage, failureOf } from './failure.ts';
import { Flow } from './flow.ts';
import { Garbage, type HostMemory } from './garbage.ts';
import { GuestStream } from './guest-stream.ts';
import type { AdapterView } from './policy/adapter-view.ts';
import { Enforcement, type EnforcementOptions } from './policy/enforcement.ts';
import { Refusal } from './policy/refusal.ts';
import { UncapturedTexts } from './uncaptured-texts.ts';

/** Longer data of a reply reaches the guest's program in memory of its own, without another copy out of a frame. */
const MAX_INLINE_BYTES = 32 << 10;
/** After so many records the time is looked at, and after each that may take long. */
const RECORDS_A_LOOK = 256;
/** So many commands are checked ahead; fewer behind one that was refused, as those behind it are checked again. */
const MOST_AHEAD = 128;

/** What a guest is told of the end of its session; a ProtocolError is one. Places are -1 where there is none. */
export interface SessionEndNotice {
  readonly reason: SessionEndReason;
  readonly detail: string;
  readonly offset: number;
  readonly opcode: number;
}

/** Counters of a session. */
export interface SessionStatistics {
  /** From the guest, frame headers included. */
  receivedBytes: number;
  /** To the guest, frame headers included. */
  sentBytes: number;
  /** Records from the guest. */
  commands: number;
  /** Of these, requests: each a round trip. */
  requests: number;
  /** Objects that are bound now. */
  objects: number;
}

/**
 * One guest's commands: decodes frames, looks up objects, and calls the handlers in order.
 * A malformed record throws a ProtocolError out of `frame`; an exception of the backend becomes WebGPU's error.
 */
export class HostConnection implements HostSession, BatchSession {
  readonly statistics: SessionStatistics = { receivedBytes: 0, sentBytes: 0, commands: 0, requests: 0, objects: 0 };
  readonly devices = new Map<object, DeviceState>();
  readonly stream: GuestStream;
  readonly #garbage: Garbage;
  readonly #uncapturedTexts = new UncapturedTexts();
  /** The first device that was lost: it stands for all that are, so that those can be collected. */
  #lostDevice: DeviceState | undefined;
  readonly #transport: Transport;
  readonly #writer: WireWriter;
  readonly #reader: WireReader;
  readonly #bulk: BulkQueue;
  readonly #objects: ObjectTable<object>;
  /** The device of each object, by slot. */
  readonly #deviceOf: (DeviceState | undefined)[] = [];
  #handlers!: Handlers;
  #enforcement!: Enforcement;
  readonly #flow: Flow;
  /** Commands that the rate has been told of. */
  #countedCommands = 0;
  #encoder: object | undefined;
  #encoderId = 0;
  readonly #encoderState = new EncoderState();
  readonly #batch = new CommandBatch();
  #mostAhead = MOST_AHEAD;
  /** How many commands there were before the batch that is being executed; -1 where none is. */
  #batchStart = -1;
  #isEnded = false;
  readonly #onFault: (error: Error) => void;
  /** See ServeOptions.activity. */
  readonly #activity: Int32Array;

  /**
   * @param onFault called when a handler fails in a way that the session cannot survive.
   * @param memory of this process, where something can be known of it.
   * @param activity where it says what it is doing, for a thread that watches this one.
   */
  constructor(
    transport: Transport,
    limits: HostLimits,
    onFault: (error: Error) => void,
    memory: HostMemory | undefined,
    activity?: Int32Array<SharedArrayBuffer>,
  ) {
    this.#activity = activity ?? new Int32Array(2);
    this.#garbage = new Garbage(memory, () => this.send((writer) => encodeStreamCollect(writer)));
    this.#transport = transport;
    this.#flow = new Flow(
      transport,
      () => this.#goOn(),
      () => this.#onFault(this.#enforcement.waitedTooLong()),
    );
    this.stream = new GuestStream(limits.maxFrameBytes, this.#flow, {
      open: (records) => this.#reader.open(records),
      run: (endsMs) => this.#run(endsMs),
      bulk: {
        begin: () => this.#countCommand(),
        data: (data) => this.#bulk.chunk(data),
        room: (byteLength) => this.#bulk.room(byteLength),
        isUnfinished: () => this.#bulk.isUnfinished,
      },
    });
    this.#onFault = onFault;
    this.#bulk = new BulkQueue(limits.maxBulkBytes, 'executed at once');
    this.#reader = new WireReader(limits.maxStringBytes, this.#bulk);
    this.#objects = new ObjectTable(limits.maxObjects);
    this.#writer = new WireWriter({
      started: () => queueMicrotask(() => this.flush()),
      full: () => this.flush(),
      takesPieces: () => transport.copiesOnSend === true,
      pieces: (pieces) => this.#sendPieces(pieces),
    });
    this.#writer.maxInlineBytes = MAX_INLINE_BYTES;
  }

  /** To be called once, before anything is received: what executes the guest's commands, and what it is held to. */
  execute(
    handlers: Handlers,
    options: Pick<EnforcementOptions, 'policy' | 'audit' | 'sha256' | 'delegate' | 'budgetChanged' | 'learn'>,
  ): void {
    this.#handlers = handlers;
    this.#enforcement = new Enforcement({
      ...options,
      handlers,
      flow: this.#flow,
      objectCount: () => this.#objects.count,
      commandCount: () => this.commandCount,
      end: (error) => this.#onFault(error),
    });
  }

  /** What the guest is held to. */
  get enforcement(): Enforcement {
    return this.#enforcement;
  }

  /** What the guest is shown of adapters. */
  get view(): AdapterView {
    return this.#enforcement.view;
  }

  /** What the session has used of the GPU: bytes of memory now and at most, milliseconds of time. */
  get gpuUsage(): { memoryBytes: number; peakMemoryBytes: number; timeMs: number } {
    const { memory, gpuMs } = this.#enforcement;
    return { memoryBytes: memory.ledger.usedBytes, peakMemoryBytes: memory.ledger.peakBytes, timeMs: gpuMs };
  }

  /** What is newer than the guest is not sent to it. */
  set guestRevision(revision: number) {
    this.#writer.revision = revision;
  }

  /** Takes received bytes. @throws ProtocolError for bytes that no Vesper guest sends. */
  receive(chunk: Uint8Array): void {
    this.statistics.receivedBytes += chunk.byteLength;
    if (!this.#enforcement.rates.receivedBytes(chunk.byteLength)) return;
    this.stream.receive(chunk);
    this.#garbage.collectIfDue();
  }

  #goOn(): void {
    try {
      this.stream.goOn();
      this.#garbage.collectIfDue();
    } catch (error) {
      this.#onFault(error as Error);
    }
  }

  /** Executes records of the frame that is open. @returns whether it has ended */
  #run(endsMs: number): boolean {
    const reader = this.#reader;
    let isOver: boolean | undefined;
    try {
      // An exception of the backend ends the loop; the rest of the frame is still to be done.
      do isOver = this.#runRecords(reader, endsMs);
      while (isOver === undefined);
    } finally {
      this.#activity[1] = 0;
    }
    if (isOver) {
      reader.close();
      this.#bulk.recycle();
    }
    this.#countCommands();
    return isOver;
  }

  /** @returns how many there were, with this one */
  #countCommand(): number {
    const number = ++this.statistics.commands;
    if (number > this.#enforcement.maxCommands) throw this.#enforcement.commandsSpent();
    return number;
  }

  #countCommands(): void {
    const { commands } = this.statistics;
    this.#enforcement.rates.executed(commands - this.#countedCommands);
    this.#countedCommands = commands;
  }

  /** Runs records. @returns whether the frame has ended; undefined where the backend threw. */
  #runRecords(reader: WireReader, endsMs: number): boolean | undefined {
    const activity = this.#activity;
    const enforcement = this.#enforcement;
    const flow = this.#flow;
    const state = this.#encoderState;
    try {
      while (!flow.isHeld) {
        if (!reader.nextRecord()) return true;
        const { opcode } = reader;
        if (isBatched[opcode] === 1 && this.#runBatch(reader)) {
          if (this.#isLookDue() && performance.now() > endsMs) return reader.isAtEnd;
          continue;
        }
        // None for what is no command, which is found out when it is executed.
        const trait = traits[opcode]! | 0;
        if ((trait & MEMORY) !== 0 && enforcement.memory.shouldWait()) {
          reader.rewind();
          return false;
        }
        const number = this.#countCommand();
        activity[0] = number;
        activity[1] = opcode;
        if ((trait & ENDS) !== 0 || ((trait & STATE) !== 0 && state.isKept)) this.#executeState(reader, opcode);
        else this.#execute(reader, opcode);
        if ((this.#isLookDue() || (trait & SLOW) !== 0) && performance.now() > endsMs) return reader.isAtEnd;
      }
      return reader.isAtEnd;
    } catch (error) {
      if (error instanceof ProtocolError) {
        throw error.opcode >= 0
          ? error
          : new ProtocolError(error.reason, error.detail, reader.position * 4, reader.opcode);
      }
      // Of what was to be set, it is not known what is.
      state.forget();
      this.#thrown(error);
      reader.skip();
      // Else a guest whose commands are refused now and then would have all of its frame done at once.
      return this.#isLookDue() && performance.now() > endsMs ? reader.isAtEnd : undefined;
    }
  }

  /**
   * Checks and executes the current record, and those behind it that can be checked before it is executed.
   * @returns false where nothing was done: the record is to be executed by itself, perhaps to say what is wrong with it.
   */
  #runBatch(reader: WireReader): boolean {
    const batch = this.#batch;
    const activity = this.#activity;
    const { words, recordStart } = reader;
    const { commands } = this.statistics;
    const most = Math.min(this.#mostAhead, this.#enforcement.maxCommands - commands);
    const position = batch.check(words, recordStart, most, this);
    if (batch.records === 0) return false;
    this.#batchStart = commands;
    try {
      batch.execute(words, recordStart, this, this.#encoder!, this.#handlers, activity, commands);
    } catch (error) {
      // As if it had been the last that was checked: what is behind it may be another command now.
      const executed = this.commandCount - commands;
      reader.position = recordStart;
      for (let i = 1; i < executed; i++) reader.position += words[reader.position]! >>> 16;
      this.statistics.commands = commands + executed;
      this.#mostAhead = 1;
      reader.nextRecord();
      throw error;
    } finally {
      this.#batchStart = -1;
    }
    reader.position = position;
    this.statistics.commands = commands + batch.records;
    if (this.#mostAhead < MOST_AHEAD) this.#mostAhead *= 2;
    return true;
  }

  /** How many commands there were, with the one that is being executed. */
  get commandCount(): number {
    const start = this.#batchStart;
    return start < 0 ? this.statistics.commands : start + ((this.#activity[0]! - start) | 0);
  }

  /** Whether so many records were executed since it last said so that the time is to be looked at. */
  #isLookDue(): boolean {
    if (this.statistics.commands - this.#countedCommands < RECORDS_A_LOOK) return false;
    this.#countCommands();
    return true;
  }

  get encoderType(): number {
    return this.#encoder === undefined ? 0 : this.#objects.typeOf(this.#encoderId);
  }

  get keepsState(): boolean {
    return this.#encoderState.isKept;
  }

  find(id: number, types: number): object | undefined {
    return this.#objects.get(id, types);
  }

  bound(id: number): object {
    return this.#objects.bound(id);
  }

  setsAgain(opcode: number, words: Int32Array, start: number, end: number): boolean {
    return this.#encoderState.setsAgain(opcode, words, start, end);
  }

  #execute(reader: WireReader, opcode: number): void {
    const decode = decoders[opcode];
    if (decode !== undefined) decode(reader, this, this.#handlers);
    else this.#runtimeRecord(reader);
  }

  /** Executes a command that does something to the state of its encoder, unless it changes nothing. */
  #executeState(reader: WireReader, opcode: number): void {
    const state = this.#encoderState;
    if (state.setsAgain(opcode, reader.words, reader.recordStart, reader.end)) return reader.skip();
    this.#execute(reader, opcode);
    // A command of an encoder that was executed had one.
    if ((traits[opcode]! & SETS) === 0) state.executed(opcode, this.#encoder!);
  }

  #runtimeRecord(reader: WireReader): void {
    const fail = reader.fail.bind(reader);
    if (reader.opcode === OPCODE_BEGIN_BULK) this.#bulk.begin(reader.u32(), fail);
    else if (reader.opcode === OPCODE_BULK_CHUNK) this.#bulk.chunk(reader.inlineBytes(), fail);
    else reader.fail('unknown-record', `no command has opcode ${reader.opcode}`);
    reader.finish();
  }

  /** The device of what the current record is for; a record without a target begins with something that is no id. */
  #targetDevice(): DeviceState | undefined {
    const target = commandInfo[this.#reader.opcode]?.target;
    if (target === 'currentEncoder') return this.#deviceOf[slotOf(this.#encoderId)];
    return target === 'object' ? this.#deviceOf[slotOf(this.#reader.target)] : undefined;
  }

  /** A command that the backend's binding refused: its encoder becomes invalid, or its device has an error. */
  #thrown(error: unknown): void {
    const info = commandInfo[this.#reader.opcode];
    const device = this.#targetDevice();
    // What is of no device has no scope to report to; the audit log has it.
    if (device === undefined && error instanceof Refusal) return;
    if (device === undefined) throw error;
    if (error instanceof Refusal) this.#reportRefusal(device, error);
    if (info?.target === 'currentEncoder') device.invalid.poison(this.#encoder!);
    else if (!(error instanceof Refusal))
      this.report(device, {
        type: 'validation',
        message: `${info?.name}: ${failureOf(error, false, this.view).message}`,
      });
  }

  object(reader: WireReader, types: number): object {
    const id = reader.u32();
    return this.#objects.get(id, types) ?? this.#badObject(reader, id, types);
  }

  nullableObject(reader: WireReader, types: number): object | null {
    const id = reader.u32();
    return id === 0 ? null : (this.#objects.get(id, types) ?? this.#badObject(reader, id, types));
  }

  #badObject(reader: WireReader, id: number, types: number): never {
    const type = this.#objects.typeOf(id);
    return reader.fail(
      'bad-object',
      type === 0 ? `id ${id} is not bound` : `id ${id} is of interface ${type}, not of mask ${types}`,
    );
  }

  /** Makes an encoder the one that the following commands of an encoder go to. */
  selectEncoder(id: number): void {
    this.#encoder = this.#objects.get(id, encoderTypes) ?? this.#badObject(this.#reader, id, encoderTypes);
    this.#encoderId = id;
    this.#encoderState.selected(this.#encoder);
  }

  currentEncoder(reader: WireReader, types: number): object {
    if (this.#encoder === undefined) return reader.fail('bad-object', 'no encoder is selected');
    if (!((types >>> this.#objects.typeOf(this.#encoderId)) & 1)) this.#badObject(reader, this.#encoderId, types);
    return this.#encoder;
  }

  reserve(id: number): void {
    this.#objects.reserve(id);
    this.#attach(id, this.#targetDevice());
  }

  /**
   * Gives a reserved id its object.
   * @param device for a device and its queue, which no other object's id leads to.
   */
  fulfil(id: number, type: number, object: object, device?: DeviceState): void {
    // What was asked of a device before it was lost can come after it has been replaced.
    const standIn = this.#deviceOf[slotOf(id)]?.standIn;
    const isBound = this.#objects.fulfil(id, type, standIn === undefined ? object : standIn.substitute(type));
    if (isBound && device !== undefined) this.#attach(id, device);
  }

  create(id: number, type: number, parent: object, make: () => object): void {
    const device = this.#targetDevice();
    if (device === undefined) throw new ProtocolError('bad-object', 'an object without a device');
    this.#objects.reserve(id);
    this.#attach(id, device);
    this.#objects.fulfil(id, type, this.#validOrInvalid(device, type, parent, make));
  }

  #attach(id: number, device: DeviceState | undefined): void {
    this.#deviceOf[slotOf(id)] = device;
    if (device === undefined) return;
    device.objectCount++;
    device.totalObjectCount++;
    this.#garbage.objectMade();
  }

  /** A device of which the guest holds nothing any more cannot be told from one that is destroyed. */
  #detach(id: number): void {
    const device = this.#deviceOf[slotOf(id)];
    this.#deviceOf[slotOf(id)] = undefined;
    if (device === undefined || --device.objectCount > 0) return;
    this.devices.delete(device.device);
    this.#enforcement.memory.deviceGone(device.device);
    destroyQuietly(device);
  }

  /**
   * A device is lost. What the guest holds of it stays bound, and does nothing any more, as WebGPU has it; but the
   * backend's objects would keep the device's memory and threads for as long as the guest does not let go.
   */
  retire(state: DeviceState): void {
    state.isLost = true;
    this.devices.delete(state.device);
    this.#enforcement.memory.deviceGone(state.device);
    if (this.#isEnded) return;
    this.#garbage.addDevice(state.totalObjectCount);
    this.#replace(state);
    this.#garbage.collectIfDue();
  }

  #replace(state: DeviceState): void {
    if (this.#lostDevice === undefined) {
      this.#lostDevice = state;
      return;
    }
    // A device of which nothing is bound needs no search.
    if (state.objectCount === 0) return;
    const stand = this.#lostDevice;
    this.#encoderState.forget();
    this.#objects.replace((slot, type) => (this.#deviceOf[slot] === state ? stand.substitute(type) : undefined));
    state.replaceWith(stand);
    if (this.#encoderId !== 0) this.#encoder = this.#objects.get(this.#encoderId, encoderTypes);
  }

  #validOrInvalid(device: DeviceState, type: number, parent: object, make: () => object): object {
    try {
      return make();
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      const isOfEncoder = commandInfo[this.#reader.opcode]?.target === 'currentEncoder';
      if (error instanceof Refusal) {
        this.#reportRefusal(device, error);
        // One invalid object will do for all that is refused, so that asking again and again costs nothing.
        return isOfEncoder ? device.invalid.make(type, parent) : device.substitute(type);
      }
      const kind = error instanceof RangeError ? 'out-of-memory' : 'validation';
      // A bad command of an encoder is reported by its finish(), which the invalid object sees to.
      if (!isOfEncoder) {
        this.report(device, { type: kind, message: failureOf(error, false, this.view).message });
      }
      return device.invalid.make(type, parent);
    }
  }

  /** What a policy refuses is reported at once, also where WebGPU would wait for the end of an encoder. */
  #reportRefusal(device: DeviceState, { type, message }: Refusal): void {
    this.report(device, { type, message, comesFirst: true });
  }

  /** Unbinds ids that the guest holds no longer. */
  release(ids: readonly number[]): void {
    this.#encoderState.forget();
    for (const id of ids) {
      const object = this.#objects.release(id);
      this.#garbage.addObject(object);
      if (object !== undefined) this.#enforcement.memory.released(object);
      this.#detach(id);
      if (id === this.#encoderId) {
        this.#encoder = undefined;
        this.#encoderId = 0;
      }
    }
  }

  /** The shadow scopes of a device; undefined once it is lost, when nothing is reported any more. */
  scopesOf(device: object): ErrorScopes | undefined {
    return this.devices.get(device)?.scopes;
  }

  /** Reports an error as WebGPU does: to the innermost scope that takes it, else as uncaptured. */
  report(device: DeviceState, error: ReportedError): void {
    if (device.isLost || device.scopes.report(error)) return;
    this.sendUncaptured(device, error);
  }

  sendUncaptured(device: DeviceState, error: VesperErrorValue): void {
    const message = this.#uncapturedTexts.cut(error.message);
    this.send((writer) => encodeDeviceOnuncapturederror(writer, device.id, error.type, message));
  }

  request<T>(
    requestId: number,
    opcode: number,
    run: () => Promise<T>,
    encode: (writer: WireWriter, reply: T) => void,
  ): void {
    this.statistics.requests++;
    let promise: Promise<T>;
    try {
      promise = run();
    } catch (error) {
      promise = Promise.reject(error as Error);
    }
    promise
      .then(
        (reply) => this.#reply(requestId, opcode, REPLY_OK, (writer) => encode(writer, reply)),
        (error: unknown) => {
          if (error instanceof ProtocolError) throw error;
          const failure = failureOf(error, commandInfo[opcode]?.cost === 'compile', this.view);
          this.#reply(requestId, opcode, REPLY_FAILED, (writer) => encodeVesperFailure(writer, failure));
        },
      )
      .catch((error: unknown) => this.#onFault(error as Error));
  }

  #reply(requestId: number, opcode: number, status: number, payload: (writer: WireWriter) => void): void {
    this.send((writer) => {
      const record = writer.begin(opcode);
      writer.u32(requestId);
      writer.u32(status);
      payload(writer);
      writer.end(record);
    });
  }

  /** Ends the session: something failed that nothing else can be done about. */
  fault(error: Error): void {
    this.#onFault(error);
  }

  /** Writes records to the guest. */
  send(write: (writer: WireWriter) => void): void {
    if (!this.#isEnded) write(this.#writer);
  }

  /** Sends what was written; stops reading while the guest does not take it. */
  flush(): void {
    if (this.#writer.isEmpty) return;
    const frame = this.#transport.copiesOnSend ? this.#writer.borrowFrame() : this.#writer.takeFrame();
    this.statistics.sentBytes += frame.byteLength;
    if (!this.#transport.send(frame)) this.#flow.hold('guest-does-not-read');
  }

  #sendPieces(pieces: readonly Uint8Array[]): void {
    for (const { byteLength } of pieces) this.statistics.sentBytes += byteLength;
    if (!sendPieces(this.#transport, pieces)) this.#flow.hold('guest-does-not-read');
  }

  /** A frame is with the transport no more. */
  sent(frame: Uint8Array<ArrayBuffer>): void {
    this.#writer.recycle(frame);
  }

  /** The guest has taken what was sent. */
  drained(): void {
    this.#flow.release('guest-does-not-read');
  }

  /** Ends the session: tells the guest why if it did not leave by itself, destroys its devices, forgets its objects. */
  end(error?: SessionEndNotice, leaveDevices = false): void {
    if (this.#isEnded) return;
    if (error !== undefined) {
      this.send((writer) =>
        encodeStreamEnded(writer, error.reason, cutMessage(error.detail), error.offset, error.opcode),
      );
      this.flush();
    }
    this.#isEnded = true;
    this.stream.stop();
    this.#enforcement.stop();
    this.#flow.stop();
    this.#transport.close();
    this.statistics.objects = this.#objects.count;
    if (leaveDevices) return;
    for (const state of this.devices.values()) destroyQuietly(state);
  }

  /** Keeps a device that a request promised, unless nobody is left to use it. */
  adopt(state: DeviceState): void {
    this.devices.set(state.device, state);
    this.#enforcement.memory.deviceMade(state.device);
    if (!this.#isEnded && state.objectCount > 0) return;
    this.devices.delete(state.device);
    this.#enforcement.memory.deviceGone(state.device);
    destroyQuietly(state);
  }

  get objectCount(): number {
    return this.#objects.count;
  }
}

/** Nothing depends on it: a backend that fails here must not keep the session from ending. */
function destroyQuietly({ device }: DeviceState): void {
  try {
    device.destroy();
  } catch {
    // The device is of no use to anybody in any case.
  }
}
