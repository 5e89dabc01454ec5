import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { lowered, resolved, tinyTexts, withMembers, type Texts } from '../../test-assets/lowered.ts';
import { removeWorkspaces, Workspace } from '../../test-assets/workspace.ts';
import { GenerateError } from '../errors.ts';

const workspace = Workspace.real();
const webgpu: Texts = {
  idl: readFileSync(workspace.options.idl, 'utf8'),
  extensions: readFileSync(workspace.extensionsFile, 'utf8'),
  overlay: readFileSync(workspace.overlayFile, 'utf8'),
  lock: readFileSync(workspace.lockFile, 'utf8'),
};

afterAll(removeWorkspaces);

describe('the WebGPU IDL', () => {
  const idl = resolved(webgpu);
  const { schema } = lowered(webgpu);

  it('has the 164 members and 34 enums that were counted by hand, and all have an overlay entry', () => {
    const own = idl.interfaces.filter((one) => !one.name.startsWith('Vesper'));
    const members = own.flatMap((one) => one.own.map((member) => `${one.name}.${member.name}`));
    const overlay = JSON.parse(webgpu.overlay) as { members: Record<string, unknown> };
    // Overloads were counted one by one.
    const overloads = own.flatMap((one) => one.own).map((member) => Math.max(1, member.overloads.length));
    expect(overloads.reduce((sum, count) => sum + count, 0)).toBe(164);
    expect(members.filter((path) => !(path in overlay.members))).toEqual([]);
    expect(schema.enums).toHaveLength(34);
  });

  it('loses no declaration on the way to the schema', () => {
    const declared = (kind: string): string[] =>
      [...webgpu.idl.matchAll(new RegExp(`^(?:\\[.*\\]\\s*)?${kind} (\\w+)`, 'gm'))]
        .map((match) => match[1]!)
        .toSorted();
    const names = (list: readonly { name: string }[]): string[] =>
      list
        .map((one) => one.name)
        .filter((name) => !name.startsWith('Vesper'))
        .toSorted();
    expect(names(schema.enums)).toEqual(declared('enum'));
    expect(names(schema.dictionaries)).toEqual(declared('dictionary'));
    expect(names(schema.namespaces)).toEqual(declared('namespace'));
    expect(names(schema.interfaces)).toEqual(declared('interface').filter((name) => name !== 'mixin'));
  });

  it('gives every member that is sent its record, and no other', () => {
    const records = new Set([...schema.commands, ...schema.events].map((record) => record.name));
    const named = new Set(schema.interfaces.flatMap((one) => one.members).flatMap((member) => member.command ?? []));
    expect([...records].filter((name) => !named.has(name))).toEqual([]);
    expect([...named].filter((name) => !records.has(name))).toEqual([]);
  });

  it('has a reason for every exclusion', () => {
    const excluded = schema.interfaces.flatMap((one) => one.members).filter((member) => member.class === 'excluded');
    expect(excluded.length).toBeGreaterThan(0);
    expect(excluded.filter((member) => !member.reason)).toEqual([]);
  });
});

describe('the overlay', () => {
  const entry = (changes: Record<string, unknown>): Texts =>
    withMembers(tinyTexts(), (members) => {
      members['GPUThing.destroy'] = {
        class: 'command',
        ownership: 'none',
        cost: 'constant',
        group: 'core',
        ...changes,
      };
    });

  it('has to cover every member; all that are missing are named at once', () => {
    const texts = withMembers(tinyTexts(), (members) => {
      delete members['GPUThing.destroy'];
      delete members['GPUObjectBase.label'];
    });
    expect(() => lowered(texts)).toThrow(GenerateError);
    expect(() => lowered(texts)).toThrow(
      /tiny\.idl: GPUThing\.destroy has no entry in idl\/overlay\.json; classify it there/,
    );
    expect(() => lowered(texts)).toThrow(/GPUObjectBase\.label has no entry/);
  });

  it.each<[what: string, texts: Texts, message: RegExp]>([
    [
      'a stale entry',
      withMembers(tinyTexts(), (members) => void (members['GPUThing.gone'] = { class: 'local', group: 'core' })),
      /idl\/overlay\.json: the entry "GPUThing\.gone" names no member of the IDL; remove it/,
    ],
    [
      'a stale interface',
      { ...tinyTexts(), overlay: tinyTexts().overlay.replace('"VesperStream"]', '"VesperStream", "GPUGone"]') },
      /overlay\.json: "GPUGone" is no interface of the IDL; remove it/,
    ],
    [
      'an unknown class',
      entry({ class: 'sent' }),
      /overlay\.json: GPUThing\.destroy: class "sent" is unknown; it is one of command, create/,
    ],
    ['an unknown key', entry({ colour: 'red' }), /GPUThing\.destroy: unknown key "colour"; remove it/],
    ['an unknown cost', entry({ cost: 'much' }), /GPUThing\.destroy: cost "much" is unknown; it is one of/],
    [
      'an exclusion without a reason',
      entry({ class: 'excluded' }),
      /GPUThing\.destroy is excluded without a reason; add "reason"/,
    ],
    [
      'a command without a cost',
      withMembers(
        tinyTexts(),
        (members) => void (members['GPUThing.destroy'] = { class: 'command', ownership: 'none', group: 'core' }),
      ),
      /GPUThing\.destroy: "cost" is missing; say what the host spends/,
    ],
    [
      'a create that creates nothing',
      entry({ class: 'create' }),
      /GPUThing\.destroy is classified "create", but does not return an interface; correct its class/,
    ],
    [
      'a request without a promise',
      entry({ class: 'request' }),
      /GPUThing\.destroy is a request, but its wire form returns no Promise/,
    ],
    ['JSON with a fault', { ...tinyTexts(), overlay: '{' }, /idl\/overlay\.json: .*Correct the JSON/],
    [
      'an argument that cannot be sent',
      withMembers(
        tinyTexts(),
        (members) =>
          void (members['GPUDevice.present'] = {
            class: 'command',
            ownership: 'none',
            cost: 'constant',
            group: 'core',
          }),
      ),
      /GPUDevice\.present: handler is of type external EventHandler, which cannot cross the wire; classify the member as local or excluded/,
    ],
    [
      'an attribute without a wire form',
      withMembers(
        tinyTexts(),
        (members) =>
          void (members['GPUDevice.count'] = { class: 'command', ownership: 'none', cost: 'constant', group: 'core' }),
      ),
      /GPUDevice\.count: a member of kind attribute needs a wire form; declare interface VesperGPUDevice/,
    ],
  ])('is refused with %s', (_, texts, message) => {
    expect(() => lowered(texts)).toThrow(GenerateError);
    expect(() => lowered(texts)).toThrow(message);
  });
});

describe('vesper.webidl', () => {
  it('cannot give a wire form to a member that does not exist', () => {
    const texts = tinyTexts();
    texts.extensions += 'interface VesperGPUThing { undefined gone(); };';
    expect(() => lowered(texts)).toThrow(
      /idl\/vesper\.webidl: VesperGPUThing\.gone is the wire form of GPUThing\.gone, which does not exist; remove it/,
    );
  });

  it('has to declare what a failed request replies', () => {
    const texts = tinyTexts();
    texts.extensions = texts.extensions.replace('dictionary VesperFailure', 'dictionary VesperFault');
    expect(() => lowered(texts)).toThrow(
      /idl\/vesper\.webidl: VesperFailure, .* is not declared; declare the dictionary/,
    );
  });
});
