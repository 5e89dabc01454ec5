import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('shows the example that compiles', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const shown = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  expect(shown).toBe(readFileSync(join(root, 'test/readme/example.ts'), 'utf8'));
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
  execFileSync(process.execPath, [join(dirname(manifest), 'bin/tsc'), '-p', join(root, 'test/readme')], {
    encoding: 'utf8',
  });
});

const pages = ['.', 'idl', ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`), 'generated/docs']
  .map((folder) => join(folder, 'README.md'))
  .concat('CONTRIBUTING.md', 'SECURITY.md', 'test/libraries/README.md');

it.each(pages)('%s links to files that exist', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map((match) => match[1]!);
  const broken = links.filter((link) => !existsSync(join(root, dirname(page), link)));
  expect(broken).toEqual([]);
});
