import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { WireReader, type ObjectResolver, type WireWriter } from '@vesper-gpu/wire';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryOf } from './arbitraries.ts';
import { difference, type Form } from './comparison.ts';
import { frameOf, marker, RecordingHost } from './recording-host.ts';
import { commands, reachable, schema } from './schema.ts';

const RUNS = 200;
const SOURCES = join(import.meta.dirname, '../../generated/src');
const onHost: Form = { object: marker, recordsAsObjects: true, fillsDefaults: false };

type Encode = (writer: WireWriter, value: unknown) => void;
type Decode = (reader: WireReader, objects: ObjectResolver) => unknown;

/** A dictionary's code stands in a file of its own, and is no part of the package's interface. */
async function load<T>(side: string, name: string, functionName: string): Promise<T> {
  const url = pathToFileURL(join(SOURCES, side, 'dictionaries', `${name}.ts`)).href;
  const module = (await import(url)) as Record<string, T>;
  return module[functionName]!;
}

const sent = schema.dictionaries.filter((one) => one.fromGuest);

describe('every dictionary that the guest sends', () => {
  it('is reached by a command', () => {
    const reached = new Set<string>();
    for (const command of commands) for (const field of command.fields) reachable(field.type, reached);
    expect(sent.map((one) => one.name).toSorted()).toEqual([...reached].toSorted());
  });

  it.each(sent.map((one) => one.name))('%s', async (name) => {
    const encode = await load<Encode>('guest', name, `encode${name}`);
    const decode = await load<Decode>('host', name, `decode${name}`);
    const objects = new RecordingHost();
    const reader = new WireReader(1 << 20);
    const type = { kind: 'dictionary', name } as const;
    fc.assert(
      fc.property(arbitraryOf(type), (value) => {
        const frame = frameOf((writer) => {
          const record = writer.begin(1);
          encode(writer, value);
          writer.end(record);
        });
        reader.open(frame.subarray(4));
        reader.nextRecord();
        const decoded = decode(reader, objects);
        reader.finish();
        const found = difference(type, value, decoded, onHost, name);
        expect(found).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });
});
