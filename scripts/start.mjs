// npm start: sets the checkout up, then runs the demonstration. Arguments go to it: npm start -- --frames 60
import { runNode } from './run.mjs';
import { setupOrExit } from './setup.mjs';

await setupOrExit();
process.exitCode = await runNode(['scripts/demo/run.mjs', ...process.argv.slice(2)]);
