import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { checkManifest, checkSource, checkTree } from '../scripts/check-dependencies.mjs';

describe('the dependency rule', () => {
  it('holds in this repository', () => {
    expect(checkTree(fileURLToPath(new URL('..', import.meta.url)))).toEqual([]);
  });

  it.each([
    ['packages/guest/src/a.ts', `import { Session } from '@vesper-gpu/host';`, 'only wire, webidl, protocol'],
    ['packages/host/src/a.ts', `import type { Q } from "@vesper-gpu/guest/queue";`, 'only wire, webidl, protocol'],
    ['packages/host/src/a.test.ts', `import { connect } from '@vesper-gpu/guest';`, 'only wire, webidl, protocol'],
    ['packages/wire/src/a.ts', `export * from '@vesper-gpu/protocol';`, 'may import no other package'],
    ['packages/transport/src/a.ts', `await import('@vesper-gpu/cli')`, 'packages/transport may import only'],
    ['packages/host/src/a.ts', `import '@vesper-gpu/codegen';`, 'may import only'],
    ['packages/transport/src/a.ts', `import { x } from '@vesper-gpu/codegen';`, 'may import only'],
    ['packages/guest/src/a.ts', `import { x } from '../../wire/src/reader.ts';`, 'imported by its name'],
    ['packages/guest/src/a.ts', `import {\n  x,\n} from 'node:fs';`, 'run in a browser too'],
    ['packages/wire/src/a.ts', `import fs from 'fs';`, 'run in a browser too'],
    ['packages/webidl/src/a.ts', `const fs = require('fs/promises');`, 'run in a browser too'],
    ['generated/src/guest/a.ts', `import { x } from 'node:util';`, 'run in a browser too'],
    ['packages/guest/src/a.ts', `const b = Buffer.from(x);`, 'uses Buffer'],
    ['packages/guest/src/a.ts', `function f(b: Buffer) {}`, 'uses Buffer'],
    ['packages/guest/src/a.ts', `if (process.env.X) {}`, 'uses process'],
    ['packages/guest/src/a.ts', `globalThis.process?.exit()`, 'uses globalThis.process'],
    ['packages/transport/src/websocket.ts', `import { WebSocket } from 'node:http';`, 'runs in a browser too'],
    ['packages/host/src/a.ts', `import { fork } from 'node:child_process';`, 'only under src/node'],
    ['packages/host/src/a.ts', `import { create } from 'webgpu';`, 'only packages/dawn'],
    ['scripts/bench.mjs', `const { create } = await import('webgpu');`, 'only packages/dawn'],
    ['test/a.test.ts', `import { parse } from 'webidl2';`, 'only packages/codegen/src/parse'],
    ['packages/codegen/src/lower/a.ts', `import { parse } from 'webidl2';`, 'only packages/codegen/src/parse'],
    ['packages/transport/src/ring/a.ts', `import { x } from 'node:net';`, 'runs in a browser too'],
    ['packages/transport/src/in-process.ts', `const b = Buffer.from(x);`, 'uses Buffer'],
    ['packages/cli/src/a.ts', `import koffi from 'koffi';`, 'only packages/transport/src/shared-memory'],
    ['packages/wire/src/a.ts', `import { encode } from 'msgpackr';`, 'has no dependency'],
  ])('refuses in %s: %s', (path, text, rule) => {
    const violations = checkSource(path, `// first line\n${text}\n`);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(rule);
    expect(violations[0]).toMatch(new RegExp(`^${path}:[2-4]: (imports|uses) `));
  });

  it.each([
    ['packages/guest/src/a.ts', `import { Writer } from '@vesper-gpu/wire'; import { x } from './process.ts';`],
    ['packages/guest/src/a.ts', `// import 'node:fs' and Buffer.from\n/* process.env */ const s = 'process.env';`],
    [
      'packages/guest/src/a.ts',
      `const { ArrayBuffer, GPUBuffer } = globals; this.process(frame); const o = { process() {} };`,
    ],
    [
      'packages/guest/src/a.test.ts',
      `import { it } from 'vitest'; import { readFileSync } from 'node:fs'; Buffer.alloc(1);`,
    ],
    ['packages/host/src/node/a.ts', `import { fork } from 'node:child_process'; process.exit(1);`],
    ['packages/host/src/a.ts', `const quote = /['"]/; import { x } from './b.ts';`],
    ['packages/dawn/src/gpu.ts', `import { create } from 'webgpu';`],
    ['packages/codegen/src/parse/a.ts', `import { parse } from 'webidl2';`],
    ['packages/codegen/src/emit/a.ts', "print(`import { create } from 'webgpu';`);"],
    ['packages/cli/src/a.ts', `import { generate } from '@vesper-gpu/codegen';`],
    [
      'test/e2e.test.ts',
      `import { a } from '@vesper-gpu/guest'; import { b } from '@vesper-gpu/host'; import 'node:net';`,
    ],
  ])('allows in %s: %s', (path, text) => {
    expect(checkSource(path, text)).toEqual([]);
  });

  it('reads the manifests too', () => {
    const manifest = JSON.stringify({
      dependencies: { '@vesper-gpu/codegen': 'workspace:*', '@vesper-gpu/wire': '*' },
    });
    expect(checkManifest('packages/host/package.json', manifest)).toEqual([
      'packages/host/package.json: depends on @vesper-gpu/codegen: packages/host may import only wire, webidl, protocol',
    ]);
    expect(checkManifest('packages/cli/package.json', manifest)).toEqual([]);
  });

  it('wants a layer for a new package', () => {
    expect(() => checkSource('packages/new/src/a.ts', '')).toThrow('packages/new has no layer yet');
  });
});
