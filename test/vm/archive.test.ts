import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { writeArchive } from '../../scripts/vm/archive.mjs';

const folder = mkdtempSync(join(tmpdir(), 'vesper-archive-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Reads an archive as its format is documented: 13 fields of 8 digits behind a magic, a name, the content. */
function read(bytes: Buffer) {
  const entries: { name: string; mode: number; content: string }[] = [];
  for (let at = 0; ;) {
    expect(at % 4).toBe(0);
    expect(bytes.toString('latin1', at, at + 6)).toBe('070701');
    const field = (i: number): number => Number.parseInt(bytes.toString('latin1', at + 6 + 8 * i, at + 14 + 8 * i), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const nameEnd = at + 110 + nameSize;
    const name = bytes.toString('utf8', at + 110, nameEnd - 1);
    expect(bytes[nameEnd - 1]).toBe(0);
    const start = Math.ceil(nameEnd / 4) * 4;
    if (name === 'TRAILER!!!') return entries;
    entries.push({ name, mode, content: bytes.toString('latin1', start, start + size) });
    at = Math.ceil((start + size) / 4) * 4;
  }
}

describe('an archive', () => {
  it('has what was put into it, each folder before what is in it', () => {
    const path = join(folder, 'one');
    const content = Buffer.from('abcde');
    writeArchive(
      path,
      [
        { name: 'lib/deep/file', content },
        { name: 'init', content, isExecutable: true },
      ],
      ['dev', 'a/b'],
    );
    expect(read(readFileSync(path))).toEqual([
      ...['a', 'a/b', 'dev', 'lib', 'lib/deep'].map((name) => ({ name, mode: 0o040755, content: '' })),
      { name: 'lib/deep/file', mode: 0o100644, content: 'abcde' },
      { name: 'init', mode: 0o100755, content: 'abcde' },
    ]);
  });

  it('keeps to the alignment whatever the names and sizes, and is the same again', () => {
    const names = fc.stringMatching(/^[a-zäß]{1,9}$/);
    const files = fc.uniqueArray(fc.record({ name: names, content: fc.uint8Array({ maxLength: 20 }) }), {
      selector: ({ name }) => name,
    });
    fc.assert(
      fc.property(files, (entries) => {
        const [first, second] = ['first', 'second'].map((name) => {
          writeArchive(join(folder, name), entries);
          return readFileSync(join(folder, name));
        });
        expect(first!.equals(second!)).toBe(true);
        expect(read(first!)).toEqual(
          entries.map(({ name, content }) => ({
            name,
            mode: 0o100644,
            content: Buffer.from(content).toString('latin1'),
          })),
        );
      }),
      { numRuns: 50 },
    );
  });
});
