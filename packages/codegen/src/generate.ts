import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { emit, formatted } from './emit/emit.ts';
import { GenerateError } from './errors.ts';
import { Lock } from './lower/lock.ts';
import { lower } from './lower/lower.ts';
import { buildModel } from './model/model.ts';
import { parseOverlay } from './model/overlay.ts';
import { parseIdl } from './parse/parse.ts';
import { resolveIdl } from './resolve/resolve.ts';
import { jsonSchemaOfSchema } from './schema/json-schema.ts';
import type { WireSchema } from './schema/schema.ts';

/** Where the inputs are and the output goes. */
export interface GenerateOptions {
  /** Folder with overlay.json, vesper.webidl and wire.lock.json. */
  inputs: string;
  /** Folder of the generated package: `src`, `schema`, `docs` and `c` in it are the generator's. */
  output: string;
  /** Another Web IDL file than the WebGPU IDL of @webref/idl. */
  idl?: string;
}

/** Folders of the output in which every file is generated. */
const OWNED = ['src', 'schema', 'docs', 'c'];

/** What the generator makes of its inputs, in memory. */
export interface Generated {
  /** The schema that everything else was emitted from. */
  schema: WireSchema;
  /** Text by path: of the output, and the lock file, which is an input too. */
  files: Map<string, string>;
}

/**
 * Generates everything in memory.
 * @throws GenerateError that names the file, the member and the remedy.
 */
export async function generate(options: GenerateOptions): Promise<Generated> {
  const idl = await webgpuIdl(options.idl);
  const extensions = join(options.inputs, 'vesper.webidl');
  const overlayFile = join(options.inputs, 'overlay.json');
  const lockFile = join(options.inputs, 'wire.lock.json');
  const definitions = [...parseIdl(await read(extensions), 'idl/vesper.webidl'), ...parseIdl(idl.text, idl.name)];
  const model = buildModel(resolveIdl(definitions), parseOverlay(await read(overlayFile), 'idl/overlay.json'));
  const lock = new Lock(await readIfThere(lockFile), 'idl/wire.lock.json');
  const lowered = lower(model, lock, idl.revision);
  const emitted = await emit(lowered.schema, jsonSchemaOfSchema());
  const files = new Map([...emitted].map(([path, text]) => [join(options.output, path), text]));
  files.set(lockFile, await formatted('wire.lock.json', JSON.stringify(lowered.lock)));
  return { schema: lowered.schema, files };
}

async function webgpuIdl(file: string | undefined): Promise<{ text: string; name: string; revision: string }> {
  if (file !== undefined) return { text: await read(file), name: file, revision: basename(file) };
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('@webref/idl/package.json');
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  return {
    text: await read(join(dirname(manifest), 'webgpu.idl')),
    name: 'webgpu.idl',
    revision: `@webref/idl ${version}`,
  };
}

/** Only where there is no lock file do numbers start anew; one that cannot be read is an error. */
async function readIfThere(path: string): Promise<string | undefined> {
  return existsSync(path) ? read(path) : undefined;
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new GenerateError(`${path}: ${(error as Error).message}. Name the right file or folder.`);
  }
}

/** How the files on disk differ from what the inputs give. */
export interface Difference {
  /** As it was found: below the output folder. */
  path: string;
  /** `stale`: a file that the inputs do not give. */
  kind: 'missing' | 'changed' | 'stale';
}

/** Compares what was generated with what is on disk; ordered by path. */
export async function compare(generated: Generated, options: GenerateOptions): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const [path, text] of generated.files) {
    const onDisk = await readFile(path, 'utf8').catch(() => undefined);
    if (onDisk === undefined) differences.push({ path, kind: 'missing' });
    else if (onDisk !== text) differences.push({ path, kind: 'changed' });
  }
  for (const path of await ownedFiles(options.output)) {
    if (!generated.files.has(path)) differences.push({ path, kind: 'stale' });
  }
  return differences.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** What lies beside the generated folders in a package and is not the generator's. */
const NOT_OWNED = /^(package\.json|tsconfig.*|README\.md|CHANGELOG\.md|LICENSE|\..*)$/;

async function ownedFiles(output: string): Promise<string[]> {
  const lists = OWNED.map(async (folder) => {
    const entries = await readdir(join(output, folder), { recursive: true, withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  });
  const top = await readdir(output, { withFileTypes: true }).catch(() => []);
  const strays = top.filter((entry) => !entry.isDirectory() && !NOT_OWNED.test(entry.name));
  return [...(await Promise.all(lists)).flat(), ...strays.map((entry) => join(output, entry.name))];
}

/**
 * Writes what differs, and removes what is stale. Each file is written beside its place and renamed, so that none is
 * ever half written.
 */
export async function write(generated: Generated, options: GenerateOptions): Promise<Difference[]> {
  const differences = await compare(generated, options);
  for (const { path, kind } of differences) {
    if (kind === 'stale') {
      await rm(path);
      continue;
    }
    await mkdir(dirname(path), { recursive: true });
    const temporary = `${path}.new`;
    await writeFile(temporary, generated.files.get(path)!);
    await rename(temporary, path);
  }
  return differences;
}

/** A path as messages show it. */
export function shown(path: string): string {
  return relative(process.cwd(), path);
}
