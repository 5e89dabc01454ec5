import * as guest from '@vesper-gpu/protocol/guest';
import { decoders } from '@vesper-gpu/protocol/host';
import type { WireWriter } from '@vesper-gpu/wire';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canBeUndefined, fieldArbitrary, id } from './arbitraries.ts';
import { asSent, difference, type Form } from './comparison.ts';
import { currentEncoder, frameOf, marker, RecordingHost, type Step } from './recording-host.ts';
import { commands, encoderOf, interfaceNumbers, maskOf, type CommandSchema } from './schema.ts';

const RUNS = 200;

type Encoder = (writer: WireWriter, ...values: unknown[]) => void;
const encoders = guest as unknown as Record<string, Encoder | undefined>;

const onHost: Form = { object: marker, recordsAsObjects: true, fillsDefaults: false };
const host = new RecordingHost();

/** One call of an encoder: the words before the fields, and the fields. */
interface Call {
  target: number;
  request: number;
  newIds: number[];
  fields: unknown[];
}

function callOf(command: CommandSchema): fc.Arbitrary<Call> {
  return fc.record({
    target: id,
    request: id,
    newIds: fc.tuple(...command.creates.map(() => id)),
    fields: fc.tuple(...command.fields.map(fieldArbitrary)),
  });
}

function argumentsOf(command: CommandSchema, call: Call): unknown[] {
  return [
    ...(command.target.kind === 'object' ? [call.target] : []),
    ...(command.class === 'request' ? [call.request] : []),
    ...call.newIds,
    ...call.fields,
  ];
}

function targetOf(command: CommandSchema, call: Call): object | undefined {
  if (command.target.kind === 'none') return undefined;
  return command.target.kind === 'object' ? marker(call.target) : currentEncoder;
}

/** The first thing that a decoder asks for is its target, with the interfaces that the schema names. */
function targetDifference(command: CommandSchema, call: Call, first: Step | undefined): string | undefined {
  const types = maskOf(command.target.interfaces);
  if (command.target.kind === 'none') return undefined;
  const isRight =
    command.target.kind === 'object'
      ? first?.what === 'object' && first.id === call.target && first.types === types
      : first?.what === 'currentEncoder' && first.types === types;
  return isRight ? undefined : `${command.name}: the target is ${JSON.stringify(first)}`;
}

/** Ids, types and the order of what a decoder does besides the call. */
function effectsDifference(command: CommandSchema, call: Call, steps: readonly Step[]): string | undefined {
  const effects = steps.filter((step) => step.what !== 'object' && step.what !== 'currentEncoder');
  const target = targetOf(command, call);
  const expected: unknown[] = [];
  if (command.class === 'request') {
    for (const newId of call.newIds) expected.push({ what: 'reserve', id: newId });
    expected.push({ what: 'request', id: call.request, opcode: command.opcode });
  }
  if (command.class === 'create') {
    expected.push({
      what: 'create',
      id: call.newIds[0],
      type: interfaceNumbers.get(command.creates[0]!),
      parent: target,
    });
  }
  const others = effects.slice(0, -1);
  const last = effects.at(-1);
  if (last?.what !== 'call' || last.name !== command.name)
    return `${command.name}: the last step is ${JSON.stringify(last?.what)}`;
  return JSON.stringify(others) === JSON.stringify(expected)
    ? undefined
    : `${command.name}: ${JSON.stringify(others)} instead of ${JSON.stringify(expected)}`;
}

/** What the handler was given. */
function argumentsDifference(command: CommandSchema, call: Call, steps: readonly Step[]): string | undefined {
  const step = steps.at(-1);
  if (step?.what !== 'call') return `${command.name}: no handler was called`;
  const args = [...step.args];
  const target = targetOf(command, call);
  if (target !== undefined && args.shift() !== target) return `${command.name}: another target`;
  if (command.class === 'request') {
    for (const newId of call.newIds) if (args.shift() !== newId) return `${command.name}: another new id`;
  }
  if (args.length !== command.fields.length) return `${command.name}: ${args.length} arguments`;
  for (const [index, field] of command.fields.entries()) {
    const given = call.fields[index];
    const path = `${command.name}: ${field.name}`;
    if (given === undefined) {
      const absent = field.default === 'empty-dictionary' ? '{}' : undefined;
      if (JSON.stringify(args[index]) !== absent) return `${path}: was absent, became ${JSON.stringify(args[index])}`;
      continue;
    }
    const found = difference(field.type, asSent(field, given), args[index], onHost, path);
    if (found !== undefined) return found;
  }
  return undefined;
}

function check(command: CommandSchema, call: Call): string | undefined {
  const encode = encoders[encoderOf(command.name)]!;
  host.decode(frameOf((writer) => encode(writer, ...argumentsOf(command, call))));
  const { steps } = host;
  return (
    targetDifference(command, call, steps[0]) ??
    effectsDifference(command, call, steps) ??
    argumentsDifference(command, call, steps)
  );
}

describe('every command, from the guest encoder to the host decoder', () => {
  it('has an encoder, a decoder and an arbitrary', () => {
    const incomplete = commands.filter(
      (command) =>
        encoders[encoderOf(command.name)] === undefined ||
        decoders[command.opcode] === undefined ||
        fc.sample(callOf(command), 1).length !== 1,
    );
    expect(incomplete.map((command) => command.name)).toEqual([]);
    // And nothing is decoded that the schema does not have.
    const opcodes = new Set(commands.map((command) => command.opcode));
    expect(decoders.flatMap((decode, opcode) => (decode && !opcodes.has(opcode) ? [opcode] : []))).toEqual([]);
    expect(commands.length).toBeGreaterThan(60);
  });

  it.each(commands.map((command) => [command.name, command] as const))('%s', (_, command) => {
    fc.assert(
      fc.property(callOf(command), (call) => {
        expect(check(command, call)).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });

  it('leaves trailing defaults out, and nothing else', () => {
    for (const command of commands) {
      const firstOptional = command.fields.findIndex((field) => !field.required);
      if (firstOptional < 0 || firstOptional !== 0) continue;
      const absent = command.fields.map((field) =>
        canBeUndefined(field) ? undefined : field.default === 'empty-sequence' ? [] : field.default,
      );
      const call: Call = {
        target: 7,
        request: 8,
        newIds: command.creates.map((_, index) => 9 + index),
        fields: absent,
      };
      const encode = encoders[encoderOf(command.name)]!;
      const frame = frameOf((writer) => encode(writer, ...argumentsOf(command, call)));
      const words =
        1 + (command.target.kind === 'object' ? 1 : 0) + (command.class === 'request' ? 1 : 0) + command.creates.length;
      expect(frame.byteLength, command.name).toBe(4 + 4 * words);
    }
  });
});

describe('bulk data', () => {
  const sizes = [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, (2 << 20) + 3];

  it.each(sizes)('of %i bytes arrives as it was sent', (size) => {
    const data = new Uint8Array(size);
    for (let i = 0; i < size; i++) data[i] = Math.imul(i, 0x9e3779b1) >>> 24;
    host.decode(frameOf((writer) => guest.encodeQueueWriteBuffer(writer, 1, 2, 3, data)));
    const step = host.steps.at(-1);
    expect(step?.what).toBe('call');
    if (step?.what !== 'call') return;
    expect(Buffer.compare(step.args[3] as Uint8Array, data)).toBe(0);
  });

  it('of more ranges than a program is likely to map is no offence', () => {
    // One buffer, asked for in pieces of a little more than a MiB: each is a block of its own.
    const piece = new Uint8Array((1 << 20) + 8);
    const writes = Array.from({ length: 70 }, (_, index) => ({ offset: index * piece.byteLength, data: piece }));
    host.decode(frameOf((writer) => guest.encodeBufferUnmap(writer, 1, writes)));
    expect(host.steps.at(-1)?.what).toBe('call');
  });

  it('keeps its order when a record refers to several blocks', () => {
    const blocks = [5, 3, 6, 4].map((size, index) => new Uint8Array((size << 18) + index).fill(index + 1));
    host.decode(
      frameOf((writer) =>
        guest.encodeBufferUnmap(
          writer,
          1,
          blocks.map((data, index) => ({ offset: 8 * index, data })),
        ),
      ),
    );
    const step = host.steps.at(-1);
    if (step?.what !== 'call') throw new Error('no call');
    const writes = step.args[1] as { offset: number; data: Uint8Array }[];
    expect(writes.map(({ offset, data }) => [offset, data.byteLength, data[0], data.at(-1)])).toEqual(
      blocks.map((data, index) => [8 * index, data.byteLength, index + 1, index + 1]),
    );
  });
});
