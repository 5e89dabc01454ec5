import type {
  ArgumentSchema,
  CommandSchema,
  InterfaceSchema,
  MemberSchema,
  TypeSchema,
  WireSchema,
} from '../schema/schema.ts';
import { Conversions, defaultValue, dictionaryPath, interfacePath } from './convert.ts';
import { revisionGuard } from './encode.ts';
import { stateLines } from './encoder-state.ts';
import { commandsOf, emitCommandEncoder } from './guest-commands.ts';
import {
  absentParameter,
  excludedMember,
  implName,
  required,
  setlikeMembers,
  shownNames,
  upper,
} from './guest-members.ts';
import { capital, generatedInterfaces, isWrapped, literalText, wordOf } from './names.ts';
import { parameters } from './api.ts';
import { SourceFile, type Lines } from './source.ts';
import { API, apiType, valueType, WEBIDL, WIRE } from './types.ts';

const IMPLEMENTATIONS = 'guest/implementations.ts';

/** `guest/NAME.ts`: encoders of its commands, the base of its implementation, and the class that programs see. */
export function emitGuestInterfaces(schema: WireSchema): SourceFile[] {
  return generatedInterfaces(schema).map((one) => new InterfaceEmitter(schema, one).emit());
}

/** `guest/implementations.ts`: which classes the generated code makes objects of; filled by packages/guest. */
export function emitImplementations(schema: WireSchema): SourceFile {
  const file = new SourceFile(IMPLEMENTATIONS);
  const names = new Set(
    schema.commands
      .filter((command) => command.class === 'create' && command.guest === 'generated')
      .flatMap((command) => command.creates),
  );
  file.doc(
    'Classes of the objects that generated members create; the guest library puts its own here before first use.',
  );
  file.add(
    'export interface Implementations {',
    [...names].map((name) => {
      file.type('RemoteObject', WIRE);
      return `${name}: new (parent: RemoteObject, id: number, label: string) => ${file.type(`${name}Implementation`, interfacePath(name))};`;
    }),
    '}',
    '',
    '/** Empty until packages/guest has filled it. */',
    'export const implementations = {} as Implementations;',
    '',
    '/** What an absent sequence is: one for all, as a hot call must not allocate. */',
    'export const none: readonly never[] = [];',
  );
  return file;
}

/** Whether objects of an interface have an id, or at least a stream to talk to. */
function isRemote(one: InterfaceSchema): boolean {
  return one.number > 0 || one.members.some((member) => member.command !== undefined);
}

class InterfaceEmitter {
  readonly #schema: WireSchema;
  readonly #one: InterfaceSchema;
  readonly #file: SourceFile;
  readonly #conversions: Conversions;

  constructor(schema: WireSchema, one: InterfaceSchema) {
    this.#schema = schema;
    this.#one = one;
    this.#file = new SourceFile(interfacePath(one.name));
    this.#conversions = new Conversions(schema);
  }

  emit(): SourceFile {
    this.#file.namespace('api', API);
    for (const command of commandsOf(this.#schema, this.#one.name)) emitCommandEncoder(command, this.#file);
    if (isRemote(this.#one)) this.#base();
    else this.#implementation();
    this.#class();
    return this.#file;
  }

  #command(member: MemberSchema): CommandSchema | undefined {
    return this.#schema.commands.find((command) => command.name === member.command);
  }

  #encoder(member: MemberSchema): string {
    return this.#file.value(`encode${capital(wordOf(member.command!))}`, interfacePath(member.declaredBy));
  }

  /** Type of a member of an implementation: other implementations in place of their wrappers. */
  #implType(type: TypeSchema): string {
    const file = this.#file;
    switch (type.kind) {
      case 'undefined':
        return 'void';
      case 'object': {
        const names = type.interfaces.map((name) =>
          isWrapped(this.#schema, name)
            ? name === this.#one.name
              ? `${name}Implementation`
              : file.type(`${name}Implementation`, interfacePath(name))
            : `api.${name}`,
        );
        return names.join(' | ');
      }
      case 'promise':
        return `Promise<${this.#implType(type.inner)}>`;
      case 'frozenArray':
        return `readonly ${this.#implType(type.element)}[]`;
      case 'nullable':
        return `${this.#implType(type.inner)} | ${type.undefinable ? 'undefined' : 'null'}`;
      default:
        return apiType(type, 'api.', false);
    }
  }

  /** Data and local objects: any object with these members will do. */
  #implementation(): void {
    const { name, members } = this.#one;
    const file = this.#file;
    file.doc(`What a ${name} shows.`);
    const attributes = members.filter((member) => member.kind === 'attribute' && member.class !== 'excluded');
    const isSet = members.some((member) => member.kind === 'setlike');
    file.add(
      `export interface ${name}Implementation {`,
      'wrapper?: object | undefined;',
      isSet && 'readonly values: ReadonlySet<string>;',
      attributes.map((member) => `readonly ${member.name}: ${this.#implType(member.type)};`),
      '}',
      '',
    );
  }

  /** Remote objects: generated members are complete, hand-written ones abstract. */
  #base(): void {
    const { name, members } = this.#one;
    const file = this.#file;
    const bodies = members.filter((member) => member.class !== 'excluded').map((member) => this.#baseMember(member));
    const isAbstract = bodies.some((body) => JSON.stringify(body).includes('"abstract '));
    file.doc(`A ${name}: its commands${isAbstract ? '; what is abstract is written by hand in packages/guest.' : '.'}`);
    file.add(
      `export ${isAbstract ? 'abstract ' : ''}class ${name}Base extends ${file.value(this.#one.isEncoder ? 'RemoteEncoder' : 'RemoteObject', WIRE)} {`,
      bodies,
      '}',
      '',
      `/** What the class ${name} forwards to. */`,
      `export type ${name}Implementation = ${name}Base;`,
      '',
    );
  }

  #baseMember(member: MemberSchema): Lines {
    const file = this.#file;
    if (member.kind === 'attribute') {
      if (member.command !== undefined && member.guest === 'generated') {
        // A settable attribute: a shadow on the guest, and a command that tells the host.
        return [
          `set${capital(member.name)}(value: ${apiType(member.type, 'api.', false)}): void {`,
          `this.${member.name} = value;`,
          `${this.#encoder(member)}(this.stream.writer, this.id, value.slice(0, ${file.value('MAX_LABEL_LENGTH', WIRE)}));`,
          '}',
        ];
      }
      const type = this.#implType(member.type);
      return [
        `abstract get ${member.name}(): ${type};`,
        !member.readonly && `abstract set ${member.name}(value: ${type});`,
      ];
    }
    if (member.kind !== 'operation') return [];
    const command = this.#command(member);
    if (!command || command.guest === 'hand') {
      return member.overloads.map(
        (list) => `abstract ${implName(member, list)}(${this.#implParameters(list)}): ${this.#implType(member.type)};`,
      );
    }
    const list = member.overloads[0]!;
    const names = list.map((argument) => argument.name);
    const isCurrent = command.target.kind === 'currentEncoder';
    const target = command.target.kind === 'object' ? ['this.id'] : [];
    if (command.class !== 'create') {
      return [
        `${member.name}(${this.#implParameters(list)}): void {`,
        isCurrent && 'if (!this.stream.selectEncoder(this)) return;',
        stateLines(this.#schema, command, file),
        `${this.#encoder(member)}(${['this.stream.writer', ...target, ...names].join(', ')});`,
        '}',
      ];
    }
    const created = command.creates[0]!;
    const last = list.at(-1);
    const label = last?.type.kind === 'dictionary' && this.#hasLabel(last.type.name) ? `${last.name}.label` : "''";
    return [
      `${member.name}(${this.#implParameters(list)}): ${this.#implType(member.type)} {`,
      // Before an id is taken: the host wants them without gaps.
      revisionGuard(command, 'this.stream.writer'),
      // What it makes has to exist, valid or not: an encoder that can end on the guest has no such command.
      isCurrent && 'this.stream.selectEncoder(this);',
      stateLines(this.#schema, command, file),
      'const id = this.stream.ids.allocate();',
      `${this.#encoder(member)}(${['this.stream.writer', ...target, 'id', ...names].join(', ')});`,
      `return new ${file.value('implementations', IMPLEMENTATIONS)}.${created}(this, id, ${label});`,
      '}',
    ];
  }

  #hasLabel(dictionary: string): boolean {
    return this.#schema.dictionaries
      .find((one) => one.name === dictionary)!
      .fields.some((field) => field.name === 'label');
  }

  #implParameters(list: readonly ArgumentSchema[]): string {
    return list
      .map((argument) => {
        const isAlways = !argument.optional || argument.default !== undefined;
        return `${argument.name}: ${valueType(argument.type, this.#file, dictionaryPath)}${isAlways ? '' : ' | undefined'}`;
      })
      .join(', ');
  }

  /** The class that programs see: Web IDL's rules, then the implementation. */
  #class(): void {
    const { name, inherits, members, number, spec } = this.#one;
    const file = this.#file;
    const extendsTarget = inherits === 'EventTarget';
    const caches = members.filter((member) => this.#isCached(member));
    file.add(
      '/** The id of a value that is one of ours, 0 for any other. @throws TypeError for an object of another connection. */',
      `export let idOf${name}: (value: unknown, stream: ${file.type('CommandStream', WIRE)}) => number;`,
      '',
    );
    file.doc(spec);
    file.add(
      `export class ${name}${extendsTarget ? ' extends EventTarget' : ''} implements api.${name} {`,
      `declare readonly __brand: '${name}';`,
      `readonly #impl: ${name}Implementation;`,
      caches.map((member) => `#${member.name}: ${apiType(member.type, 'api.', false)} | undefined;`),
      '',
      'constructor(...parts: unknown[]) {',
      `${file.value('requireConstruction', WEBIDL)}(parts[0]);`,
      extendsTarget && 'super();',
      `this.#impl = parts[1] as ${name}Implementation;`,
      '}',
      '',
      'static {',
      isRemote(this.#one)
        ? [
            `idOf${name} = (value, stream) => {`,
            `if (typeof value !== 'object' || value === null || !(#impl in value)) return 0;`,
            // Read here, where all are of one class: V8 makes it one load. ownId() sees every class.
            'const impl = value.#impl;',
            `return impl.stream === stream ? impl.id : ${file.value('ownId', WIRE)}(impl, stream);`,
            '};',
          ]
        : `idOf${name} = () => 0;`,
      '}',
      '',
      members.filter((member) => member.kind !== 'constructor').map((member) => this.#classMember(member)),
      '}',
      '',
      `${file.value('defineInterface', WEBIDL)}(${name}, [${members
        .flatMap((member) => shownNames(member))
        .map((one) => `'${one}'`)
        .join(', ')}]);`,
      extendsTarget && `${file.value('forwardInherited', WEBIDL)}(${name}, EventTarget);`,
      members.some((member) => member.kind === 'setlike') &&
        `Object.defineProperty(${name}.prototype, Symbol.iterator, { value: ${name}.prototype.values, writable: true, configurable: true });`,
      '',
      '/** The object that programs see for an implementation; always the same one. */',
      `export function wrap${name}(impl: ${name}Implementation): ${name} {`,
      'if (impl.wrapper === undefined) {',
      `impl.wrapper = new ${name}(${file.value('construction', WEBIDL)}, impl);`,
      number > 0 && 'impl.stream.releaseWithHolder(impl.wrapper, impl.id);',
      '}',
      `return impl.wrapper as ${name};`,
      '}',
    );
  }

  #isCached(member: MemberSchema): boolean {
    return (
      member.kind === 'attribute' &&
      member.class !== 'excluded' &&
      (member.type.kind === 'promise' || member.type.kind === 'frozenArray')
    );
  }

  #classMember(member: MemberSchema): Lines {
    const { spec } = member;
    const path = `${this.#one.name}.${member.name}`;
    if (member.kind === 'setlike') return setlikeMembers(this.#file, this.#one.name);
    if (member.class === 'excluded') return excludedMember(member, path);
    if (member.kind === 'attribute') {
      const given = `this.#impl.${member.name}`;
      const cached = this.#isCached(member);
      return [
        `/** ${spec} */`,
        `get ${member.name}(): ${apiType(member.type, 'api.', false)} {`,
        this.#guarded(member, [
          cached
            ? `return (this.#${member.name} ??= ${this.#wrapped(member.type, given)});`
            : `return ${this.#wrapped(member.type, given)};`,
        ]),
        '}',
        !member.readonly && [
          `set ${member.name}(value: ${apiType(member.type, 'api.', false)}) {`,
          member.command !== undefined && member.guest === 'generated'
            ? `this.#impl.set${capital(member.name)}(${this.#conversions.expression(member.type, 'value', `'${path}'`, this.#file)});`
            : `this.#impl.${member.name} = value;`,
          '}',
        ],
      ];
    }
    return [
      `/** ${spec} */`,
      member.overloads.length > 1 ? this.#overloaded(member, path) : this.#operation(member, path),
    ];
  }

  #operation(member: MemberSchema, path: string): Lines {
    const list = member.overloads[0]!;
    const parameters = list.map((argument, index) => {
      const type = apiType(argument.type, 'api.', true);
      if (!argument.optional) return `${argument.name}: ${type}`;
      if (argument.default !== undefined) return `${argument.name}: ${type} = ${literalText(argument)}`;
      return absentParameter(argument.name, `${type} | undefined`, index === required(list));
    });
    return [
      `${member.name}(${parameters.join(', ')}): ${apiType(member.type, 'api.', false)} {`,
      this.#guarded(member, [
        'const impl = this.#impl;',
        this.#streamLine(list),
        this.#countCheck(list, path),
        this.#result(
          member,
          `impl.${implName(member, list)}(${list.map((argument) => this.#converted(argument, argument.name, path)).join(', ')})`,
        ),
      ]),
      '}',
    ];
  }

  /**
   * Overloads that the number of arguments tells apart, as Web IDL's resolution does first of all. Each has a method of
   * its own, so that all are small enough for V8 to inline.
   */
  #overloaded(member: MemberSchema, path: string): Lines {
    const shortest = Math.min(...member.overloads.map(required));
    const longestFirst = member.overloads.toSorted((a, b) => required(b) - required(a));
    const values = longestFirst[0]!.map((_, index) => `argument${index}`);
    const signatures = member.overloads.map((list) => `${member.name}(${parameters(list, 'api.')}): undefined;`);
    const list = values.map((name, index) =>
      index < shortest ? `${name}: unknown` : absentParameter(name, 'unknown', index === shortest),
    );
    return [
      signatures,
      `${member.name}(${list.join(', ')}): undefined {`,
      'const count = arguments.length;',
      longestFirst.map((overload) => {
        // A count between two overloads fits neither.
        const most = overload === longestFirst[0] ? '' : ` && count <= ${upper(member.overloads, overload)}`;
        const given = values.slice(0, overload.length).join(', ');
        return `if (count >= ${required(overload)}${most}) return this.#${implName(member, overload)}(${given});`;
      }),
      `throw new TypeError(\`${path}: no overload takes \${count} arguments\`);`,
      '}',
      longestFirst.map((overload) => [
        `#${implName(member, overload)}(${values
          .slice(0, overload.length)
          .map((name) => `${name}: unknown`)
          .join(', ')}): undefined {`,
        'const impl = this.#impl;',
        this.#streamLine(overload),
        `impl.${implName(member, overload)}(${overload.map((argument, index) => this.#converted(argument, values[index]!, path, true)).join(', ')});`,
        '}',
      ]),
    ];
  }

  #streamLine(list: readonly ArgumentSchema[]): Lines {
    const needs = (type: TypeSchema): boolean =>
      type.kind === 'object' ||
      type.kind === 'dictionary' ||
      type.kind === 'shape' ||
      type.kind === 'union' ||
      (type.kind === 'sequence' && needs(type.element)) ||
      (type.kind === 'nullable' && needs(type.inner));
    return list.some((argument) => needs(argument.type)) && 'const stream = impl.stream;';
  }

  #countCheck(list: readonly ArgumentSchema[], path: string): Lines {
    const count = required(list);
    return (
      count > 0 &&
      `if (arguments.length < ${count}) ${this.#file.value('requireArguments', WEBIDL)}(arguments.length, ${count}, '${path}');`
    );
  }

  #converted(argument: ArgumentSchema, value: string, path: string, isRaw = false): string {
    const context = `'${path}: ${argument.name}'`;
    const expression = this.#conversions.expression(argument.type, value, context, this.#file);
    if (!argument.optional || argument.type.kind === 'dictionary') return expression;
    if (argument.default === undefined || isRaw) {
      const absent =
        argument.default === 'empty-sequence' ? this.#file.value('none', IMPLEMENTATIONS) : defaultValue(argument);
      return `${value} === undefined ? ${absent} : ${expression}`;
    }
    return expression;
  }

  #wrapped(type: TypeSchema, value: string): string {
    const wrapOf = (name: string): string =>
      name === this.#one.name ? `wrap${name}` : this.#file.value(`wrap${name}`, interfacePath(name));
    switch (type.kind) {
      case 'object':
        return isWrapped(this.#schema, type.interfaces[0]!) ? `${wrapOf(type.interfaces[0]!)}(${value})` : value;
      case 'promise': {
        const inner = this.#wrapped(type.inner, 'result');
        return inner === 'result'
          ? `${value} as ${apiType(type, 'api.', false)}`
          : `${value}.then((result) => ${inner})`;
      }
      case 'nullable': {
        const inner = this.#wrapped(type.inner, value);
        return inner === value ? value : `${value} && ${inner}`;
      }
      case 'frozenArray':
        return `Object.freeze(${value}.map((item) => ${this.#wrapped(type.element, 'item')}))`;
      default:
        return value;
    }
  }

  #result(member: MemberSchema, call: string): string {
    return member.type.kind === 'undefined' ? `${call};` : `return ${this.#wrapped(member.type, call)};`;
  }

  /** What gives a promise never throws: it rejects. */
  #guarded(member: MemberSchema, body: Lines[]): Lines[] {
    if (member.type.kind !== 'promise') return body;
    return ['try {', body, '} catch (error) {', 'return Promise.reject(error as Error);', '}'];
  }
}
