import * as guest from '@vesper-gpu/protocol/guest';
import { CommandBatch, decoders, type Handlers, isBatched } from '@vesper-gpu/protocol/host';
import { ProtocolError, WireReader, type BatchSession, type HostSession, type WireWriter } from '@vesper-gpu/wire';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldArbitrary } from './arbitraries.ts';
import { frameOf, marker } from './recording-host.ts';
import { commands, encoderOf, handlerOf, interfaceNumbers, type CommandSchema } from './schema.ts';

/** Commands that are decoded ahead must be what their own decoders make of them, whatever the bytes are. */
const RUNS = 3000;

const encoders = guest as unknown as Record<string, (writer: WireWriter, ...values: unknown[]) => void>;
const batched = commands.filter(({ opcode }) => isBatched[opcode] === 1);
/** Some that are for their own decoders. */
const others = commands.filter(
  ({ opcode, target, class: kind }) =>
    isBatched[opcode] === 0 && target.kind === 'currentEncoder' && kind === 'command',
);
const encoderTypes = [...new Set(batched.flatMap(({ target }) => target.interfaces))].map((name) =>
  interfaceNumbers.get(name)!,
);
const encoder = { id: 'the current encoder' };

/** What ids stand for, and the encoder: one id in eight is not bound. */
class Session implements HostSession, BatchSession {
  readonly encoderType: number;
  readonly keepsState = false;
  readonly #found = new Map<number, object>();

  constructor(encoderType: number) {
    this.encoderType = encoderType;
  }

  find(id: number, types: number): object | undefined {
    if (id % 8 === 0) return undefined;
    const object = marker(id * 64 + (types & 31));
    this.#found.set(id | 0, object);
    return object;
  }

  bound(id: number): object {
    const object = this.#found.get(id | 0);
    if (object === undefined) throw new Error(`nobody has asked whether ${id} is bound`);
    return object;
  }

  object(reader: WireReader, types: number): object {
    return this.find(reader.u32(), types) ?? reader.fail('bad-object', 'it is not bound');
  }

  nullableObject(reader: WireReader, types: number): object | null {
    const id = reader.u32();
    return id === 0 ? null : (this.find(id, types) ?? reader.fail('bad-object', 'it is not bound'));
  }

  currentEncoder(reader: WireReader, types: number): object {
    return (types >>> this.encoderType) & 1 ? encoder : reader.fail('bad-object', 'another encoder');
  }

  setsAgain(): boolean {
    throw new Error('no state is kept');
  }

  reserve(): void {}
  create(): void {}
  request(): void {}
}

/** What the handlers were given, in order, and what ended it. */
interface Outcome {
  calls: unknown[][];
  error: ProtocolError | undefined;
}

/** @param batch undefined: each record by its own decoder. */
function outcomeOf(records: Uint8Array<ArrayBuffer>, encoderType: number, batch: CommandBatch | undefined): Outcome {
  const calls: unknown[][] = [];
  const handlers: Record<string, Record<string, (...args: unknown[]) => void>> = {};
  for (const { name } of commands) {
    (handlers[handlerOf(name)] ??= {})[name.split('.')[1]!] = (...args) => void calls.push([name, ...args]);
  }
  const reader = new WireReader(1 << 16);
  const session = new Session(encoderType);
  try {
    reader.open(records);
    while (reader.nextRecord()) {
      if (batch !== undefined && isBatched[reader.opcode] === 1) {
        const end = batch.check(reader.words, reader.recordStart, Infinity, session);
        if (batch.records > 0) {
          batch.execute(
            reader.words,
            reader.recordStart,
            session,
            encoder,
            handlers as unknown as Handlers,
            new Int32Array(2),
            0,
          );
          reader.position = end;
          continue;
        }
      }
      const decode = decoders[reader.opcode];
      if (decode === undefined) reader.fail('unknown-record', 'no command');
      else decode(reader, session, handlers as unknown as Handlers);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { calls, error };
  }
  return { calls, error: undefined };
}

const call = (command: CommandSchema) =>
  fc.tuple(...command.fields.map(fieldArbitrary)).map((fields) => ({ command, fields }));
const stream = fc.array(
  fc
    .oneof({ weight: 12, arbitrary: fc.constantFrom(...batched) }, { weight: 1, arbitrary: fc.constantFrom(...others) })
    .chain(call),
  { maxLength: 24 },
);
/** Words that become others: most streams have none. */
const damage = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.record({
        at: fc.nat(200),
        to: fc.oneof(
          fc.integer(),
          fc.nat(9),
          fc.nat(9).map((length) => (length << 16) | 65),
        ),
      }),
      { maxLength: 3 },
    ),
  },
);

describe('commands that are decoded ahead', () => {
  it('are most of what an encoder takes', () => {
    const names = batched.map(({ name }) => name.split('.')[1]);
    expect(names).toEqual(
      expect.arrayContaining(['setPipeline', 'setBindGroup', 'setVertexBuffer', 'draw', 'drawIndexed']),
    );
    expect(names).not.toContain('end');
    expect(names).not.toContain('executeBundles');
  });

  it('are what their own decoders make of the same bytes', () => {
    let [failed, passed] = [0, 0];
    const batch = new CommandBatch();
    fc.assert(
      fc.property(stream, damage, fc.constantFrom(...encoderTypes), (calls, changes, encoderType) => {
        const frame = frameOf((writer) => {
          for (const { command, fields } of calls) encoders[encoderOf(command.name)]!(writer, ...fields);
        });
        const words = new Int32Array(frame.slice(4).buffer);
        for (const { at, to } of changes) if (at < words.length) words[at] = to;
        const records = new Uint8Array(words.buffer);
        const expected = outcomeOf(records, encoderType, undefined);
        const found = outcomeOf(records, encoderType, batch);
        expect(found.calls).toEqual(expected.calls);
        expect(found.error?.message).toBe(expected.error?.message);
        expect([found.error?.reason, found.error?.offset, found.error?.opcode]).toEqual([
          expected.error?.reason,
          expected.error?.offset,
          expected.error?.opcode,
        ]);
        if (expected.error !== undefined) failed++;
        else if (expected.calls.length > 0) passed++;
      }),
      { numRuns: RUNS },
    );
    // Both were tried.
    expect(Math.min(failed, passed)).toBeGreaterThan(RUNS / 50);
  });
});
