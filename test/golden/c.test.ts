import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as guest from '@vesper-gpu/protocol/guest';
import { WireWriter } from '@vesper-gpu/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encoderName } from '../../packages/codegen/src/emit/c-names.ts';
import { CTypes } from '../../packages/codegen/src/emit/c-types.ts';
import { capital, wordOf } from '../../packages/codegen/src/emit/names.ts';
import type { WireSchema } from '../../packages/codegen/src/schema/schema.ts';
import { build, compiler, firstDifference, mainProgram, output, remove, warnings } from './c-program.ts';
import { Random } from './random.ts';
import { pattern, Sampler, string } from './samples.ts';

const GENERATED = join(import.meta.dirname, '../../generated');
const FOLDER = join(GENERATED, 'c');
const SEED = 20_240_611;
const SETS_A_COMMAND = 12;

type Encoder = (w: WireWriter, ...values: unknown[]) => void;

/** One call of an encoder in both languages. */
interface Call {
  name: string;
  encode(w: WireWriter): void;
  c: string;
}

const schema = JSON.parse(readFileSync(join(GENERATED, 'schema/vesper.schema.json'), 'utf8')) as WireSchema;
const commands = schema.commands.filter((command) => command.class !== 'runtime');
const data = pattern();

function randomCalls(): Call[] {
  const sampler = new Sampler(schema, new CTypes(schema), new Random(SEED), data);
  return commands.flatMap((command) =>
    Array.from({ length: SETS_A_COMMAND }, (_, set): Call => {
      const { values, c } = sampler.command(command);
      const encode = (guest as unknown as Record<string, Encoder>)[`encode${capital(wordOf(command.name))}`]!;
      return {
        name: `${command.name}, set ${set}, seed ${SEED}`,
        encode: (w) => encode(w, ...values),
        c: `${encoderName(command)}(${['w', ...c].join(', ')});`,
      };
    }),
  );
}

/** Sizes at which the encoding changes. */
function edgeCalls(): Call[] {
  const calls: Call[] = [];
  for (const size of [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (2 << 20) + 5, 3 << 20]) {
    calls.push({
      name: `writeBuffer of ${size} bytes`,
      encode: (w) => guest.encodeQueueWriteBuffer(w, 1, 2, 3, data.subarray(0, size)),
      c: `vesper_encode_queue_write_buffer(w, 1, 2, 3, (vesper_bytes){ pattern, ${size} });`,
    });
  }
  const sizes = [(1 << 20) + 4, 3, (1 << 20) + 9];
  calls.push({
    name: 'unmap with two blocks of bulk data',
    encode: (w) =>
      guest.encodeBufferUnmap(
        w,
        7,
        sizes.map((size, offset) => ({ offset, data: data.subarray(offset, offset + size) })),
      ),
    c: `vesper_encode_buffer_unmap(w, 7, (const vesper_mapped_write[]){ ${sizes
      .map((size, offset) => `{ .offset = ${offset}, .data = { pattern + ${offset}, ${size} } }`)
      .join(', ')} }, ${sizes.length});`,
  });
  // Around the last length in words that fits a header: header, device, new id, mask, length and text.
  for (const words of [65_534, 65_535, 65_536, 80_000]) {
    const length = (words - 5) * 4;
    calls.push({
      name: `a shader module in a record of ${words} words`,
      encode: (w) =>
        guest.encodeDeviceCreateShaderModule(w, 1, 2, { label: '', code: 'a'.repeat(length), compilationHints: [] }),
      c: `char *text = malloc(${length}); memset(text, 'a', ${length}); vesper_encode_device_create_shader_module(w, 1, 2, &(vesper_shader_module_descriptor){ .code = { text, ${length} } }); free(text);`,
    });
  }
  // Labels are cut in UTF-16 units, and a pair of them may be cut in two.
  for (const label of [
    'é'.repeat(1024),
    'é'.repeat(1025),
    `${'x'.repeat(1022)}🦀`,
    `${'x'.repeat(1023)}🦀`,
    `${'x'.repeat(1024)}🦀`,
    '🦀'.repeat(600),
  ]) {
    calls.push({
      name: `a label of ${label.length} units`,
      encode: (w) => guest.encodeObjectBaseLabel(w, 9, label),
      c: `vesper_encode_object_base_label(w, 9, ${string(label).c});`,
    });
  }
  return calls;
}

function framesOf(stream: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < stream.byteLength;) {
    const byteLength = stream.readUInt32LE(at);
    frames.push(stream.subarray(at, at + byteLength));
    at += byteLength;
  }
  return frames;
}

/** What one call gives, as a frame. */
function frameOf(call: Call): Uint8Array {
  const w = new WireWriter();
  call.encode(w);
  return w.takeFrame();
}

/** More than the writer can have memory for, and a command that has to be left out then. */
const FAILING = `
    vesper_encode_queue_write_buffer(&w, 1, 2, 3, (vesper_bytes){ pattern, 5000 });
    vesper_encode_queue_submit(&w, 1, NULL, 0);`;

describe('the C encoder', () => {
  const calls = [...randomCalls(), ...edgeCalls()];
  let program = '';

  beforeAll(() => {
    program = build(
      compiler(),
      FOLDER,
      mainProgram(
        calls.map((call) => call.c),
        FAILING,
      ),
    );
  });

  afterAll(() => remove(program));

  it('has a function for every command', () => {
    const header = readFileSync(join(FOLDER, 'vesper_protocol.h'), 'utf8');
    for (const command of commands) {
      expect(header).toContain(`void ${encoderName(command)}(`);
      expect(header).toContain(`* ${command.name}, opcode ${command.opcode}, since revision ${command.since}.`);
    }
  });

  it('gives the bytes of the TypeScript encoders', () => {
    const printed = output(program, 'each');
    let offset = 0;
    for (const call of calls) {
      const expected = frameOf(call);
      const actual = printed.subarray(offset, offset + printed.readUInt32LE(offset));
      const at = firstDifference(actual, expected);
      expect(at, `${call.name}: byte ${at} differs in\n${call.c.slice(0, 2000)}`).toBe(-1);
      offset += actual.byteLength;
    }
    expect(offset).toBe(printed.byteLength);
  });

  it('cuts a stream into frames about where the TypeScript writer does, the first of which is short', () => {
    const frames: Uint8Array[] = [];
    const w: WireWriter = new WireWriter({ started: () => {}, full: () => void frames.push(w.takeFrame()) });
    for (const call of calls) call.encode(w);
    frames.push(w.takeFrame());
    const [fromC, fromTypeScript] = [framesOf(output(program, 'stream')), framesOf(Buffer.concat(frames))];
    expect(fromC.length).toBeGreaterThan(10);
    // The one looks before each record, the other where the record would end, if it knows: a short record's difference.
    const sizes = fromC.map((frame, i) => Math.abs(frame.byteLength - (fromTypeScript[i]?.byteLength ?? 0)));
    expect(Math.max(...sizes)).toBeLessThan(100);
    expect(Math.abs(fromC[0]!.byteLength - (16 << 10))).toBeLessThan(100);
    const records = (all: Uint8Array[]): Buffer => Buffer.concat(all.map((frame) => frame.subarray(4)));
    expect(firstDifference(records(fromC), records(fromTypeScript))).toBe(-1);
  });

  it('fails for good, and sends nothing, where memory ends', () => {
    expect(output(program, 'failing').toString()).toBe('1 1 1\n');
  });

  it('compiles without a warning under clang too, where that is there', () => {
    expect(warnings('clang', FOLDER)).toBe('');
  });
});
