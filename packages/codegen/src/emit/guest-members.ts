import type { ArgumentSchema, MemberSchema } from '../schema/schema.ts';
import type { Lines, SourceFile } from './source.ts';
import { apiType, WEBIDL } from './types.ts';

/** A member that cannot be remoted: it throws, and says why. */
export function excludedMember(member: MemberSchema, path: string): Lines {
  const type = apiType(member.type, 'api.', false);
  const list = member.overloads[0] ?? [];
  const fail = `throw new TypeError('${path}: ${member.reason!}');`;
  if (member.kind === 'attribute')
    return [`/** ${member.spec} */`, `get ${member.name}(): ${type} {`, 'void this.#impl;', fail, '}'];
  return [
    `/** ${member.spec} */`,
    `${member.name}(${list.map((argument) => `${argument.name}: ${apiType(argument.type, 'api.', true)}`).join(', ')}): ${type} {`,
    'void this.#impl;',
    ...list.map((argument) => `void ${argument.name};`),
    fail,
    '}',
  ];
}

/** What Web IDL's `readonly setlike` declares, over a set of the implementation. */
export function setlikeMembers(file: SourceFile, path: string): Lines {
  return [
    'get size(): number {',
    'return this.#impl.values.size;',
    '}',
    'has(value: string): boolean {',
    'const impl = this.#impl;',
    `if (arguments.length < 1) ${file.value('requireArguments', WEBIDL)}(arguments.length, 1, '${path}.has');`,
    `return impl.values.has(${file.value('toDOMString', WEBIDL)}(value, '${path}.has: value'));`,
    '}',
    'keys(): SetIterator<string> {',
    'return this.#impl.values.keys();',
    '}',
    'values(): SetIterator<string> {',
    'return this.#impl.values.values();',
    '}',
    'entries(): SetIterator<[string, string]> {',
    'return this.#impl.values.entries();',
    '}',
    'forEach(callback: (value: string, key: string, set: ReadonlySet<string>) => void, thisArg: unknown = undefined): void {',
    'const impl = this.#impl;',
    `if (typeof callback !== 'function') throw new TypeError('${path}.forEach: callback is not a function');`,
    'for (const value of impl.values) callback.call(thisArg, value, value, this as unknown as ReadonlySet<string>);',
    '}',
    'declare [Symbol.iterator]: () => SetIterator<string>;',
  ];
}

/** A default ends what `Function.length` counts, as Web IDL wants it; V8 is quicker without, so only the first has one. */
export function absentParameter(name: string, type: string, isFirst: boolean): string {
  return isFirst ? `${name}: ${type} = undefined` : `${name}?: ${type}`;
}

/** How many arguments an overload needs. */
export function required(list: readonly ArgumentSchema[]): number {
  return list.filter((argument) => !argument.optional).length;
}

/** How many it takes at most before a longer overload is meant. */
export function upper(overloads: readonly ArgumentSchema[][], list: readonly ArgumentSchema[]): number {
  const others = overloads.filter((other) => other !== list && required(other) > required(list)).map(required);
  return Math.min(list.length, ...others.map((count) => count - 1));
}

/** An overload is told from the others by the number of its arguments: `setBindGroup5`. */
export function implName(member: MemberSchema, list: readonly ArgumentSchema[]): string {
  return member.overloads.length > 1 ? `${member.name}${list.length}` : member.name;
}

/** Names that `for…in` lists. */
export function shownNames(member: MemberSchema): string[] {
  if (member.kind === 'setlike') return ['size', 'has', 'keys', 'values', 'entries', 'forEach'];
  return member.kind === 'constructor' ? [] : [member.name];
}
