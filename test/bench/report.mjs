// npm run bench -- --report FILE…: the page of results and its plots, from what --json wrote.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseOptions } from './options.mjs';
import { merge } from './report/merge.mjs';
import { resultsPage } from './report/page.mjs';

const { report = [], out } = parseOptions(process.argv.slice(2));
try {
  const results = merge(
    await Promise.all(report.toSorted().map(async (file) => JSON.parse(await readFile(file, 'utf8')))),
  );
  const { page, plots } = resultsPage(results);
  const folder = join(out, 'plots');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [file, svg] of Object.entries(plots)) await writeFile(join(folder, file), svg);
  await writeFile(join(out, 'RESULTS.md'), page);
  console.log(`${join(out, 'RESULTS.md')} written, with ${Object.keys(plots).length} plots.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
