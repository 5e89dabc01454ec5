import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * A checkout of the CTS that its user has compiled. It is never part of this repository.
 *
 * @param {string} folder
 * @returns {{ folder: string, revision: string }}
 * @throws {Error} when it is none, with what to do
 */
export function openCheckout(folder) {
  const absolute = resolve(folder);
  if (!existsSync(join(absolute, 'src', 'common', 'runtime', 'cmdline.ts'))) {
    const what = existsSync(absolute)
      ? 'is no checkout of the gpuweb CTS: it has no src/common/runtime/cmdline.ts'
      : 'is not there';
    throw new Error(
      `--cts: ${absolute} ${what}.\n` +
        'What to do: git clone https://github.com/gpuweb/cts, compile it, and name its folder.',
    );
  }
  if (!existsSync(join(absolute, 'out-node', 'common', 'internal', 'file_loader.js'))) {
    throw new Error(
      `The CTS in ${absolute} is not compiled: there is no out-node/.\n` +
        'What to do: in that folder, npm ci && npx grunt node, or compile node.tsconfig.json with --outDir out-node/.',
    );
  }
  return { folder: absolute, revision: revisionOf(absolute) };
}

/** @param {string} folder */
function revisionOf(folder) {
  try {
    return execFileSync('git', ['-C', folder, 'rev-parse', '--short=10', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
