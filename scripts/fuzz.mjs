// npm run fuzz: sets the checkout up, builds it, and runs the fuzzers. npm run fuzz -- --seconds 60 --seed 1
import { runNode } from './run.mjs';
import { setupOrExit } from './setup.mjs';

await setupOrExit();
process.exitCode = await runNode(['--import', 'tsx', 'test/fuzz/main.ts', ...process.argv.slice(2)]);
