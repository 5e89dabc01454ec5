import { decoders, type Handlers } from '@vesper-gpu/protocol/host';
import {
  BulkQueue,
  OPCODE_BEGIN_BULK,
  OPCODE_BULK_CHUNK,
  WireReader,
  WireWriter,
  type HostSession,
} from '@vesper-gpu/wire';
import { commands, handlerOf } from './schema.ts';

/** Stands for the object of an id. */
const markers = new Map<number, object>();

export function marker(id: number): object {
  let found = markers.get(id);
  if (found === undefined) markers.set(id, (found = { id }));
  return found;
}

/** Stands for the encoder that commands go to. */
export const currentEncoder = { id: 'the current encoder' };

/** What a decoder asked of its session and its handlers, in order. */
export type Step =
  | { what: 'object'; id: number; types: number }
  | { what: 'currentEncoder'; types: number }
  | { what: 'reserve'; id: number }
  | { what: 'create'; id: number; type: number; parent: object }
  | { what: 'request'; id: number; opcode: number }
  | { what: 'call'; name: string; args: readonly unknown[] };

/** A host that only writes down what the generated decoders make of a frame. */
export class RecordingHost implements HostSession {
  steps: Step[] = [];
  readonly #handlers: Handlers;

  constructor() {
    const handlers: Record<string, Record<string, (...args: unknown[]) => unknown>> = {};
    for (const { name } of commands) {
      const owner = (handlers[handlerOf(name)] ??= {});
      owner[name.split('.')[1]!] = (...args) => {
        this.steps.push({ what: 'call', name, args });
        return {};
      };
    }
    this.#handlers = handlers as unknown as Handlers;
  }

  /** Decodes a frame as the host does; its header word included. */
  decode(frame: Uint8Array<ArrayBuffer>): void {
    this.steps = [];
    const bulk = new BulkQueue(1 << 28);
    const reader = new WireReader(1 << 24, bulk);
    reader.open(frame.subarray(4));
    while (reader.nextRecord()) {
      const fail = reader.fail.bind(reader);
      if (reader.opcode === OPCODE_BEGIN_BULK) bulk.begin(reader.u32(), fail);
      else if (reader.opcode === OPCODE_BULK_CHUNK) bulk.chunk(reader.inlineBytes(), fail);
      else decoders[reader.opcode]!(reader, this, this.#handlers);
      reader.finish();
    }
  }

  object(reader: WireReader, types: number): object {
    const id = reader.u32();
    this.steps.push({ what: 'object', id, types });
    return marker(id);
  }

  nullableObject(reader: WireReader, types: number): object | null {
    const id = reader.u32();
    this.steps.push({ what: 'object', id, types });
    return id === 0 ? null : marker(id);
  }

  currentEncoder(_reader: WireReader, types: number): object {
    this.steps.push({ what: 'currentEncoder', types });
    return currentEncoder;
  }

  reserve(id: number): void {
    this.steps.push({ what: 'reserve', id });
  }

  create(id: number, type: number, parent: object, make: () => object): void {
    this.steps.push({ what: 'create', id, type, parent });
    make();
  }

  request<T>(requestId: number, opcode: number, run: () => Promise<T>): void {
    this.steps.push({ what: 'request', id: requestId, opcode });
    void run();
  }
}

/** The frame that `write` fills. */
export function frameOf(write: (writer: WireWriter) => void): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter();
  write(writer);
  return writer.takeFrame();
}
