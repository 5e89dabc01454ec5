import { describe, expect, it } from 'vitest';
import { replaced, resolved, tinyTexts } from '../../test-assets/lowered.ts';
import { GenerateError } from '../errors.ts';

/** The tiny IDL with something behind it. */
function withMore(text: string): () => unknown {
  const texts = tinyTexts();
  return () => resolved({ ...texts, idl: `${texts.idl}\n${text}\n` });
}

describe('an IDL that does not hold together', () => {
  it.each<[what: string, text: string, message: RegExp]>([
    ['a syntax error', 'interface GPUBroken {', /tiny\.idl[\s\S]*Correct the Web IDL in tiny\.idl/],
    [
      'an unknown type',
      'dictionary GPUX { GPUNowhere y; };',
      /tiny\.idl: GPUX\.y: type GPUNowhere is not declared; declare it/,
    ],
    [
      'an unknown type of an argument',
      'interface GPUX { undefined f(GPUNowhere y); };',
      /tiny\.idl: GPUX\.f\(y\): type GPUNowhere/,
    ],
    [
      'a partial interface without a whole one',
      'partial interface GPUX { undefined f(); };',
      /tiny\.idl: partial interface GPUX has nothing to add to; declare GPUX/,
    ],
    [
      'a partial dictionary without a whole one',
      'partial dictionary GPUX { boolean f; };',
      /partial dictionary GPUX has nothing to add to; declare GPUX/,
    ],
    [
      'a mixin that is included but missing',
      'GPUThing includes GPUNowhere;',
      /tiny\.idl: GPUThing includes GPUNowhere, which is no mixin; declare interface mixin GPUNowhere/,
    ],
    [
      'an interface included as a mixin',
      'GPUThing includes GPUDevice;',
      /GPUThing includes GPUDevice, which is no mixin/,
    ],
    [
      'a mixin included by nothing',
      'GPUNowhere includes GPUObjectBase;',
      /GPUNowhere includes GPUObjectBase, but no interface GPUNowhere is declared; declare it/,
    ],
    [
      'an interface declared twice',
      'interface GPUThing {};',
      /tiny\.idl: GPUThing is declared twice \(first in tiny\.idl\); remove one, or make it partial/,
    ],
    ['an enum declared twice', 'enum GPUFormat { "x" };', /GPUFormat is declared twice/],
    ['a namespace declared twice', 'namespace GPUUsage { const unsigned long X = 1; };', /GPUUsage is declared twice/],
    ['one name for two kinds', 'dictionary GPUFormat {};', /GPUFormat is declared twice/],
    [
      'a declaration of vesper.webidl made again',
      'dictionary VesperFailure {};',
      /VesperFailure is declared twice \(first in idl\/vesper\.webidl\)/,
    ],
    [
      'an attribute declared twice',
      'partial interface GPUDevice { readonly attribute float count; };',
      /GPUDevice\.count is declared twice; remove one/,
    ],
    [
      'a dictionary member declared twice',
      'partial dictionary GPUExtent { float height; };',
      /GPUExtent\.height is declared twice/,
    ],
    [
      'a missing parent of a dictionary',
      'dictionary GPUX : GPUNowhere {};',
      /GPUX inherits GPUNowhere, which is not declared; declare it/,
    ],
    [
      'a missing parent of an interface',
      'interface GPUX : GPUNowhere {};',
      /GPUX inherits GPUNowhere, which is not declared; declare it/,
    ],
    ['a dictionary that inherits itself', 'dictionary GPUX : GPUY {}; dictionary GPUY : GPUX {};', /inherits itself/],
    [
      'a typedef of itself',
      'typedef GPUX GPUY; typedef GPUY GPUX; dictionary GPUZ { GPUX z; };',
      /the typedef GPUX stands for itself; give it a type/,
    ],
    [
      'a construct that WebGPU does not use',
      'callback GPUX = undefined ();',
      /tiny\.idl: "callback" is a construct that the generator does not know; teach packages\/codegen\/src\/parse/,
    ],
    [
      'a variadic argument',
      'interface GPUX { undefined f(float... y); };',
      /tiny\.idl: GPUX\.f: the variadic argument "y"/,
    ],
    [
      'a generic that WebGPU does not use',
      'dictionary GPUX { ObservableArray<float> y; };',
      /tiny\.idl: GPUX\.y: ObservableArray/,
    ],
  ])('is refused: %s', (_, text, message) => {
    expect(withMore(text)).toThrow(GenerateError);
    expect(withMore(text)).toThrow(message);
  });
});

describe('resolving', () => {
  const idl = resolved(tinyTexts());

  it('merges partials and overloads', () => {
    const texts = tinyTexts();
    texts.idl +=
      'partial interface GPUThing { undefined fill(float value); };\npartial dictionary GPUExtent { float depth; };';
    const again = resolved(texts);
    const fill = again.interfaces.find((one) => one.name === 'GPUThing')!.own.find((member) => member.name === 'fill')!;
    expect(fill.overloads).toHaveLength(2);
    const extent = again.dictionaries.find((one) => one.name === 'GPUExtent')!;
    expect(extent.fields.map((field) => field.name)).toEqual(['width', 'height', 'depth']);
  });

  it('replaces typedefs, with their extended attributes', () => {
    const thing = idl.dictionaries.find((one) => one.name === 'GPUThingDescriptor')!;
    expect(thing.fields.find((field) => field.name === 'size')!.type).toEqual({
      kind: 'integer',
      bits: 64,
      signed: false,
      conversion: 'enforceRange',
    });
  });

  it('flattens inheritance, and reads members as Web IDL does', () => {
    const thing = idl.dictionaries.find((one) => one.name === 'GPUThingDescriptor')!;
    expect(thing.fields[0]!.name).toBe('label');
    expect(thing.conversionOrder).toEqual([
      'label',
      'bias',
      'constants',
      'extent',
      'format',
      'formats',
      'isMapped',
      'size',
      'source',
      'viewFormat',
    ]);
  });

  it('knows a dictionary that may be given as a sequence', () => {
    const thing = idl.dictionaries.find((one) => one.name === 'GPUThingDescriptor')!;
    expect(thing.fields.find((field) => field.name === 'extent')!.type).toEqual({ kind: 'shape', name: 'GPUExtent' });
  });

  it('says a union with undefined as a nullable', () => {
    const texts = tinyTexts();
    texts.idl = replaced(texts.idl, 'float bias', '(GPUThing or undefined) other;\n    float bias');
    const thing = resolved(texts).dictionaries.find((one) => one.name === 'GPUThingDescriptor')!;
    expect(thing.fields.find((field) => field.name === 'other')!.type).toEqual({
      kind: 'nullable',
      inner: { kind: 'object', interfaces: ['GPUThing'] },
      undefinable: true,
    });
  });
});
