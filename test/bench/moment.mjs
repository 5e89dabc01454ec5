// When something was measured, and of which state of this repository.
import { execFileSync } from 'node:child_process';

/** When, and of what. @returns {Pick<import('./environment.mjs').Environment, 'date' | 'commit'>} */
export function momentOf() {
  const date = new Date().toISOString().slice(0, 10);
  try {
    const describe = ['describe', '--always', '--dirty=+', '--abbrev=9', '--exclude=*'];
    const options = { cwd: import.meta.dirname, stdio: 'pipe', encoding: 'utf8' };
    return { date, commit: execFileSync('git', describe, /** @type {const} */ (options)).trim() };
  } catch {
    return { date };
  }
}
