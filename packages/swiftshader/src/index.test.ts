import { execFile } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { unpackArchive } from './archive.ts';
import { contents, sha256 } from './contents.ts';
import { assertPlatform, swiftShader, SwiftShaderError } from './index.ts';
import { readTar } from './tar.ts';

const run = promisify(execFile);
const supported = process.platform === 'linux' && process.arch === 'x64';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vesper-test-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Variables that keep the test out of the user's real cache. */
const environment = () => ({ XDG_CACHE_HOME: join(root, 'cache'), TMPDIR: join(root, 'tmp') });

describe('swiftShader', () => {
  it('says on every other platform what to do', () => {
    assertPlatform('linux', 'x64');
    for (const [platform, architecture] of [
      ['darwin', 'arm64'],
      ['win32', 'x64'],
      ['linux', 'arm64'],
    ] as const) {
      expect(() => assertPlatform(platform, architecture)).toThrow(SwiftShaderError);
      expect(() => assertPlatform(platform, architecture)).toThrow(`${platform} on ${architecture}. `);
    }
  });

  it('holds the pinned contents, or prints the new ones', () => {
    const actual = [...unpackArchive()].map(([name, bytes]) => ({ name, size: bytes.length, sha256: sha256(bytes) }));
    expect(new Set(actual)).toEqual(new Set(contents));
  });

  describe.runIf(supported)('on this platform', () => {
    it('unpacks into a private folder once and reuses it', () => {
      const first = swiftShader(environment());
      expect(dirname(first.directory)).toBe(join(root, 'cache', 'vesper'));
      expect(readdirSync(first.directory).toSorted()).toEqual(contents.map((file) => file.name).toSorted());
      expect(statSync(first.directory).mode & 0o777).toBe(0o700);
      expect(statSync(dirname(first.directory)).mode & 0o777).toBe(0o700);
      expect(first.environment).toEqual({ LD_LIBRARY_PATH: first.directory, VK_DRIVER_FILES: first.icdFile });

      const before = statSync(first.icdFile).ino;
      expect(swiftShader(environment())).toEqual(first);
      expect(statSync(first.icdFile).ino).toBe(before);
      expect(readdirSync(dirname(first.directory))).toHaveLength(1);
    });

    it('keeps a library path that was set', () => {
      const { directory, environment: variables } = swiftShader({ ...environment(), LD_LIBRARY_PATH: '/opt/lib' });
      expect(variables.LD_LIBRARY_PATH).toBe(`${directory}:/opt/lib`);
    });

    it('rebuilds a damaged cache', () => {
      const { directory } = swiftShader(environment());
      const library = join(directory, 'libvulkan.so.1');
      const size = statSync(library).size;
      truncateSync(library, 1000);
      writeFileSync(join(directory, 'stray'), '');
      swiftShader(environment());
      expect(statSync(library).size).toBe(size);
      expect(readdirSync(dirname(directory))).toEqual([directory.slice(dirname(directory).length + 1)]);

      writeFileSync(library, Buffer.alloc(size)); // right size, wrong bytes
      swiftShader(environment());
      expect(contents.map((file) => file.sha256)).toContain(sha256(readFileSync(library)));
    });

    it('falls back to the folder for temporary files', () => {
      writeFileSync(join(root, 'cache'), 'a file where the folder would be');
      mkdirSync(join(root, 'tmp'));
      const { directory } = swiftShader(environment());
      expect(directory.startsWith(join(root, 'tmp', 'vesper-'))).toBe(true);
    });

    it('loads nothing from a folder that others may write to, and says so', () => {
      const variables = { XDG_CACHE_HOME: join(root, 'a:b'), TMPDIR: join(root, 'tmp') };
      const { directory } = swiftShader(variables);
      chmodSync(dirname(directory), 0o777);
      chmodSync(directory, 0o777);
      expect(() => swiftShader(variables)).toThrow(
        expect.objectContaining({
          code: 'SWIFTSHADER_CACHE_UNUSABLE',
          message: expect.stringContaining('others may write'),
        }),
      );
    });

    it('serves processes that start at the same time', async () => {
      const script = `import { swiftShader } from ${JSON.stringify(import.meta.resolve('./index.ts'))};
        console.log(swiftShader().directory);`;
      const results = await Promise.all(
        Array.from({ length: 4 }, () =>
          run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
            env: { ...process.env, ...environment() },
          }),
        ),
      );
      expect(new Set(results.map((result) => result.stdout)).size).toBe(1);
      expect(readdirSync(join(root, 'cache', 'vesper'))).toHaveLength(1);
    });
  });
});

describe('readTar', () => {
  it('reads what tar writes, and only what is wanted', async () => {
    writeFileSync(join(root, 'a'), 'x'.repeat(513));
    writeFileSync(join(root, 'b'), '');
    await run('tar', ['--format=ustar', '-cf', 'out.tar', 'a', 'b'], { cwd: root });
    const archive = readFileSync(join(root, 'out.tar'));
    expect([...readTar(archive, new Set(['b']))]).toEqual([['b', Buffer.alloc(0)]]);
    expect(
      readTar(archive, new Set(['a', 'c']))
        .get('a')
        ?.toString(),
    ).toBe('x'.repeat(513));
    expect(() => readTar(archive.subarray(0, 600), new Set(['a']))).toThrow(RangeError);
  });
});
