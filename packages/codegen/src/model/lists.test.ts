import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { removeWorkspaces, Workspace } from '../../test-assets/workspace.ts';
import { generate } from '../generate.ts';

interface Lists {
  encoders: string[];
  singletons: string[];
  handWritten: Record<string, string>;
}

const workspace = Workspace.real();
const overlay = readFileSync(workspace.overlayFile, 'utf8');
const lists = JSON.parse(overlay) as Lists;

afterAll(removeWorkspaces);

/** Generates with a changed overlay. */
function without(change: (lists: Lists) => void): Promise<unknown> {
  const changed = JSON.parse(overlay) as Lists;
  change(changed);
  writeFileSync(workspace.overlayFile, JSON.stringify(changed));
  return generate(workspace.options);
}

describe('a list of the overlay names what is missing in it', () => {
  it.each(lists.encoders)('encoders without %s', async (name) => {
    const result = without((changed) => (changed.encoders = changed.encoders.filter((one) => one !== name)));
    await expect(result).rejects.toThrow(`idl/overlay.json: "${name}" is missing in "encoders"`);
  });

  it.each(lists.singletons)('singletons without %s', async (name) => {
    const result = without((changed) => (changed.singletons = changed.singletons.filter((one) => one !== name)));
    await expect(result).rejects.toThrow(`idl/overlay.json: "${name}" is missing in "singletons"`);
  });

  it.each(Object.keys(lists.handWritten))('handWritten without %s', async (name) => {
    const result = without((changed) => delete changed.handWritten[name]);
    await expect(result).rejects.toThrow(`idl/overlay.json: "${name}" is missing in "handWritten"`);
  });
});
