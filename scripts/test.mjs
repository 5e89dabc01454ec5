// npm test: sets the checkout up, then checks in order, cheapest first, and stops at the first failure.
// Arguments go to vitest alone, and then the other checks are left out: npm test -- packages/wire
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { runNode } from './run.mjs';
import { root, setup, SetupError } from './setup.mjs';
import { whyNoGuest } from './vm/available.mjs';

/** Path of a package's command, from its own package.json, so that node runs it without a shell. */
function command(name, bin = name) {
  const folder = join(root, 'node_modules', name);
  const { bin: bins } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof bins === 'string' ? bins : bins[bin]);
}

/** A test run ends in a line that says how many passed and failed; vitest writes its own. */
function stop(message, remedy) {
  console.error(`\n${message}\nWhat to do: ${remedy}\n`);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

const checks = [
  {
    title: 'Generated files (vesper check)',
    args: () => ['packages/codegen/dist/cli.js', 'check'],
    remedy: 'npm run generate, then review the change.',
  },
  { title: 'Lint (oxlint)', args: () => [command('oxlint')], remedy: 'mend what it names.' },
  { title: 'Format (oxfmt)', args: () => [command('oxfmt'), '--check'], remedy: 'npm run format' },
  {
    title: 'Dependencies between packages',
    args: () => ['scripts/check-dependencies.mjs'],
    remedy: 'import through a layer below, or move the code to where the import is allowed.',
  },
];

try {
  await setup();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  const [what, remedy] = error.message.split('\nWhat to do: ');
  stop(what, remedy);
}

const vitestArgs = process.argv.slice(2);
if (vitestArgs.length === 0) {
  for (const { title, args, remedy } of checks) {
    console.log(`\n${title}`);
    if ((await runNode(args())) !== 0) stop(`${title}: failed.`, remedy);
  }
}
console.log('\nTests (vitest)');
const status = await runNode([command('vitest'), 'run', ...vitestArgs]);
if (status !== 0 || vitestArgs.length > 0) process.exit(status);
console.log('\nThe rules of WebGPU, on Dawn for Node itself (vitest)');
const direct = await runNode([command('vitest'), 'run', '--config', 'test/semantics/direct/vitest.config.ts']);
if (direct !== 0) process.exit(direct);

console.log('\nInside a virtual machine (vitest)');
// Two guests of 768 MiB, and the programs that run them.
const reason = whyNoGuest(2048);
if (reason === undefined)
  process.exitCode = await runNode([command('vitest'), 'run', '--config', 'test/vm/vitest.config.ts']);
else console.log(`Skipped: ${reason}`);
