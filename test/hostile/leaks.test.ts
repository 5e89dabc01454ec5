import * as guest from '@vesper-gpu/protocol/guest';
import * as host from '@vesper-gpu/protocol/host';
import { HelloReader, WireWriter } from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';
import { frameOf, HELLO, helloBytes, RawEnd, serve } from '../session/pair.ts';
import { commands, encoderOf, events, schema, type TypeSchema } from '../wire/schema.ts';
import { Arena, idAt, settle } from './arena.ts';
import { argumentsOf, prefixOf, VARIANTS } from './baselines.ts';
import { fieldSample, sample } from './samples.ts';

type Encode = (writer: WireWriter, ...values: unknown[]) => void;
const hostSide = host as unknown as Record<string, Encode>;
const guestSide = guest as unknown as Record<string, Encode>;
const noIds = (): number => 1;

/** What a writer's memory may hold from before. */
const REMAINS = [0, -1, 0x5a5a5a5a];

/** How many frames `write` gives, counted by their bytes: the memory that the writer uses again differs. */
function distinctFrames(write: (writer: WireWriter) => void): number {
  const frames = REMAINS.map((word) => {
    const writer = new WireWriter();
    writer.words.fill(word);
    write(writer);
    return Buffer.from(writer.takeFrame()).toString('hex');
  });
  return new Set(frames).size;
}

/** Texts of every length modulo a word, so that there is every kind of padding. */
const TEXTS = [
  '',
  'a',
  'ab',
  'abc',
  'abcd',
  'é',
  'a text of more than sixty-four characters, which goes another way: é',
];

describe('a frame holds nothing of what its memory held before', () => {
  it.each(schema.dictionaries.filter((one) => one.fromHost).map((one) => [one.name, one] as const))(
    'with a reply of %s, every field or none',
    (name, { fields }) => {
      const encode = hostSide[`encode${name}`]!;
      const type: TypeSchema = { kind: 'dictionary', name };
      for (let variant = 0; variant < VARIANTS; variant++) {
        const whole = sample(type, noIds, variant) as Record<string, unknown>;
        const bare = Object.fromEntries(
          fields.map((field) => [field.name, field.bit === undefined ? whole[field.name] : field.default]),
        );
        for (const value of [whole, bare]) {
          const frames = distinctFrames((writer) => {
            const record = writer.begin(9);
            encode(writer, value);
            writer.end(record);
          });
          expect(frames).toBe(1);
        }
      }
    },
  );

  it.each(events.map((event) => [event.name, event] as const))('with the event %s', (name, event) => {
    for (let variant = 0; variant < VARIANTS; variant++) {
      const target = event.target.kind === 'object' ? [1] : [];
      const values = event.fields.map((field) => fieldSample(field, noIds, variant));
      expect(distinctFrames((writer) => hostSide[encoderOf(name)]!(writer, ...target, ...values))).toBe(1);
    }
  });

  it.each(commands.map((command) => [command.name, command] as const))('with the command %s', async (name, command) => {
    const arena = await Arena.open();
    for (let variant = 0; variant < VARIANTS; variant++) {
      const values = [...prefixOf(command, arena, variant), ...argumentsOf(command, arena, variant)];
      expect(distinctFrames((writer) => guestSide[encoderOf(name)]!(writer, ...values))).toBe(1);
    }
  });

  it('with text and bytes of any length', () => {
    for (const text of TEXTS) {
      expect(distinctFrames((writer) => host.encodeDeviceOnuncapturederror(writer, 1, 'validation', text))).toBe(1);
      expect(distinctFrames((writer) => host.encodeStreamEnded(writer, text, text, 1, 2))).toBe(1);
    }
    for (const byteLength of [0, 1, 2, 3, 4, 31, 32, 33, 35, (1 << 20) + 1, (2 << 20) + 3]) {
      const data = new Uint8Array(byteLength).fill(1);
      const frames = distinctFrames((writer) => {
        const record = writer.begin(29);
        host.encodeVesperMapReply(writer, { data });
        writer.end(record);
      });
      expect(frames).toBe(1);
    }
  });
});

const CANARY = 'CANARY-of-another-device';

describe('what the host sends', () => {
  it('holds nothing of what it sent before, although it writes into the same memory', async () => {
    const { guestEnd, backend } = serve();
    const raw = new RawEnd(guestEnd);
    const sent = (): number => raw.receivedBytes.byteLength;
    const answered = async (before: number): Promise<Uint8Array> => {
      while (sent() === before) await new Promise((resolve) => setImmediate(resolve));
      return raw.receivedBytes.subarray(before);
    };
    raw.send(helloBytes(HELLO));
    await answered(0);
    const write = (encode: (writer: WireWriter) => void): void => {
      const writer = new WireWriter();
      encode(writer);
      raw.send(writer.takeFrame());
    };
    let before = sent();
    const options = { featureLevel: 'core', forceFallbackAdapter: false, xrCompatible: false };
    write((w) => guest.encodeGpuRequestAdapter(w, 1, idAt(0), options));
    await answered(before);
    before = sent();
    const device = { label: '', requiredFeatures: [], requiredLimits: undefined };
    write((w) => guest.encodeAdapterRequestDevice(w, idAt(0), 2, idAt(1), idAt(2), device));
    await answered(before);
    let generation = 1;
    for (let length = 1; length < 600; length += 7) {
      before = sent();
      // The writer's memory is full of the canary.
      write((w) => guest.encodeStreamInjectError(w, idAt(1), 'internal', CANARY.repeat(length)));
      expect(Buffer.from(await answered(before)).includes(CANARY)).toBe(true);
      before = sent();
      backend.fail = (name) => {
        if (name === 'requestAdapter' && length % 2 === 0) throw new TypeError('é'.repeat(length));
      };
      write((w) => guest.encodeGpuRequestAdapter(w, 3, idAt(3, generation), options));
      write((w) => guest.encodeStreamRelease(w, [idAt(3, generation++)]));
      const answer = Buffer.from(await answered(before));
      expect(answer.includes('CANARY'), `${length}`).toBe(false);
    }
  });

  it('is the same for a guest that scribbles over all it gets', async () => {
    const transcripts: string[] = [];
    for (const scribbles of [false, true]) {
      const { guestEnd } = serve();
      const got: Buffer[] = [];
      guestEnd.start({
        bytes(chunk) {
          got.push(Buffer.from(chunk));
          if (scribbles) chunk.fill(0xff);
        },
        closed() {},
      });
      guestEnd.send(helloBytes(HELLO));
      for (let slot = 0; slot < 40; slot++) {
        guestEnd.send(frameOf(8 | (4 << 16), slot + 1, idAt(slot), 0));
        await new Promise((resolve) => setImmediate(resolve));
        await settle();
      }
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      const all = Buffer.concat(got);
      expect(new HelloReader('host').push(all)).toBeDefined();
      expect(got.length).toBe(41);
      transcripts.push(all.toString('hex'));
    }
    expect(transcripts[1]).toBe(transcripts[0]);
  });
});
