import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseOptions } from '../../scripts/vm/options.mjs';
import { guestSystem } from '../../scripts/vm/packages.mjs';

const MAIN = fileURLToPath(new URL('../../scripts/vm/main.mjs', import.meta.url));

/** A folder for PATH, with a QEMU that says its version and does nothing else. */
let programs: string;
let empty: string;
beforeAll(() => {
  programs = mkdtempSync(join(tmpdir(), 'vesper-vm-path-'));
  empty = join(programs, 'empty');
  mkdirSync(empty);
  const qemu = join(programs, 'qemu-system-x86_64');
  writeFileSync(qemu, '#!/bin/sh\necho QEMU emulator version 7.2.0\n');
  chmodSync(qemu, 0o755);
  symlinkSync('/bin/sh', join(programs, 'sh'));
});
afterAll(() => rmSync(programs, { recursive: true, force: true }));

/** What `npm run vm` says on stderr, its lines of progress left out, and its exit status. */
function vm(args: readonly string[], path: string) {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, PATH: path, VESPER_DRIVER: 'swiftshader' },
  });
  return { status, stderr };
}

describe.runIf(process.platform === 'linux' && process.arch === 'x64')(
  'npm run vm says in one line what is missing',
  () => {
    it.each([
      ['no QEMU', [], 'empty', /^vm: there is no QEMU \(qemu-system-x86_64\): .*apt-get install .*qemu-system-x86`\n$/],
      [
        'too little memory for a guest',
        ['--memory', '100'],
        'programs',
        /^vm: too little memory: the guest needs 512 MiB or more; .*--memory MIB\n$/,
      ],
      [
        'too little memory here',
        ['--memory', '1000000'],
        'programs',
        /^vm: too little memory: .* has \d+ MiB left; .*--memory MIB\n$/,
      ],
      [
        'a folder without packages',
        ['--packages', '/nonexistent'],
        'programs',
        /^vm: --packages \/nonexistent: no file there .*linux-image.*\n$/,
      ],
    ])('%s', (_, args, where, message) => {
      const { status, stderr } = vm(args, where === 'empty' ? empty : programs);
      expect(stderr).toMatch(message);
      expect(status).toBe(1);
    });

    it('no apt', () => {
      const before = process.env['PATH'];
      process.env['PATH'] = programs;
      try {
        expect(() => guestSystem(undefined, empty)).toThrow(
          /^apt knows no package linux-image-cloud-amd64, .*`apt-get update`.*--packages DIR$/,
        );
      } finally {
        process.env['PATH'] = before;
      }
    });

    it.each([
      [['--memory', 'much'], /^--memory wants MiB/],
      [['--nonsense'], /^Unknown option '--nonsense'/],
      [['--driver', 'fast'], /^--driver is auto, system or swiftshader/],
      [['--shell', 'program.mjs'], /^--shell leaves a shell and runs nothing/],
    ])('and how it is used: %j', (args, message) => {
      const { status, stderr } = vm(args, empty);
      expect(stderr).toMatch(message);
      expect(stderr).toContain('usage: npm run vm');
      expect(status).toBe(2);
    });

    it('knows its own options from those of the program', () => {
      expect(parseOptions(['--out', 'x', 'node', 'a.mjs', '--out', 'y']).command).toEqual(['a.mjs', '--out', 'y']);
      expect(parseOptions(['--', 'a.mjs', '--help'])).toMatchObject({ isHelp: false, command: ['a.mjs', '--help'] });
    });
  },
);
