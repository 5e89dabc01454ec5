// npm run bench -- --report FILE…: the page of results and its plots, from what --json wrote.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseOptions } from './options.mjs';
import { merge } from './report/merge.mjs';
import { resultsPage } from './report/page.mjs';

const { report = [], out: folderOrNone } = parseOptions(process.argv.slice(2));
try {
  const out = folderOrNone ?? ownFolder(report);
  const { page, plots } = resultsPage(merge(await Promise.all(report.toSorted().map(read))));
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

/**
 * The page that is in the repository is of what is in the repository.
 *
 * @param {readonly string[]} files
 */
function ownFolder(files) {
  const results = join(import.meta.dirname, 'results');
  const other = files.find((file) => dirname(resolve(file)) !== results);
  if (other === undefined) return import.meta.dirname;
  throw new Error(`${other} is not in test/bench/results: say with --out FOLDER where the page is to go`);
}

/** @param {string} file @returns {Promise<import('./report/merge.mjs').Run>} */
async function read(file) {
  try {
    const { rows, environment, ...others } = JSON.parse(await readFile(file, 'utf8'));
    if (Array.isArray(rows) && typeof environment === 'object') return { file, rows, environment, ...others };
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  throw new Error(`${file} is nothing that npm run bench -- --json FILE has written`);
}
