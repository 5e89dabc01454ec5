import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach } from 'vitest';

/**
 * What Dawn for Node does not do, by file and name of the test, with the reason. A test of `fails` that passes is an
 * error: then Dawn has mended it, and the entry goes. `crashes` would end the process; `remote` are rules of a connection.
 */
interface Shortfalls {
  fails: Record<string, Record<string, string>>;
  crashes: Record<string, Record<string, string>>;
  remote: Record<string, Record<string, string>>;
}

const shortfalls = JSON.parse(readFileSync(join(import.meta.dirname, 'shortfalls.json'), 'utf8')) as Shortfalls;

beforeEach((context) => {
  const { task } = context;
  const names: string[] = [];
  for (let one: { name: string; suite?: unknown } = task; ; one = one.suite as typeof one) {
    names.unshift(one.name);
    if (one.suite === undefined) break;
  }
  const name = names.join(' > ');
  const file = basename(task.file.name);
  const skipped = shortfalls.crashes[file]?.[name] ?? shortfalls.remote[file]?.[name];
  if (skipped !== undefined) context.skip(skipped);
  if (shortfalls.fails[file]?.[name] !== undefined) task.fails = true;
});
