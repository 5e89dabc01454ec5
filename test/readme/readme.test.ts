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

it('shows an example that runs to its end', () => {
  const vesper = join(root, 'packages/cli/bin/vesper.js');
  const register = createRequire(import.meta.url).resolve('tsx');
  // The example names its address; the host that `vesper run` starts is elsewhere.
  const program = `import { readFileSync, writeFileSync } from 'node:fs';
    const text = readFileSync(${JSON.stringify(join(root, 'test/readme/example.ts'))}, 'utf8');
    const address = JSON.stringify(process.env.VESPER_ADDRESS);
    const file = ${JSON.stringify(join(root, 'test/readme/'))} + 'example-' + process.pid + '.tmp.ts';
    writeFileSync(file, text.replace("'unix:/tmp/gpu.sock'", address) + "\\nconsole.log('closed');\\n");
    const { rmSync } = await import('node:fs');
    process.on('exit', () => rmSync(file));
    await import(file);`;
  const output = execFileSync(
    process.execPath,
    [vesper, 'run', '--', process.execPath, '--import', register, '--input-type=module', '-e', program],
    { cwd: root, encoding: 'utf8' },
  );
  expect(output).toBe('Uint32Array(4) [ 1, 2, 3, 4 ]\nclosed\n');
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
