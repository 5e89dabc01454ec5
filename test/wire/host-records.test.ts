import * as guest from '@vesper-gpu/protocol/guest';
import * as host from '@vesper-gpu/protocol/host';
import { BulkQueue, OPCODE_BEGIN_BULK, OPCODE_BULK_CHUNK, WireReader, type WireWriter } from '@vesper-gpu/wire';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wordOf } from '../../packages/codegen/src/emit/names.ts';
import { arbitraryOf, fieldArbitrary, id } from './arbitraries.ts';
import { difference, type Form } from './comparison.ts';
import { frameOf } from './recording-host.ts';
import { commands, encoderOf, events, reachable, schema } from './schema.ts';

const RUNS = 300;
const onGuest: Form = { object: (one) => one, recordsAsObjects: false, fillsDefaults: true };

type Encode = (writer: WireWriter, ...values: unknown[]) => void;
type Decode = (reader: WireReader) => unknown;
const hostSide = host as unknown as Record<string, Encode | undefined>;
const guestSide = guest as unknown as Record<string, Decode | undefined>;

/** Reads the only record of a frame, behind the bulk data that it may need. */
function readRecord<T>(frame: Uint8Array<ArrayBuffer>, decode: (reader: WireReader) => T): T {
  const bulk = new BulkQueue(1 << 26);
  const reader = new WireReader(1 << 24, bulk);
  reader.open(frame.subarray(4));
  let value: T | undefined;
  let records = 0;
  while (reader.nextRecord()) {
    const fail = reader.fail.bind(reader);
    if (reader.opcode === OPCODE_BEGIN_BULK) bulk.begin(reader.u32(), fail);
    else if (reader.opcode === OPCODE_BULK_CHUNK) bulk.chunk(reader.inlineBytes(), fail);
    else {
      records++;
      value = decode(reader);
    }
    reader.finish();
  }
  if (records !== 1) throw new Error(`${records} records`);
  return value as T;
}

const replies = schema.dictionaries.filter((one) => one.fromHost);

describe('every dictionary that the host sends', () => {
  it('is reached by a reply or a failure, and has both sides', () => {
    const reached = new Set(['VesperFailure']);
    for (const { reply } of commands) if (reply !== undefined) reachable(reply, reached);
    expect(replies.map((one) => one.name).toSorted()).toEqual([...reached].toSorted());
    for (const { name } of replies) {
      expect(hostSide[`encode${name}`], name).toBeTypeOf('function');
      expect(guestSide[`decode${name}`], name).toBeTypeOf('function');
    }
  });

  it.each(replies.map((one) => one.name))('%s', (name) => {
    const type = { kind: 'dictionary', name } as const;
    const encode = hostSide[`encode${name}`]!;
    const decode = guestSide[`decode${name}`]!;
    fc.assert(
      fc.property(arbitraryOf(type), (value) => {
        const frame = frameOf((writer) => {
          const record = writer.begin(9);
          encode(writer, value);
          writer.end(record);
        });
        const found = difference(type, value, readRecord(frame, decode), onGuest, name);
        expect(found).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });

  it('carries the bytes of a large map reply', () => {
    const data = new Uint8Array((3 << 20) + 4).fill(7);
    data[data.length - 1] = 9;
    const frame = frameOf((writer) => {
      const record = writer.begin(29);
      host.encodeVesperMapReply(writer, { data });
      writer.end(record);
    });
    const reply = readRecord(frame, guest.decodeVesperMapReply);
    expect(Buffer.compare(reply.data as Uint8Array, data)).toBe(0);
  });
});

describe('every event', () => {
  it.each(events.map((event) => [event.name, event] as const))('%s', (name, event) => {
    const encode = hostSide[encoderOf(name)];
    expect(encode).toBeTypeOf('function');
    const heard: unknown[][] = [];
    const handlers = { [wordOf(name)]: (...args: unknown[]) => heard.push(args) } as unknown as guest.EventHandlers;
    const targets: (typeof id)[] = event.target.kind === 'object' ? [id] : [];
    fc.assert(
      fc.property(fc.tuple<unknown[]>(...targets, ...event.fields.map(fieldArbitrary)), (values) => {
        heard.splice(0);
        const deliver = readRecord(
          frameOf((writer) => encode!(writer, ...values)),
          (reader) => guest.decodeEvent(reader, handlers),
        );
        // Nobody hears of it before the record was read whole.
        if (heard.length !== 0) throw new Error('heard while it was decoded');
        deliver!();
        const [args, ...others] = heard;
        if (args?.length !== values.length || others.length > 0) throw new Error('not heard, or not as it was said');
        if (targets.length > 0 && args[0] !== values[0]) throw new Error('another target');
        for (const [index, field] of event.fields.entries()) {
          const at = index + targets.length;
          const found = difference(field.type, values[at], args[at], onGuest, `${name}: ${field.name}`);
          expect(found).toBeUndefined();
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('is told apart from a reply', () => {
    const opcodes = new Set(events.map((event) => event.opcode));
    for (const command of commands) {
      expect(opcodes.has(command.opcode), command.name).toBe(false);
      const frame = frameOf((writer) => writer.end(writer.begin(command.opcode)));
      const handlers = {} as guest.EventHandlers;
      expect(
        readRecord(frame, (reader) => guest.decodeEvent(reader, handlers)),
        command.name,
      ).toBeUndefined();
    }
  });
});
