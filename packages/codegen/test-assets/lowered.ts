import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Lock, type LockFile } from '../src/lower/lock.ts';
import { lower } from '../src/lower/lower.ts';
import { buildModel } from '../src/model/model.ts';
import { parseOverlay } from '../src/model/overlay.ts';
import { parseIdl } from '../src/parse/parse.ts';
import { resolveIdl, type ResolvedIdl } from '../src/resolve/resolve.ts';
import type { DictionarySchema, WireSchema } from '../src/schema/schema.ts';

const TINY = join(import.meta.dirname, 'tiny');

/** The tiny inputs as texts, for a test to change before it generates from them. */
export interface Texts {
  idl: string;
  extensions: string;
  overlay: string;
  lock?: string | undefined;
}

export function tinyTexts(lock?: LockFile): Texts {
  return {
    idl: readFileSync(join(TINY, 'tiny.idl'), 'utf8'),
    extensions: readFileSync(join(TINY, 'inputs/vesper.webidl'), 'utf8'),
    overlay: readFileSync(join(TINY, 'inputs/overlay.json'), 'utf8'),
    lock: lock && JSON.stringify(lock),
  };
}

/** Replaces what must be there, so that no test changes nothing. */
export function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`"${from}" is not in the text`);
  return text.replace(from, to);
}

export function resolved(texts: Texts): ResolvedIdl {
  return resolveIdl([...parseIdl(texts.extensions, 'idl/vesper.webidl'), ...parseIdl(texts.idl, 'tiny.idl')]);
}

/** Everything of the generator but the emitters. */
export function lowered(texts: Texts): { schema: WireSchema; lock: LockFile } {
  const model = buildModel(resolved(texts), parseOverlay(texts.overlay, 'idl/overlay.json'));
  return lower(model, new Lock(texts.lock, 'idl/wire.lock.json'), 'tiny.idl');
}

export function dictionaryOf(schema: WireSchema, name: string): DictionarySchema {
  const found = schema.dictionaries.find((one) => one.name === name);
  if (!found) throw new Error(`no dictionary ${name}`);
  return found;
}

/** Changes the members of the overlay. */
export function withMembers(texts: Texts, edit: (members: Record<string, unknown>) => void): Texts {
  const overlay = JSON.parse(texts.overlay) as { members: Record<string, unknown> };
  edit(overlay.members);
  return { ...texts, overlay: JSON.stringify(overlay) };
}
