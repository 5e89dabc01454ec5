// npm run bench: sets the checkout up, chooses the driver, and measures. npm run bench -- --help says what else.
import { parseOptions, usage } from '../test/bench/options.mjs';
import { runNode } from './run.mjs';
import { setupOrExit } from './setup.mjs';

const args = process.argv.slice(2);
let options;
try {
  options = parseOptions(args);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(2);
}
if (options.help) {
  console.log(usage);
  process.exit();
}
if (options.report !== undefined) process.exit(await runNode(['test/bench/report.mjs', ...args]));

await setupOrExit();
// There, the host is a process of its own, which chooses its driver.
if (options.chromium) process.exit(await runNode(['test/bench/chromium/main.mjs', ...args]));
const { chooseDriver } = await import('@vesper-gpu/dawn/driver');
try {
  // Dawn reads its driver's variables when it is loaded: the benchmark is a process of its own.
  Object.assign(process.env, (await chooseDriver()).environment);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
process.exitCode = await runNode(['test/bench/main.mjs', ...args]);
