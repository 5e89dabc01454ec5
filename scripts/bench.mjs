// npm run bench: sets the checkout up, chooses the driver, and measures. npm run bench -- --quick --json FILE
import { parseArgs } from 'node:util';

import { runNode } from './run.mjs';
import { setupOrExit } from './setup.mjs';

const usage = `usage: npm run bench -- [--chromium] [--quick] [--json FILE]
  --chromium   calls in a page of Chromium, beside its own WebGPU
  --quick      fewer repetitions: about half a minute, and less to be relied upon
  --json FILE  also writes the figures to FILE, as { rows, environment }`;

const args = process.argv.slice(2);
let chromium;
try {
  ({ chromium } = parseArgs({
    args,
    options: { chromium: { type: 'boolean' }, quick: { type: 'boolean' }, json: { type: 'string' } },
  }).values);
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  process.exit(1);
}

await setupOrExit();
// There, the host is a process of its own, which chooses its driver.
if (chromium) process.exit(await runNode(['test/bench/chromium/main.mjs', ...args]));
const { chooseDriver } = await import('@vesper-gpu/dawn/driver');
try {
  // Dawn reads its driver's variables when it is loaded: the benchmark is a process of its own.
  Object.assign(process.env, (await chooseDriver()).environment);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
process.exitCode = await runNode(['test/bench/main.mjs', ...args]);
