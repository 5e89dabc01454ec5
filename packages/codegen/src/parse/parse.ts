import * as webidl2 from 'webidl2';
import { GenerateError } from '../errors.ts';
import type { IdlArgument, IdlDefinition, IdlLiteral, IdlMember, IdlType, IdlTypeAttributes } from './idl.ts';

/**
 * Parses a Web IDL file into plain data. The only module that knows webidl2.
 * @param file the file's name, for messages.
 * @throws GenerateError for a syntax error, and for a construct that WebGPU does not use and Vesper does not know.
 */
export function parseIdl(text: string, file: string): IdlDefinition[] {
  let roots: webidl2.IDLRootType[];
  try {
    roots = webidl2.parse(text, { sourceName: file });
  } catch (error) {
    throw new GenerateError(`${(error as Error).message}\nCorrect the Web IDL in ${file}.`);
  }
  return roots.map((root) => definition(root, file));
}

function unknown(file: string, what: string): never {
  throw new GenerateError(
    `${file}: ${what} is a construct that the generator does not know; teach packages/codegen/src/parse.`,
  );
}

function definition(root: webidl2.IDLRootType, file: string): IdlDefinition {
  switch (root.type) {
    case 'interface':
    case 'interface mixin':
      return {
        kind: root.type === 'interface' ? 'interface' : 'mixin',
        name: root.name,
        partial: root.partial,
        ...('inheritance' in root && root.inheritance ? { inherits: root.inheritance } : {}),
        serializable: has(root.extAttrs, 'Serializable'),
        members: root.members.map((one) => member(one as webidl2.IDLInterfaceMemberType, `${file}: ${root.name}`)),
        file,
      };
    case 'dictionary':
      return {
        kind: 'dictionary',
        name: root.name,
        partial: root.partial,
        ...(root.inheritance ? { inherits: root.inheritance } : {}),
        fields: root.members.map((field) => ({
          name: field.name,
          type: type(field.idlType, `${file}: ${root.name}.${field.name}`, field.extAttrs),
          required: field.required,
          ...literalOf(field.default, `${file}: ${root.name}.${field.name}`),
        })),
        file,
      };
    case 'enum':
      return { kind: 'enum', name: root.name, values: root.values.map((value) => value.value), file };
    case 'typedef':
      return {
        kind: 'typedef',
        name: root.name,
        type: type(root.idlType, `${file}: ${root.name}`, root.extAttrs),
        file,
      };
    case 'namespace':
      return {
        kind: 'namespace',
        name: root.name,
        constants: root.members.map((constant) => {
          if (constant.type !== 'const' || constant.value.type !== 'number')
            return unknown(file, `${root.name}.${constant.type}`);
          return { name: constant.name, value: Number(constant.value.value) };
        }),
        file,
      };
    case 'includes':
      return { kind: 'includes', target: root.target, mixin: root.includes, file };
    default:
      return unknown(file, `"${root.type}"`);
  }
}

function member(one: webidl2.IDLInterfaceMemberType, owner: string): IdlMember {
  const place = 'name' in one && one.name ? `${owner}.${one.name}` : owner;
  switch (one.type) {
    case 'attribute':
      return {
        kind: 'attribute',
        name: one.name,
        type: type(one.idlType, place, one.extAttrs),
        readonly: one.readonly,
        sameObject: has(one.extAttrs, 'SameObject'),
      };
    case 'operation':
      if (!one.name || one.special || !one.idlType) return unknown(place, `operation "${one.name}" (${one.special})`);
      return {
        kind: 'operation',
        name: one.name,
        returns: type(one.idlType, place),
        arguments: one.arguments.map((argument) => argumentOf(argument, place)),
        newObject: has(one.extAttrs, 'NewObject'),
      };
    case 'constructor':
      return {
        kind: 'constructor',
        name: 'constructor',
        arguments: one.arguments.map((argument) => argumentOf(argument, place)),
      };
    case 'setlike':
      return { kind: 'setlike', name: 'setlike', element: type(one.idlType[0]!, place) };
    default:
      return unknown(place, `a member "${one.type}"`);
  }
}

function argumentOf(argument: webidl2.Argument, place: string): IdlArgument {
  if (argument.variadic) unknown(place, `the variadic argument "${argument.name}"`);
  return {
    name: argument.name,
    type: type(argument.idlType, place, argument.extAttrs),
    optional: argument.optional,
    ...literalOf(argument.default, place),
  };
}

function literalOf(value: webidl2.ValueDescription | null, place: string): { default?: IdlLiteral } {
  if (value === null) return {};
  switch (value.type) {
    case 'number':
      return { default: { kind: 'number', value: Number(value.value) } };
    case 'string':
      return { default: { kind: 'string', value: value.value } };
    case 'boolean':
      return { default: { kind: 'boolean', value: value.value } };
    case 'sequence':
      return { default: { kind: 'sequence' } };
    case 'dictionary':
      return { default: { kind: 'dictionary' } };
    default:
      return unknown(place, `a default of type "${value.type}"`);
  }
}

function has(attributes: readonly webidl2.ExtendedAttribute[], name: string): boolean {
  return attributes.some((attribute) => attribute.name === name);
}

function type(
  given: webidl2.IDLTypeDescription,
  place: string,
  outer: readonly webidl2.ExtendedAttribute[] = [],
): IdlType {
  const nullable = given.nullable;
  if (given.union) {
    return {
      kind: 'union',
      members: (given.idlType as webidl2.IDLTypeDescription[]).map((one) => type(one, place)),
      nullable,
    };
  }
  if (given.generic !== '') {
    const name = given.generic;
    if (name !== 'sequence' && name !== 'record' && name !== 'Promise' && name !== 'FrozenArray')
      return unknown(place, name);
    return {
      kind: 'generic',
      name,
      arguments: (given.idlType as webidl2.IDLTypeDescription[]).map((one) => type(one, place)),
      nullable,
    };
  }
  const all = [...given.extAttrs, ...outer];
  const attributes: IdlTypeAttributes = {};
  if (has(all, 'EnforceRange')) attributes.enforceRange = true;
  if (has(all, 'Clamp')) attributes.clamp = true;
  if (has(all, 'AllowShared')) attributes.allowShared = true;
  return { kind: 'name', name: given.idlType as string, nullable, attributes };
}
