import type { CommandSchema, FieldSchema, TypeSchema, WireSchema } from '../schema/schema.ts';
import { literalText, wordOf } from './names.ts';
import { SourceFile } from './source.ts';

/** `host/policy.ts`: what a policy can speak of. Handlers are called by it, so that no member can be left out by hand. */
export function emitPolicy(schema: WireSchema): SourceFile {
  const file = new SourceFile('host/policy.ts');
  file.doc('A type, as far as a policy can say something of its values; null values aside.');
  file.add(
    'export type PolicyType =',
    "| { readonly kind: 'number' | 'boolean' | 'string' | 'object' | 'bytes' }",
    "| { readonly kind: 'flags' | 'enum' | 'dictionary'; readonly name: string }",
    "| { readonly kind: 'sequence' | 'record'; readonly element: PolicyType }",
    "| { readonly kind: 'union'; readonly members: readonly PolicyType[] };",
    '',
  );
  file.doc('A field of a dictionary or of a command.');
  file.add(
    'export interface PolicyField {',
    '/** As the IDL names it. */',
    'readonly name: string;',
    'readonly type: PolicyType;',
    '/** Schema revision that added it. */',
    'readonly since: number;',
    '/** What the IDL gives where it is left out. */',
    'readonly default?: number | string | boolean;',
    '/** Whether that is an empty sequence or dictionary. */',
    'readonly isEmptyByDefault?: true;',
    '}',
    '',
  );
  file.doc('A command of the guest.');
  file.add(
    'export interface PolicyCommand {',
    '/** IDL path, such as `GPUQueue.writeBuffer`. */',
    'readonly name: string;',
    '/** The word of its interface in `Handlers`, and the method that does it there. */',
    'readonly owner: string;',
    'readonly member: string;',
    '/** Policy group, without the `@`. */',
    'readonly group: string;',
    '/** What the host spends on it: constant, bytes, objects, memory, compile, gpu-time. */',
    'readonly cost: string;',
    '/** How it is remoted: command, create, bulk or request. */',
    'readonly class: string;',
    '/** Schema revision that added it. */',
    'readonly since: number;',
    '/** How many arguments of the method come before those of `fields`: the target, and new ids. */',
    'readonly leading: number;',
    '/** How many objects it makes. */',
    'readonly creates: number;',
    'readonly fields: readonly PolicyField[];',
    '}',
    '',
  );
  file.doc('All commands that a policy can allow.');
  file.add(
    'export const policyCommands: readonly PolicyCommand[] = [',
    schema.commands.filter((command) => command.class !== 'runtime').map((command) => `${commandText(command)},`),
    '];',
    '',
  );
  const dictionaries = schema.dictionaries.filter((one) => one.fromGuest);
  file.doc('Fields of the dictionaries that a guest sends, by the name of the dictionary.');
  file.add(
    'export const policyDictionaries: Readonly<Record<string, readonly PolicyField[]>> = {',
    dictionaries.map((one) => `${one.name}: [${one.fields.map(fieldText).join(', ')}],`),
    '};',
    '',
  );
  file.doc('Values of the enumerations, by name of the enumeration, with the schema revision that added each.');
  file.add(
    'export const policyEnums: Readonly<Record<string, Readonly<Record<string, number>>>> = {',
    schema.enums.map(
      (one) => `${one.name}: { ${one.values.map((value) => `'${value.name}': ${value.since}`).join(', ')} },`,
    ),
    '};',
    '',
  );
  file.doc('Bits of the flag namespaces, by name of the namespace.');
  file.add(
    'export const policyFlags: Readonly<Record<string, Readonly<Record<string, number>>>> = {',
    schema.namespaces.map(
      (one) => `${one.name}: { ${one.constants.map(({ name, value }) => `${name}: ${value}`).join(', ')} },`,
    ),
    '};',
    '',
  );
  const groups = new Set([
    ...schema.commands.map((command) => command.group),
    ...schema.interfaces.flatMap((one) => one.members.map((member) => member.group)),
  ]);
  const limits = schema.interfaces.find((one) => one.name === 'GPUSupportedLimits')?.members ?? [];
  file.doc('Names of the limits that a device can be asked for.');
  file.add(
    'export const policyLimits: readonly string[] = [',
    limits.map((member) => `'${member.name}',`),
    '];',
    '',
  );
  file.doc('Names of the policy groups, those included that have no command of their own.');
  file.add(`export const policyGroups: readonly string[] = [${[...groups].map((name) => `'${name}'`).join(', ')}];`);
  return file;
}

function commandText(command: CommandSchema): string {
  const [interfaceName, member] = command.name.split('.') as [string, string];
  const leading = (command.target.kind === 'none' ? 0 : 1) + (command.class === 'request' ? command.creates.length : 0);
  const owner = wordOf(`${interfaceName}.x`).slice(0, -1);
  return (
    `{ name: '${command.name}', owner: '${owner}', member: '${member}', group: '${command.group}', cost: '${command.cost}', ` +
    `class: '${command.class}', since: ${command.since}, leading: ${leading}, creates: ${command.creates.length}, fields: [${command.fields.map(fieldText).join(', ')}] }`
  );
}

function fieldText(field: FieldSchema): string {
  const { name, type, since, default: fallback } = field;
  const isEmpty = fallback === 'empty-sequence' || fallback === 'empty-dictionary';
  const ifAbsent = isEmpty
    ? ', isEmptyByDefault: true'
    : fallback === undefined
      ? ''
      : `, default: ${literalText(field)}`;
  return `{ name: '${name}', type: ${typeText(type)}, since: ${since}${ifAbsent} }`;
}

function typeText(type: TypeSchema): string {
  switch (type.kind) {
    case 'integer':
      return type.flags === undefined ? "{ kind: 'number' }" : `{ kind: 'flags', name: '${type.flags}' }`;
    case 'float':
      return "{ kind: 'number' }";
    case 'boolean':
    case 'string':
    case 'object':
    case 'bytes':
      return `{ kind: '${type.kind}' }`;
    case 'enum':
      return `{ kind: 'enum', name: '${type.name}' }`;
    case 'dictionary':
    case 'shape':
      return `{ kind: 'dictionary', name: '${type.name}' }`;
    case 'sequence':
    case 'frozenArray':
      return `{ kind: 'sequence', element: ${typeText(type.element)} }`;
    case 'record':
      return `{ kind: 'record', element: ${typeText(type.value)} }`;
    case 'nullable':
      return typeText(type.inner);
    case 'union':
      return `{ kind: 'union', members: [${type.members.map(typeText).join(', ')}] }`;
    default:
      throw new Error(`a ${type.kind} cannot cross the wire`);
  }
}
