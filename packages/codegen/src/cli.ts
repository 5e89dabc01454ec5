#!/usr/bin/env node
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GenerateError } from './errors.ts';
import { compare, generate, shown, write, type GenerateOptions } from './generate.ts';

const USAGE = `usage: vesper generate | check  [--idl FILE] [--inputs DIR] [--output DIR]

  generate   writes the protocol package from the WebGPU IDL, the overlay and the lock file
  check      says what \`generate\` would change, and exits with 1 if that is anything`;

/** `vesper generate` and `vesper check`. @returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
  const { positionals, values } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { idl: { type: 'string' }, inputs: { type: 'string' }, output: { type: 'string' } },
  });
  const [command] = positionals;
  if (command !== 'generate' && command !== 'check') {
    console.error(USAGE);
    return 2;
  }
  const options: GenerateOptions = {
    inputs: values.inputs ?? join(root, 'idl'),
    output: values.output ?? join(root, 'generated'),
    ...(values.idl === undefined ? {} : { idl: values.idl }),
  };
  try {
    const generated = await generate(options);
    const differences = command === 'check' ? await compare(generated, options) : await write(generated, options);
    for (const { path, kind } of differences) console.log(`${kind.padEnd(8)}${shown(path)}`);
    const { schema } = generated;
    const summary = `schema revision ${schema.revision}, hash ${schema.hash}: ${schema.commands.length} commands, ${schema.events.length} events, ${schema.dictionaries.length} dictionaries, ${schema.enums.length} enums`;
    if (command === 'generate') console.log(`${summary}; ${count(differences.length)} written or removed`);
    else if (differences.length === 0) console.log(`${summary}; ${shown(options.output)} is up to date`);
    else console.error(`${count(differences.length)} not as the inputs give; run \`vesper generate\``);
    return command === 'check' && differences.length > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof GenerateError)) throw error;
    console.error(error.message);
    return 1;
  }
}

function count(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
