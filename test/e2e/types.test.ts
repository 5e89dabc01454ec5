import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { tsc: string } };
const tsc = join(dirname(manifest), bin.tsc);

/** What the compiler says of a project; nothing if all is well. */
function compile(project: string): Promise<string> {
  const folder = fileURLToPath(new URL(project, import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}

describe('types', () => {
  it('of a connection are those of @webgpu/types, and the generated ones agree with them', async () => {
    expect(await compile('types')).toBe('');
  });

  it.each(['.', '../semantics', '../vm'])('of the tests in %s check', async (project) => {
    expect(await compile(project)).toBe('');
  });
});
