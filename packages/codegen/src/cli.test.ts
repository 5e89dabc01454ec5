import { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { removeWorkspaces, Workspace } from '../test-assets/workspace.ts';
import { main } from './cli.ts';
import { compare, generate, write } from './generate.ts';

const ROOT = join(import.meta.dirname, '../../..');
const out: string[] = [];
const errors: string[] = [];
vi.spyOn(console, 'log').mockImplementation((line: string) => void out.push(line));
vi.spyOn(console, 'error').mockImplementation((line: string) => void errors.push(line));

beforeEach(() => {
  out.length = 0;
  errors.length = 0;
});

afterAll(removeWorkspaces);

/** A tiny workspace whose output is up to date; tests change copies of it. */
const one = Workspace.tiny();
await write(await generate(one.options), one.options);

/** Runs a command there. */
function vesper(command: string, workspace = one): Promise<number> {
  return main([command, ...workspace.argv]);
}

describe('vesper check', () => {
  it('is clean behind vesper generate', async () => {
    expect(await vesper('check')).toBe(0);
    expect(errors).toEqual([]);
    expect(out.join()).toMatch(/^schema revision 1, hash \w{16}: \d+ commands.*is up to date$/);
  });

  it('names a changed, a missing and a stale file in every folder of its own, and changes nothing', async () => {
    const workspace = one.copy();
    const { output } = workspace.options;
    const changed = join(output, 'src/guest/GPUThing.ts');
    writeFileSync(changed, readFileSync(changed, 'utf8').replace('words[at] = ', 'words[at]  = '));
    appendFileSync(join(output, 'c/vesper_protocol.h'), '\n');
    rmSync(join(output, 'docs/enums.md'));
    writeFileSync(join(output, 'schema/stray.json'), '{}');
    mkdirSync(join(output, 'src/deep'));
    writeFileSync(join(output, 'src/deep/stray.ts'), '');
    symlinkSync('vesper_protocol.c', join(output, 'c/link.c'));
    const before = workspace.hash();
    expect(await vesper('check', workspace)).toBe(1);
    expect(out.map((line) => line.replace(/ +.*output\//, ' '))).toEqual([
      'stale c/link.c',
      'changed c/vesper_protocol.h',
      'missing docs/enums.md',
      'stale schema/stray.json',
      'stale src/deep/stray.ts',
      'changed src/guest/GPUThing.ts',
    ]);
    expect(errors.join()).toMatch(/^6 files not as the inputs give; run `vesper generate`$/);
    expect(workspace.hash()).toBe(before);

    expect(await vesper('generate', workspace)).toBe(0);
    expect(await vesper('check', workspace)).toBe(0);
    expect(workspace.hash()).toBe(one.hash());
  });

  it('leaves alone what is beside the folders of its own', async () => {
    const workspace = one.copy();
    writeFileSync(join(workspace.options.output, 'package.json'), '{}');
    expect(await vesper('check', workspace)).toBe(0);
  });

  it('names the lock file where it has to grow', async () => {
    const workspace = one.copy();
    workspace.replace(workspace.options.idl, '"rgba8",', '"rgba8", "r8",');
    expect(await vesper('check', workspace)).toBe(1);
    expect(out.find((line) => line.includes('wire.lock.json'))).toMatch(/^changed /);
  });

  it('starts a lock file where there is none', async () => {
    const workspace = one.copy();
    rmSync(workspace.lockFile);
    expect(await vesper('check', workspace)).toBe(1);
    expect(out.filter((line) => !line.startsWith('schema'))).toHaveLength(1);
    expect(out[0]).toMatch(/^missing .*wire\.lock\.json$/);
  });
});

describe('bad inputs', () => {
  it.each<[what: string, edit: (workspace: Workspace) => void, messages: RegExp[]]>([
    [
      'a removed overlay entry',
      (w) => w.editOverlay((overlay) => delete overlay.members['GPUThing.fill']),
      [/tiny\.idl: GPUThing\.fill has no entry in idl\/overlay\.json; classify it there/],
    ],
    [
      'a stale overlay entry',
      (w) => w.editOverlay((overlay) => (overlay.members['GPUThing.gone'] = { class: 'local', group: 'core' })),
      [/idl\/overlay\.json: the entry "GPUThing\.gone" names no member of the IDL; remove it/],
    ],
    [
      'several faults at once',
      (w) =>
        w.editOverlay((overlay) => {
          delete overlay.members['GPUThing.fill'];
          delete overlay.members['GPUDevice.write'];
        }),
      [/GPUThing\.fill has no entry/, /GPUDevice\.write has no entry/],
    ],
    [
      'a syntax error',
      (w) => w.replace(w.options.idl, 'enum GPUFormat', 'enumm GPUFormat'),
      [/tiny\.idl/, /Correct the Web IDL/],
    ],
    [
      'a changed type',
      (w) => w.replace(w.options.idl, 'float bias', 'double bias'),
      [/idl\/wire\.lock\.json: the type of GPUThingDescriptor\.bias changed/, /Give the new form a name/],
    ],
    ['a missing input', (w) => rmSync(w.extensionsFile), [/vesper\.webidl: ENOENT.*Name the right file or folder/]],
    [
      'a lock file that cannot be read',
      (w) => {
        rmSync(w.lockFile);
        mkdirSync(w.lockFile);
      },
      [/wire\.lock\.json: EISDIR/],
    ],
  ])('%s: a message, exit status 1, and an untouched output', async (_, edit, messages) => {
    const workspace = one.copy();
    edit(workspace);
    const before = workspace.hash();
    for (const command of ['generate', 'check']) {
      errors.length = 0;
      expect(await vesper(command, workspace)).toBe(1);
      for (const message of messages) expect(errors.join('\n')).toMatch(message);
    }
    expect(out).toEqual([]);
    expect(workspace.hash()).toBe(before);
  });

  it('says how it is used', async () => {
    expect(await main(['generat'])).toBe(2);
    expect(errors.join()).toMatch(/^usage: vesper generate \| check/);
  });
});

describe('the real inputs', () => {
  it('give what is in generated/', async () => {
    const options = { inputs: join(ROOT, 'idl'), output: join(ROOT, 'generated') };
    expect(await compare(await generate(options), options)).toEqual([]);
  });

  it('give output in which each fault is named', async () => {
    const workspace = Workspace.real();
    const all = await generate(workspace.options);
    await write(all, workspace.options);
    expect(await compare(all, workspace.options)).toEqual([]);

    const changed = join(workspace.options.output, 'src/guest/GPUQueue.ts');
    const stray = join(workspace.options.output, 'src/host/stray.ts');
    const missing = join(workspace.options.output, 'docs/GPUQueue.md');
    appendFileSync(changed, '\n');
    writeFileSync(stray, '');
    rmSync(missing);
    expect(await compare(all, workspace.options)).toEqual([
      { path: missing, kind: 'missing' },
      { path: changed, kind: 'changed' },
      { path: stray, kind: 'stale' },
    ]);

    workspace.editOverlay((overlay) => delete overlay.members['GPUQueue.submit']);
    await expect(generate(workspace.options)).rejects.toThrow(
      /webgpu\.idl: GPUQueue\.submit has no entry in idl\/overlay\.json/,
    );
  });
});
