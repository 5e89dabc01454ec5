import * as guest from '@vesper-gpu/protocol/guest';
import { ObjectIds, WireWriter } from '@vesper-gpu/wire';
import { commands, encoderOf, interfaceNumbers, type CommandSchema } from '../wire/schema.ts';
import type { Random } from './random.ts';

/** What the guest knows of an object that it has made. */
export interface GuestObject {
  readonly id: number;
  readonly type: string;
  isLive: boolean;
  /** Exists once the request that promised it has been answered. */
  isPending: boolean;
  /** An encoder that can take commands, as far as the guest knows. */
  isOpen: boolean;
  /** The encoder of a pass. */
  readonly parent: GuestObject | undefined;
}

/** Bytes to send. */
export interface Step {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The guest waits behind them until it has so many replies: one to each request. */
  readonly replies: number | undefined;
}

/** Thrown when a careful guest would have to use what it has released: it does not. */
export class Released extends Error {}

type Encode = (writer: WireWriter, ...args: readonly unknown[]) => void;

const exported = new Map<string, unknown>(Object.entries(guest));
const encoders = new Map(commands.map((command) => [command, exported.get(encoderOf(command.name)) as Encode]));
const byName = new Map(commands.map((command) => [command.name, command]));
const ROOTS = 3;

export function commandOf(name: string): CommandSchema {
  const command = byName.get(name);
  if (command === undefined) throw new Error(`the schema has no command ${name}`);
  return command;
}

/** A guest of the wire, without a library: it writes commands, and knows what it has made and released. */
export class GuestModel {
  random: Random;
  readonly #ids = new ObjectIds();
  readonly #writer = new WireWriter();
  readonly #live = new Map<string, GuestObject[]>();
  #stale: number[] = [];
  #steps: Step[] = [];
  #currentEncoder: GuestObject | undefined;
  #nextRequest = 1;
  /** How many records of the frame there will be before it is sent. */
  #room = 1;
  scopeDepth = 0;
  /** One id in so many stands for no right object; 0 for none. */
  badIdOneIn = 0;
  /** One record in so many is changed before it is sent; 0 for none. */
  harmOneIn = 0;
  /** Which commands are harmed. */
  mayHarm: (command: CommandSchema) => boolean = () => true;

  constructor(random: Random) {
    this.random = random;
  }

  /** Objects that are bound, as far as the guest knows. */
  get count(): number {
    let sum = 0;
    for (const objects of this.#live.values()) sum += objects.length;
    return sum;
  }

  live(type: string): readonly GuestObject[] {
    return this.#live.get(type) ?? [];
  }

  /** A live object of one of these interfaces, rather a young one. */
  find(interfaces: readonly string[]): GuestObject | undefined {
    const start = this.random.below(interfaces.length);
    for (let i = 0; i < interfaces.length; i++) {
      const objects = this.live(interfaces[(start + i) % interfaces.length]!).filter((one) => !one.isPending);
      if (objects.length === 0) continue;
      return objects[this.random.oneIn(3) ? this.random.below(objects.length) : objects.length - 1];
    }
    return undefined;
  }

  /** The id to write for an object. @throws Released where a careful guest holds it no more. */
  use(object: GuestObject): number {
    if (this.badIdOneIn > 0) return this.random.oneIn(this.badIdOneIn) ? this.badId() : object.id;
    if (!object.isLive || object.isPending) throw new Released();
    return object.id;
  }

  /** An id that stands for nothing, for something of the past, or for something of any type. */
  badId(): number {
    const { random } = this;
    switch (random.below(4)) {
      case 0:
        return random.pick([0, 1, 0xffff_ffff, (300_000 | (1 << 22)) >>> 0]);
      case 1:
        return this.#stale.length > 0 ? random.pick(this.#stale) : 0;
      case 2: {
        const object = this.find([...interfaceNumbers.keys()]);
        return object === undefined ? 0 : (object.id + (random.below(3) << 22)) >>> 0;
      }
      default:
        return this.find([...interfaceNumbers.keys()])?.id ?? 0;
    }
  }

  /**
   * Writes a command.
   * @param target of a command to an object or an encoder.
   * @param args of its fields.
   * @returns what it creates.
   */
  call(name: string, target: GuestObject | undefined, ...args: readonly unknown[]): GuestObject[] {
    const command = commandOf(name);
    const first: unknown[] = [];
    if (command.target.kind === 'object') first.push(this.use(target!));
    if (command.target.kind === 'currentEncoder') this.#select(target!);
    if (command.class === 'request') first.push(this.#nextRequest++);
    const made = command.creates.map((type) => this.#make(type, command, target));
    this.#write(command, [...first, ...made.map((object) => object.id), ...args]);
    return made;
  }

  #make(type: string, command: CommandSchema, target: GuestObject | undefined): GuestObject {
    const isPass = type.endsWith('PassEncoder');
    const object: GuestObject = {
      id: this.#ids.allocate(),
      type,
      isLive: true,
      isPending: command.class === 'request',
      isOpen: type.endsWith('Encoder'),
      parent: isPass ? target : undefined,
    };
    const objects = this.#live.get(type);
    if (objects === undefined) this.#live.set(type, [object]);
    else objects.push(object);
    return object;
  }

  #select(encoder: GuestObject): void {
    const id = this.use(encoder);
    if (encoder === this.#currentEncoder && id === encoder.id) return;
    this.#write(commandOf('VesperStream.selectEncoder'), [id]);
    this.#currentEncoder = encoder;
  }

  #write(command: CommandSchema, args: readonly unknown[]): void {
    const writer = this.#writer;
    const start = writer.position;
    encoders.get(command)!(writer, ...args);
    if (this.harmOneIn > 0 && this.random.oneIn(this.harmOneIn) && this.mayHarm(command)) this.#harm(start);
    this.#written();
  }

  /** One word is another. */
  #harm(start: number): void {
    const { random } = this;
    const { words, position } = this.#writer;
    const at = start + random.below(position - start);
    switch (random.below(4)) {
      case 0:
        words[at]! ^= 1 << random.below(32);
        break;
      case 1:
        words[at]! += random.below(9) - 4;
        break;
      case 2:
        words[at] = random.word();
        break;
      default:
        words[at] = random.pick([0, 1, 2, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x7fc0_0000]);
    }
  }

  /** Words that no encoder writes. */
  raw(...words: readonly number[]): void {
    const at = this.#writer.record(words.length);
    for (const [index, word] of words.entries()) this.#writer.words[at + index] = word;
    this.#written();
  }

  #written(): void {
    if (--this.#room > 0) return;
    this.flush(false);
  }

  /** Ends the frame. @param waits whether the guest waits for all answers. */
  flush(waits: boolean): void {
    this.#room = 1 + this.random.below(8);
    const replies = waits ? this.#nextRequest - 1 : undefined;
    if (!this.#writer.isEmpty) this.#steps.push({ bytes: this.#writer.takeFrame(), replies });
    else if (waits) this.#steps.push({ bytes: new Uint8Array(0), replies });
    // A careless guest takes every promise for kept.
    if (!waits || this.badIdOneIn === 0) return;
    for (const objects of this.#live.values()) for (const object of objects) object.isPending = false;
  }

  /** Waits for all answers. @param kept objects that were promised, and of which the promise cannot fail. */
  wait(...kept: readonly GuestObject[]): void {
    this.flush(true);
    for (const object of kept) object.isPending = false;
  }

  /** Lets objects go. */
  release(objects: readonly GuestObject[]): void {
    if (objects.length === 0) return;
    const ids = objects.map((object) => (this.badIdOneIn > 0 ? this.use(object) : object.id));
    this.#write(commandOf('VesperStream.release'), [ids]);
    for (const object of objects) {
      object.isLive = false;
      const live = this.#live.get(object.type)!;
      live.splice(live.indexOf(object), 1);
      this.#ids.free(object.id);
      this.#stale.push(object.id);
      if (object === this.#currentEncoder) this.#currentEncoder = undefined;
    }
    if (this.#stale.length > 200) this.#stale = this.#stale.slice(-100);
  }

  /** Lets everything go but what the session began with: an adapter, its device and its queue. */
  releaseAll(): void {
    const { badIdOneIn, harmOneIn } = this;
    this.badIdOneIn = 0;
    this.harmOneIn = 0;
    const all = [...this.#live.values()].flat().filter((object) => (object.id & 0x3f_ffff) >= ROOTS);
    this.release(all);
    this.badIdOneIn = badIdOneIn;
    this.harmOneIn = harmOneIn;
  }

  /** What is to be sent since the last call. */
  takeSteps(): Step[] {
    const steps = this.#steps;
    this.#steps = [];
    return steps;
  }
}
