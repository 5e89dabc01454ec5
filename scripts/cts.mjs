// npm run cts: sets the checkout up, then runs the gpuweb CTS that the user names, directly or through Vesper.
import { parseOptions, usage, UsageError } from './cts/options.mjs';
import { runNode } from './run.mjs';
import { setupOrExit } from './setup.mjs';

const args = process.argv.slice(2);
try {
  parseOptions(args);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`npm run cts: ${error.message}\n${usage}`);
  process.exit(2);
}
await setupOrExit();
process.exitCode = await runNode(['scripts/cts/main.mjs', ...args]);
