import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { chooseDriver } from '@vesper-gpu/dawn/driver';
import { beforeAll, describe, expect, it } from 'vitest';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const directModule = new URL('direct.mjs', import.meta.url).href;
const vesper = here('../../packages/cli/bin/vesper.js');

/** How long one program may take, in milliseconds: software rendering, shaders compiled anew, a loaded machine. */
const programTimeout = 150_000;

/** Programs of this folder, each with the flags of node that it needs. */
const programs: readonly (readonly [file: string, ...flags: string[]])[] = [
  ['three.mjs'],
  ['babylon.mjs'],
  ['tfjs.mjs'],
  // V8 would spend a minute on optimising 26 MB of WebAssembly.
  ['onnxruntime.mjs', '--liftoff-only'],
  ['typegpu.mjs'],
  ['webgpu-utils.mjs'],
];

interface Outcome {
  /** What the program printed on its one line, or null when there is no such line. */
  readonly result: unknown;
  /** Everything else that there is to know, for the message of a failed test. */
  readonly story: string;
}

let environment: NodeJS.ProcessEnv;
beforeAll(async () => {
  // One choice for both sides, so that they compare Vesper and not two drivers.
  environment = { ...process.env, ...(await chooseDriver()).environment };
});

function run(how: string, argv: readonly string[]): Promise<Outcome> {
  const started = performance.now();
  return new Promise((resolve) => {
    const options = { env: environment, cwd: here('../..'), timeout: programTimeout, maxBuffer: 64 << 20 };
    execFile(process.execPath, argv, options, (error, stdout, stderr) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const ending = error === null ? 'exit 0' : (error.signal ?? `exit ${error.code}`);
      resolve({
        result: error === null ? lastLine(stdout) : null,
        story: `--- ${how}: ${ending} after ${seconds} s\n--- stdout\n${stdout}\n--- stderr\n${stderr}`,
      });
    });
  });
}

function lastLine(stdout: string): unknown {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

describe.each(programs)('%s, unmodified', (file, ...flags) => {
  it(
    'gives through Vesper what it gives on Dawn directly',
    async () => {
      const program = [...flags, here(file)];
      const direct = await run('directly', ['--import', directModule, ...program]);
      const guest = [process.execPath, '--import', '@vesper-gpu/register', ...program];
      const remote = await run('through Vesper', [vesper, 'run', '--', ...guest]);
      const stories = `${file}\n${direct.story}\n${remote.story}`;
      expect(direct.result, stories).toMatchObject({ library: expect.any(String) });
      expect(remote.result, stories).toEqual(direct.result);
    },
    2 * programTimeout,
  );
});
