import { describe, expect, it } from 'vitest';
import { dictionaryOf, lowered, replaced, tinyTexts, withMembers, type Texts } from '../../test-assets/lowered.ts';
import { GenerateError } from '../errors.ts';

const first = lowered(tinyTexts());

/** The tiny inputs after revision 1, with one change of the IDL. */
function changed(from: string, to: string): Texts {
  const texts = tinyTexts(first.lock);
  return { ...texts, idl: replaced(texts.idl, from, to) };
}

function withSort(texts: Texts): Texts {
  const added = withMembers(texts, (members) => {
    members['GPUThing.sort'] = { class: 'command', ownership: 'uses', cost: 'constant', group: 'core' };
  });
  return { ...added, idl: replaced(texts.idl, 'undefined fill(', 'undefined sort();\n    undefined fill(') };
}

function withoutDestroy(texts: Texts): Texts {
  const cut = withMembers(texts, (members) => delete members['GPUThing.destroy']);
  return { ...cut, idl: replaced(texts.idl, '    undefined destroy();\n', '') };
}

const THING = 'dictionary GPUThingDescriptor : GPUObjectDescriptorBase {';

describe('the lock file', () => {
  it('starts at revision 1 and stays there when nothing changes', () => {
    expect(first.schema.revision).toBe(1);
    const again = lowered(tinyTexts(first.lock));
    expect(again).toEqual(first);
  });

  it('keeps its numbers when declarations change places', () => {
    const texts = tinyTexts(first.lock);
    const [head, tail] = texts.idl.split('[Exposed=Window]\ninterface GPUDevice');
    const again = lowered({ ...texts, idl: `[Exposed=Window]\ninterface GPUDevice${tail!}\n${head!}` });
    expect(again.lock).toEqual(first.lock);
  });

  it('gives a new member the next number, and the next revision', () => {
    const { schema, lock } = lowered(withSort(tinyTexts(first.lock)));
    const highest = Math.max(...Object.values(first.lock.records).map((entry) => entry.number));
    expect(lock.revision).toBe(2);
    expect(lock.records['GPUThing.sort']).toEqual({ number: highest + 1, since: 2 });
    expect(schema.revision).toBe(2);
    expect(schema.hash).not.toBe(first.schema.hash);
    const { 'GPUThing.sort': added, ...others } = lock.records;
    expect(added).toBeDefined();
    expect(others).toEqual(first.lock.records);
  });

  it('gives a new enum value the next number wherever it is declared', () => {
    const { lock } = lowered(changed('{ "rgba8",', '{ "r8", "rgba8",'));
    expect(lock.enumValues['GPUFormat.r8']).toEqual({ number: 3, since: 2 });
    expect(lock.enumValues['GPUFormat.rgba8']).toEqual({ number: 0, since: 1 });
  });

  it('puts a new dictionary member last, wherever it is declared', () => {
    const { schema } = lowered(
      changed('    GPUFormat viewFormat;', '    boolean isFast = true;\n    GPUFormat viewFormat;'),
    );
    const { fields } = dictionaryOf(schema, 'GPUThingDescriptor');
    expect(fields.at(-1)).toMatchObject({ name: 'isFast', bit: 9, since: 2 });
    expect(fields.slice(0, -1)).toEqual(dictionaryOf(first.schema, 'GPUThingDescriptor').fields);
  });

  it('leaves a tombstone where a member is gone, whose number is never given out again', () => {
    const gone = lowered(withoutDestroy(tinyTexts(first.lock)));
    const { number } = first.lock.records['GPUThing.destroy']!;
    expect(gone.lock.records['GPUThing.destroy']).toEqual({ number, since: 1, removed: 2 });
    expect(gone.schema.commands.some((command) => command.opcode === number)).toBe(false);
    const later = lowered(withSort(withoutDestroy(tinyTexts(gone.lock))));
    expect(later.lock.revision).toBe(3);
    expect(later.lock.records['GPUThing.sort']).toEqual({ number: number + 1, since: 3 });
  });

  it('moves no presence bit when an optional member is gone', () => {
    const { schema } = lowered(changed('    GPUFormat viewFormat;\n', ''));
    const bits = (one: typeof schema): [string, number | undefined][] =>
      dictionaryOf(one, 'GPUThingDescriptor').fields.map((field) => [field.name, field.bit]);
    expect(bits(schema)).toEqual(bits(first.schema).filter(([name]) => name !== 'viewFormat'));
  });

  it.each<[what: string, change: [from: string, to: string], message: RegExp]>([
    [
      'a changed type',
      ['float bias', 'double bias'],
      /wire\.lock\.json: the type of GPUThingDescriptor\.bias changed from optional f32 = 0\.5 to optional f64 = 0\.5.*Give the new form a name/,
    ],
    [
      'a changed default',
      ['float bias = 0.5', 'float bias = 0.25'],
      /GPUThingDescriptor\.bias changed from optional f32 = 0\.5 to optional f32 = 0\.25/,
    ],
    [
      'a member that becomes required',
      ['GPUFormat viewFormat;', 'required GPUFormat viewFormat;'],
      /GPUThingDescriptor\.viewFormat changed/,
    ],
    [
      'a required member of a later revision',
      ['float bias', 'required float gain;\n    float bias'],
      /tiny\.idl: GPUThingDescriptor: the required member "gain" is new in revision 2.*make it optional/,
    ],
    [
      'a required argument of a later revision',
      ['AllowSharedBufferSource data);', 'AllowSharedBufferSource data, boolean now);'],
      /GPUDevice\.write: the required argument "now" is new in revision 2/,
    ],
    [
      'a required member that is gone',
      ['    required GPUSize64 size;\n', ''],
      /GPUThingDescriptor: the required member "size" of idl\/wire\.lock\.json is gone.*put it back/,
    ],
    [
      'a required argument that is gone',
      [', AllowSharedBufferSource data', ''],
      /GPUDevice\.write: the required argument "data".*is gone/,
    ],
    [
      'an argument among the others',
      ['write(GPUThing thing,', 'write(GPUThing thing, boolean now,'],
      /GPUDevice\.write: the argument "now" has number 3, but stands at 1; arguments are only added at the end/,
    ],
  ])('refuses %s', (_, change, message) => {
    expect(() => lowered(changed(...change))).toThrow(GenerateError);
    expect(() => lowered(changed(...change))).toThrow(message);
  });

  it('refuses a removed name that comes back', () => {
    const gone = lowered(withoutDestroy(tinyTexts(first.lock)));
    expect(() => lowered(tinyTexts(gone.lock))).toThrow(
      /wire\.lock\.json: GPUThing\.destroy was removed in revision 2 and is back; give it another name/,
    );
  });

  it('takes required members of a dictionary that is new itself', () => {
    const range = 'dictionary GPURange { required unsigned long from; };';
    const { lock, schema } = lowered(changed(THING, `${range}\n${THING}\n    GPURange range;`));
    expect(lock.fields['GPURange.from']).toEqual({ number: 0, since: 2, type: 'u32' });
    expect(dictionaryOf(schema, 'GPURange').fields[0]).toMatchObject({ required: true, since: 2 });
  });

  it('refuses a first required member of a dictionary that had none, and was sent', () => {
    const withNothing = (member: string): string =>
      replaced(tinyTexts().idl, THING, `dictionary GPUNothing { ${member} };\n${THING}\n    GPUNothing nothing;`);
    const empty = lowered({ ...tinyTexts(), idl: withNothing('') });
    const texts = { ...tinyTexts(empty.lock), idl: withNothing('required boolean all;') };
    expect(() => lowered(texts)).toThrow(/GPUNothing: the required member "all" is new in revision 2/);
  });

  it.each([
    ['{', /wire\.lock\.json: .*Restore it from version control/],
    ['{"revision": 1}', /wire\.lock\.json: "interfaces" is missing\. Restore it/],
  ])('refuses a damaged file: %s', (lock, message) => {
    expect(() => lowered({ ...tinyTexts(), lock })).toThrow(message);
  });
});
