import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OPCODE_BEGIN_BULK, OPCODE_BULK_CHUNK } from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';
import { faults } from '../test-assets/json-schema-validator.ts';
import { filesOf } from '../test-assets/workspace.ts';
import type { WireSchema } from './schema/schema.ts';

const GENERATED = join(import.meta.dirname, '../../../generated');
const json = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(GENERATED, path), 'utf8')) as Record<string, unknown>;
const schema = json('schema/vesper.schema.json') as unknown as WireSchema;
const schemaOfSchema = json('schema/vesper.schema.schema.json');
const pages = filesOf(join(GENERATED, 'docs'));

describe('the published schema', () => {
  it('is what its JSON Schema describes', () => {
    expect(faults(schema, schemaOfSchema)).toEqual([]);
  });

  it('would not be with a fault in it', () => {
    const first = schema.commands[0]!;
    const broken = (commands: unknown[]): string[] => faults({ ...schema, commands }, schemaOfSchema);
    expect(broken([{ ...first, class: 'sent' }])).toEqual(['$.commands[0].class: sent is not in the enum']);
    expect(broken([{ ...first, colour: 'red' }])).toEqual(['$.commands[0].colour is unknown']);
    expect(broken([{ ...first, opcode: '1' }])).toEqual(['$.commands[0].opcode is no number']);
    expect(
      broken([{ ...first, fields: [{ name: 'x', required: true, since: 1, type: { kind: 'int' } }] }]),
    ).toHaveLength(1);
  });

  it('gives the runtime its two records', () => {
    const opcodes = new Map(schema.commands.map((command) => [command.name, command.opcode]));
    expect(opcodes.get('VesperStream.beginBulk')).toBe(OPCODE_BEGIN_BULK);
    expect(opcodes.get('VesperStream.bulkChunk')).toBe(OPCODE_BULK_CHUNK);
  });

  it('gives no number twice', () => {
    const twice = (numbers: readonly number[]): number[] =>
      numbers.filter((number, index) => numbers.indexOf(number) !== index);
    expect(twice([...schema.commands, ...schema.events].map((record) => record.opcode))).toEqual([]);
    expect(twice(schema.interfaces.map((one) => one.number).filter((number) => number > 0))).toEqual([]);
    for (const one of schema.enums) expect(twice(one.values.map((value) => value.number)), one.name).toEqual([]);
    for (const one of schema.dictionaries)
      expect(twice(one.fields.flatMap((field) => field.bit ?? [])), one.name).toEqual([]);
  });
});

describe('the protocol reference', () => {
  /** Anchors of the headings of a page, as they are made of English ones. */
  const anchors = (page: string): string[] =>
    [...page.matchAll(/^#+ (.*)$/gm)].map((match) =>
      match[1]!
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );

  it('has a section for every record, with its opcode', () => {
    for (const record of [...schema.commands, ...schema.events]) {
      const page = pages.get(`${record.name.split('.')[0]!}.md`) ?? '';
      const section =
        page
          .split('\n## ')
          .find((text) => text.startsWith(`${record.name}\n`) || text.startsWith(`${record.name} (event)`)) ?? '';
      expect(section, record.name).toContain(`opcode ${record.opcode}, since ${record.since}`);
      expect(section, record.name).toContain(record.spec);
      expect(pages.get('README.md')).toContain(`[${record.name}]`);
    }
  });

  it('has a section for every enum and every dictionary that crosses the wire', () => {
    for (const one of schema.enums) expect(pages.get('enums.md')).toContain(`## ${one.name}\n`);
    for (const one of schema.dictionaries.filter(({ fromGuest, fromHost }) => fromGuest || fromHost))
      expect(pages.get('dictionaries.md')).toContain(`## ${one.name}\n`);
  });

  it('has no broken link', () => {
    const links = [...pages].flatMap(([path, text]) =>
      [...text.matchAll(/\]\(([^)]*)\)/g)].map((match) => ({ path, target: match[1]! })),
    );
    const relative = links.filter(({ target }) => !/^https?:/.test(target));
    expect(relative.length).toBeGreaterThan(100);
    const broken = relative.filter(({ path, target }) => {
      const [file, anchor] = target.split('#') as [string, string?];
      const page = pages.get(file === '' ? path : join(dirname(path), file));
      return page === undefined || (anchor !== undefined && !anchors(page).includes(anchor));
    });
    expect(broken).toEqual([]);
  });
});
