// npm run vm: sets the checkout up, then boots a guest under QEMU. Arguments go to it: npm run vm -- --shell
import { runNode } from './run.mjs';
import { setupOrExit } from './setup.mjs';

await setupOrExit();
process.exitCode = await runNode(['scripts/vm/main.mjs', ...process.argv.slice(2)]);
