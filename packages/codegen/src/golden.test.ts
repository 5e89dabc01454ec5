import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { filesOf, removeWorkspaces, Workspace } from '../test-assets/workspace.ts';
import { generate } from './generate.ts';

/** The exact output for tiny.idl. `UPDATE=1 npx vitest run packages/codegen` writes it anew; review the diff. */
const EXPECTED = join(import.meta.dirname, '../test-assets/tiny/expected');

afterAll(removeWorkspaces);

describe('the output for a tiny IDL', async () => {
  const workspace = Workspace.tiny();
  const { files } = await generate(workspace.options);

  it('is what is stored, file by file', () => {
    const actual = new Map([...files].map(([path, text]) => [relative(workspace.folder, path), text]));
    if (process.env['UPDATE']) {
      rmSync(EXPECTED, { recursive: true, force: true });
      for (const [path, text] of actual) {
        mkdirSync(dirname(join(EXPECTED, path)), { recursive: true });
        writeFileSync(join(EXPECTED, path), text);
      }
    }
    const expected = filesOf(EXPECTED);
    expect([...actual.keys()].toSorted()).toEqual([...expected.keys()]);
    for (const [path, text] of expected)
      expect(actual.get(path), `${path}; run with UPDATE=1 if it is right`).toBe(text);
  });

  it('is the same twice', async () => {
    const again = await generate(workspace.options);
    expect([...again.files]).toEqual([...files]);
  });

  it('has no time and no path of this machine', () => {
    const text = [...files.values()].join('\n');
    expect(text).not.toContain(workspace.folder);
    expect(text).not.toMatch(/\b20\d\d-\d\d-\d\d|\d\d:\d\d:\d\d/);
  });
});
