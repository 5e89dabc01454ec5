import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { GenerateOptions } from '../src/generate.ts';

const TINY = join(import.meta.dirname, 'tiny');
const REPOSITORY = join(import.meta.dirname, '../../..');
const made: string[] = [];

/** A copy of the generator's inputs in a folder of its own, with an empty output beside them. */
export class Workspace {
  readonly folder: string;
  readonly options: GenerateOptions & { idl: string };

  private constructor(inputs: string, idl: string) {
    this.folder = mkdtempSync(join(tmpdir(), 'vesper-codegen-'));
    made.push(this.folder);
    this.options = {
      inputs: join(this.folder, 'inputs'),
      output: join(this.folder, 'output'),
      idl: join(this.folder, idl.split('/').at(-1)!),
    };
    cpSync(inputs, this.options.inputs, { recursive: true });
    cpSync(idl, this.options.idl);
  }

  /** The IDL of the golden test: generates in a fraction of a second. */
  static tiny(): Workspace {
    return new Workspace(join(TINY, 'inputs'), join(TINY, 'tiny.idl'));
  }

  /** WebGPU's own. */
  static real(): Workspace {
    const manifest = createRequire(import.meta.url).resolve('@webref/idl/package.json');
    return new Workspace(join(REPOSITORY, 'idl'), join(dirname(manifest), 'webgpu.idl'));
  }

  /** Another one with the same files. */
  copy(): Workspace {
    const other = new Workspace(this.options.inputs, this.options.idl);
    cpSync(this.options.output, other.options.output, { recursive: true });
    return other;
  }

  get overlayFile(): string {
    return join(this.options.inputs, 'overlay.json');
  }

  get extensionsFile(): string {
    return join(this.options.inputs, 'vesper.webidl');
  }

  get lockFile(): string {
    return join(this.options.inputs, 'wire.lock.json');
  }

  /** Changes the one place in a file that says `from`. */
  replace(file: string, from: string, to: string): void {
    const text = readFileSync(file, 'utf8');
    if (text.split(from).length !== 2) throw new Error(`"${from}" is not there just once in ${file}`);
    writeFileSync(file, text.replace(from, to));
  }

  editOverlay(edit: (overlay: Overlay) => void): void {
    const overlay = JSON.parse(readFileSync(this.overlayFile, 'utf8')) as Overlay;
    edit(overlay);
    writeFileSync(this.overlayFile, JSON.stringify(overlay));
  }

  /** Arguments of the CLI that make it work here. */
  get argv(): string[] {
    return ['--idl', this.options.idl, '--inputs', this.options.inputs, '--output', this.options.output];
  }

  /** A hash of everything in the folder, names included. */
  hash(): string {
    const hash = createHash('sha256');
    for (const [path, text] of filesOf(this.folder)) hash.update(`${path}\0${text}\0`);
    return hash.digest('hex');
  }
}

/** The part of overlay.json that tests change. */
export interface Overlay {
  encoders: string[];
  singletons: string[];
  handWritten: Record<string, string>;
  members: Record<string, Record<string, unknown>>;
}

/** Text of every file below a folder, by its path there. */
export function filesOf(folder: string): Map<string, string> {
  if (!existsSync(folder)) return new Map();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).toSorted();
  return new Map(paths.map((path) => [relative(folder, path), readFileSync(path, 'utf8')]));
}

/** Deletes every workspace that was made; for `afterAll`. */
export function removeWorkspaces(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
}
