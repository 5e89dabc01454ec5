import type { WireReader } from './reader.ts';
import type { WireWriter } from './writer.ts';

/** Turns the ids of a record into the backend's objects; what is no live id of the right type ends the session. */
export interface ObjectResolver {
  /** Reads an id of one of the interfaces whose numbers are the bits of `types`. */
  object(reader: WireReader, types: number): object;
  /** Likewise; 0 stands for null. */
  nullableObject(reader: WireReader, types: number): object | null;
}

/** What a batch of an encoder's commands needs of the session. */
export interface BatchSession {
  /** The interface number of the current encoder, 0 where there is none. */
  readonly encoderType: number;
  /** Whether `setsAgain` is to be asked of the commands that follow. */
  readonly keepsState: boolean;
  /** What a live id of one of the interfaces whose numbers are the bits of `types` stands for; undefined for any other. */
  find(id: number, types: number): object | undefined;
  /** What an id stands for of which `find` has just said that it is bound: nothing is checked again. */
  bound(id: number): object;
  /** Whether the record in `words` would set what is set already; what it would set is remembered. */
  setsAgain(opcode: number, words: Int32Array, start: number, end: number): boolean;
}

/** What the generated decoders need of the session that they decode for. */
export interface HostSession extends ObjectResolver {
  /** The encoder that the last `selectEncoder` named, which must be of one of these interfaces. */
  currentEncoder(reader: WireReader, types: number): object;
  /** Takes an id that the guest allocated for an object of a request's reply. */
  reserve(id: number): void;
  /**
   * Binds `id` to what `make` returns; where it throws, to an invalid object of the same interface,
   * so that the error is WebGPU's to report.
   */
  create(id: number, type: number, parent: object, make: () => object): void;
  /** Calls `run` and sends the reply that it promises; a rejection is sent as a failure. */
  request<T>(
    requestId: number,
    opcode: number,
    run: () => Promise<T>,
    encode: (writer: WireWriter, reply: T) => void,
  ): void;
}
