import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ObjectIds, WireReader, WireWriter, type ObjectResolver } from '@vesper-gpu/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encoderName } from '../../packages/codegen/src/emit/c-names.ts';
import { CTypes } from '../../packages/codegen/src/emit/c-types.ts';
import { capital, wordOf } from '../../packages/codegen/src/emit/names.ts';
import { generate, write } from '../../packages/codegen/src/generate.ts';
import type { WireSchema } from '../../packages/codegen/src/schema/schema.ts';
import { removeWorkspaces, Workspace } from '../../packages/codegen/test-assets/workspace.ts';
import { build, compiler, firstDifference, mainProgram, output, remove } from './c-program.ts';
import { Random } from './random.ts';
import { pattern, Sampler } from './samples.ts';

const MODULES = join(import.meta.dirname, '../../generated/node_modules');

type Encoder = (w: WireWriter, ...values: unknown[]) => void;

interface Guest {
  [encoder: `encode${string}`]: Encoder;
  GPUThingBase: new (parent: object, id: number) => { split(): object };
}

interface Host {
  decodeGPUThingDescriptor(r: WireReader, objects: ObjectResolver): object;
}

/** What decodes the tiny descriptor on the host. */
function hostOf(workspace: Workspace): Promise<Host> {
  const path = join(workspace.options.output, 'src/host/dictionaries/GPUThingDescriptor.ts');
  return import(/* @vite-ignore */ path) as Promise<Host>;
}

async function firstRevision(): Promise<Workspace> {
  const workspace = Workspace.tiny();
  symlinkSync(MODULES, join(workspace.folder, 'node_modules'));
  await write(await generate(workspace.options), workspace.options);
  return workspace;
}

/** The tiny IDL one revision later: a member, two arguments, a command and a create more than deployed hosts know. */
async function secondRevision(): Promise<{ workspace: Workspace; schema: WireSchema; before: Guest; after: Guest }> {
  const first = await firstRevision();
  const workspace = first.copy();
  symlinkSync(MODULES, join(workspace.folder, 'node_modules'));

  const { idl } = workspace.options;
  workspace.replace(idl, '    float bias', '    boolean isFast = true;\n    GPUFormat depth;\n    float bias');
  workspace.replace(
    idl,
    'AllowSharedBufferSource data)',
    'AllowSharedBufferSource data, optional DOMString note = "")',
  );
  workspace.replace(
    idl,
    'undefined destroy()',
    'undefined sort();\n    GPUThing split();\n    undefined destroy(optional unsigned long mode = 7)',
  );
  workspace.editOverlay(({ members }) => {
    const entry = { cost: 'constant', group: 'core' };
    members['GPUThing.sort'] = { class: 'command', ownership: 'uses', ...entry };
    members['GPUThing.split'] = { class: 'create', ownership: 'creates', ...entry };
  });
  const generated = await generate(workspace.options);
  await write(generated, workspace.options);
  const guest = (one: Workspace): Promise<Guest> =>
    import(/* @vite-ignore */ join(one.options.output, 'src/guest/index.ts')) as Promise<Guest>;
  return { workspace, schema: generated.schema, before: await guest(first), after: await guest(workspace) };
}

function written(revision: number, encode: (w: WireWriter) => void): Uint8Array<ArrayBuffer> {
  const w = new WireWriter();
  w.revision = revision;
  encode(w);
  return w.takeFrame();
}

const THING = { label: 'a', size: 5, format: 'rgba8', formats: [], bias: 0.5, isMapped: false };

describe('a guest of revision 2', () => {
  let guest: Guest;
  let old: Guest;
  let schema: WireSchema;
  let workspace: Workspace;

  beforeAll(async () => {
    ({ after: guest, before: old, schema, workspace } = await secondRevision());
  });
  afterAll(removeWorkspaces);

  it('has a schema that says so', () => {
    expect(schema.revision).toBe(2);
    const since = schema.commands.filter((command) => command.since === 2).map((command) => command.name);
    expect(since).toEqual(['GPUThing.sort', 'GPUThing.split']);
  });

  it('leaves out for a host of revision 1 what that does not know', () => {
    const news = { isFast: false, depth: '2d' };
    const pairs: [string, Encoder, Encoder, unknown[], unknown[]][] = [
      [
        'dictionary members',
        guest.encodeDeviceCreateThing!,
        old.encodeDeviceCreateThing!,
        [1, 2, { ...THING, ...news }],
        [1, 2, THING],
      ],
      ['an argument of a fixed record', guest.encodeThingDestroy!, old.encodeThingDestroy!, [1, 3], [1]],
      [
        'an argument of a variable record',
        guest.encodeDeviceWrite!,
        old.encodeDeviceWrite!,
        [1, 2, 3, new Uint8Array(5), 'note'],
        [1, 2, 3, new Uint8Array(5)],
      ],
    ];
    for (const [what, encode, oldEncode, values, oldValues] of pairs) {
      const expected = written(1, (w) => oldEncode(w, ...oldValues));
      expect(
        written(1, (w) => encode(w, ...values)),
        what,
      ).toEqual(expected);
      expect(written(2, (w) => encode(w, ...values)).byteLength, what).toBeGreaterThan(expected.byteLength);
    }
  });

  it('sends to a host of revision 2 what is new, and leaves out its defaults', () => {
    const destroy = (mode: number): number[] => {
      const reader = new WireReader(100);
      reader.open(written(2, (w) => guest.encodeThingDestroy!(w, 1, mode)).slice(4));
      reader.nextRecord();
      const words: number[] = [];
      while (reader.more) words.push(reader.u32());
      return words;
    };
    expect(destroy(3)).toEqual([1, 3]);
    expect(destroy(7)).toEqual([1]);
  });

  it('refuses to send a command that the host does not know, and writes nothing', () => {
    const w = new WireWriter();
    w.revision = 1;
    expect(() => guest.encodeThingSort!(w, 1)).toThrow('GPUThing.sort needs schema revision 2, the host has 1');
    expect(w.isEmpty).toBe(true);
    w.revision = 2;
    guest.encodeThingSort!(w, 1);
    expect(w.isEmpty).toBe(false);
  });

  it('takes no id for an object that it cannot create, as the host wants ids without gaps', () => {
    const stream = { writer: new WireWriter(), ids: new ObjectIds() };
    stream.writer.revision = 1;
    const thing = new guest.GPUThingBase({ stream }, 1);
    expect(() => thing.split()).toThrow('GPUThing.split needs schema revision 2, the host has 1');
    expect(stream.ids.allocate()).toBe(new ObjectIds().allocate());
  });

  it('does all that in C too', () => {
    const data = pattern();
    const sampler = new Sampler(schema, new CTypes(schema), new Random(7), data);
    const calls = schema.commands
      .filter((command) => command.class !== 'runtime' && command.since === 1)
      .flatMap((command) =>
        Array.from({ length: 20 }, () => {
          const { values, c } = sampler.command(command);
          const encode = guest[`encode${capital(wordOf(command.name))}`]!;
          return {
            encode: (w: WireWriter) => encode(w, ...values),
            c: `${encoderName(command)}(${['w', ...c].join(', ')});`,
          };
        }),
      );
    const program = build(
      compiler(),
      join(workspace.options.output, 'c'),
      mainProgram(
        calls.map((call) => call.c),
        'vesper_encode_thing_destroy(&w, 1, 3); vesper_encode_thing_sort(&w, 1);',
      ),
    );
    const sizes = [1, 2].map((revision) => {
      const expected = Buffer.concat(calls.map((call) => written(revision, call.encode)));
      expect(firstDifference(output(program, 'each', String(revision)), expected), `revision ${revision}`).toBe(-1);
      return expected.byteLength;
    });
    expect(sizes[1]).toBeGreaterThan(sizes[0]!);
    // VESPER_HOST_TOO_OLD, and no frame; VESPER_OK, and one.
    expect(output(program, 'failing', '1').toString()).toBe('3 1 1\n');
    expect(output(program, 'failing', '2').toString()).toBe('0 0 0\n');
    remove(program);
  });
});

describe('a host of revision 2', () => {
  const objects: ObjectResolver = {
    object: () => ({}),
    nullableObject: () => null,
  };
  afterAll(removeWorkspaces);

  /** What the host makes of a descriptor from a guest of revision 1. */
  function decoded(host: Host, old: Guest, thing: object): object {
    const frame = written(1, (w) => {
      const record = w.begin(1);
      old['encodeGPUThingDescriptor']!(w, thing);
      w.end(record);
    });
    const reader = new WireReader(100);
    reader.open(frame.slice(4));
    reader.nextRecord();
    const value = host.decodeGPUThingDescriptor(reader, objects);
    reader.finish();
    return value;
  }

  it('understands a guest of revision 1', async () => {
    const { workspace, before } = await secondRevision();
    const host = await hostOf(workspace);
    expect(decoded(host, before, { ...THING, viewFormat: '2d' })).toEqual({ label: 'a', size: 5, viewFormat: '2d' });
  });

  it('refuses a member that was taken away, and misreads nothing', async () => {
    const first = await firstRevision();
    const old = (await import(/* @vite-ignore */ join(first.options.output, 'src/guest/index.ts'))) as Guest;
    const workspace = first.copy();
    symlinkSync(MODULES, join(workspace.folder, 'node_modules'));
    workspace.replace(workspace.options.idl, '    GPUFormat viewFormat;\n', '');
    await write(await generate(workspace.options), workspace.options);
    const host = await hostOf(workspace);
    const thing = { ...THING, formats: ['2d'], isMapped: true };
    expect(decoded(host, old, thing)).toEqual({ label: 'a', size: 5, formats: ['2d'], isMapped: true });
    expect(() => decoded(host, old, { ...thing, viewFormat: '2d' })).toThrow(
      /^unknown-field: a member that was removed/,
    );
  });
});
