// A guest in a virtual machine, and nothing but a virtio-serial port between it and the host: `npm run vm`.
import { HELP, parseOptions } from './options.mjs';

const args = process.argv.slice(2);
let options;
try {
  options = parseOptions(args);
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  process.exit(2);
}
if (options.isHelp) {
  console.log(HELP);
} else {
  // Behind the check of the command line, which needs nothing that has to be loaded.
  const { run } = await import('./run.mjs');
  try {
    process.exitCode = await run(options);
  } catch (error) {
    // These explain themselves.
    const isKnown = error instanceof Error && ['VmProblem', 'DriverError', 'ConnectionError'].includes(error.name);
    console.error(isKnown ? `vm: ${error.message}` : error);
    process.exitCode = 1;
  }
}
