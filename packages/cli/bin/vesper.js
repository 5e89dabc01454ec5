#!/usr/bin/env node
// Plain JavaScript, so that a checkout that was never built gives advice and not a stack trace.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/main.js', import.meta.url);
if (existsSync(fileURLToPath(program))) {
  const { main } = await import(program.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  console.error(
    'vesper: this checkout is not built: packages/cli/dist/main.js is missing.\nWhat to do: npm run build (npm start and npm test do it too)',
  );
  process.exitCode = 1;
}
