import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, type RunnerTask } from 'vitest';

/** By file, then by name of the test, with the reason. */
type Tests = Record<string, Record<string, string>>;

/**
 * What Dawn for Node does not do. A test of `fails` that passes is an error: then Dawn has mended it, and the entry goes.
 * A test of `crashes` would end the process; those of `remote` are about a connection.
 */
const shortfalls = JSON.parse(readFileSync(join(import.meta.dirname, 'shortfalls.json'), 'utf8')) as Record<
  'fails' | 'crashes' | 'remote',
  Tests
>;

function namesOf(tasks: readonly RunnerTask[], before = ''): string[] {
  return tasks.flatMap((task) =>
    task.type === 'suite' ? namesOf(task.tasks, `${before}${task.name} > `) : [before + task.name],
  );
}

function nameOf(task: RunnerTask): string {
  return task.suite === undefined ? task.name : `${nameOf(task.suite)} > ${task.name}`;
}

beforeEach((context) => {
  const { task } = context;
  const file = basename(task.file.name);
  const known = new Set(namesOf(task.file.tasks));
  for (const tests of Object.values(shortfalls)) {
    for (const name of Object.keys(tests[file] ?? {})) {
      if (!known.has(name))
        throw new Error(`shortfalls.json: ${file} has no test "${name}"; correct or remove the entry`);
    }
  }
  const name = nameOf(task);
  const skipped = shortfalls.crashes[file]?.[name] ?? shortfalls.remote[file]?.[name];
  if (skipped !== undefined) context.skip(skipped);
  if (shortfalls.fails[file]?.[name] !== undefined) (task as { fails?: boolean }).fails = true;
});
