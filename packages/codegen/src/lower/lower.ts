import { createHash } from 'node:crypto';
import { GenerateError } from '../errors.ts';
import type { ApiInterface, ApiMember, ApiModel } from '../model/model.ts';
import type {
  ArgumentSchema,
  CommandSchema,
  DictionarySchema,
  EventSchema,
  FieldSchema,
  InterfaceSchema,
  MemberSchema,
  TypeSchema,
  WireSchema,
} from '../schema/schema.ts';
import type { Lock, LockFile } from './lock.ts';
import { fieldSignature, typeSignature } from './signature.ts';
import { dictionaryAnchor, enumAnchor, interfaceAnchor, memberAnchor } from './spec.ts';

export const WIRE_VERSION = 1;
const MAX_OPTIONAL_FIELDS = 31;
/** Interface numbers are bits of a mask of 32, of which 0 and 31 mean something else: see ObjectTable. */
const MAX_INTERFACES = 30;
/** Payload of the reply to a request that failed. */
const FAILURE = 'VesperFailure';

/**
 * Gives every record, field, enum value and interface its number, and decides what each record holds.
 * @throws GenerateError for what the wire cannot carry.
 */
export function lower(model: ApiModel, lock: Lock, idlRevision: string): { schema: WireSchema; lock: LockFile } {
  const lowering = new Lowering(model, lock);
  const body = lowering.schema();
  const locked = lock.finish();
  const unhashed = { wireVersion: WIRE_VERSION, revision: locked.revision, idlRevision, ...body };
  const hash = createHash('sha256').update(JSON.stringify(unhashed)).digest('hex').slice(0, 16);
  const { wireVersion, revision, ...rest } = unhashed;
  return { schema: { wireVersion, revision, hash, ...rest }, lock: locked };
}

class Lowering {
  readonly #model: ApiModel;
  readonly #lock: Lock;
  readonly #commands: CommandSchema[] = [];
  readonly #events: EventSchema[] = [];
  readonly #fromGuest = new Set<string>();
  readonly #fromHost = new Set<string>();

  constructor(model: ApiModel, lock: Lock) {
    this.#model = model;
    this.#lock = lock;
  }

  schema(): Omit<WireSchema, 'wireVersion' | 'revision' | 'hash' | 'idlRevision'> {
    const enums = this.#model.enums.map((one) => ({
      name: one.name,
      values: one.values.map((name) => ({ name, ...pick(this.#lock.number('enumValues', `${one.name}.`, name, 0)) })),
      spec: enumAnchor(one.name),
    }));
    for (const member of this.#model.members) this.#record(member);
    // Every request can end with it, so no record names it.
    this.#reach({ kind: 'dictionary', name: FAILURE }, this.#fromHost, 'the reply of a failed request');
    this.#commands.sort((a, b) => a.opcode - b.opcode);
    this.#events.sort((a, b) => a.opcode - b.opcode);
    const remote = new Set(this.#commands.flatMap((command) => command.creates));
    if (remote.size > MAX_INTERFACES)
      throw new GenerateError(
        `idl: ${remote.size} interfaces have objects on the host, a type mask holds ${MAX_INTERFACES}; widen the mask in packages/wire.`,
      );
    return {
      enums,
      dictionaries: this.#model.dictionaries.map((one) => this.#dictionary(one)),
      interfaces: this.#model.interfaces.map((one) => this.#interface(one, remote.has(one.name))),
      namespaces: this.#model.namespaces.map((one) => ({
        name: one.name,
        constants: one.constants,
        spec: interfaceAnchor(one.name),
      })),
      commands: this.#commands,
      events: this.#events,
    };
  }

  #dictionary(one: ApiModel['dictionaries'][number]): DictionarySchema {
    const crosses = this.#fromGuest.has(one.name) || this.#fromHost.has(one.name);
    const numbered = one.fields.map((field) => {
      const type = field.type;
      const signature = fieldSignature(field.required, type, field.default);
      const entry = crosses
        ? this.#lock.number('fields', `${one.name}.`, field.name, 0, signature)
        : { number: 0, since: 1 };
      return { field, ...entry };
    });
    if (crosses) numbered.sort((a, b) => a.number - b.number);
    let unsent = 0;
    const fields = numbered.map(({ field, number, since }): FieldSchema => ({
      ...field,
      ...(field.required ? {} : { bit: crosses ? this.#lock.bit(`${one.name}.`, number) : unsent++ }),
      since,
    }));
    const bits = Math.max(-1, ...fields.map((field) => field.bit ?? -1)) + 1;
    if (bits > MAX_OPTIONAL_FIELDS) {
      throw new GenerateError(
        `${one.file}: ${one.name} has ${bits} optional members, removed ones included; the presence mask holds ${MAX_OPTIONAL_FIELDS}; give the wire a second mask word.`,
      );
    }
    if (crosses)
      this.#keepRequired(`${one.file}: ${one.name}`, 'member', one.name, fields, this.#lock.firstUse(one.name));
    return {
      name: one.name,
      ...(one.inherits ? { inherits: one.inherits } : {}),
      fields,
      conversionOrder: one.conversionOrder,
      use: one.name.startsWith('Vesper') ? 'wire' : 'api',
      fromHost: this.#fromHost.has(one.name),
      fromGuest: this.#fromGuest.has(one.name),
      spec: dictionaryAnchor(one.name),
    };
  }

  /** What is required has to stay, and nothing can become so: the other side may be of an earlier revision. */
  #keepRequired(place: string, what: string, scope: string, fields: readonly FieldSchema[], since: number): void {
    const late = fields.find((field) => field.required && field.since > since);
    if (late) {
      throw new GenerateError(
        `${place}: the required ${what} "${late.name}" is new in revision ${late.since}, and deployed guests do not send it; make it optional, or give the new form a name of its own in idl/vesper.webidl.`,
      );
    }
    const [gone] = this.#lock.missing(
      `${scope}.`,
      fields.map((field) => field.name),
    );
    if (gone !== undefined) {
      throw new GenerateError(
        `${place}: the required ${what} "${gone}" of ${this.#lock.file} is gone, and deployed guests still send it; put it back, or give the new form a name of its own in idl/vesper.webidl.`,
      );
    }
  }

  #interface(one: ApiInterface, isRemote: boolean): InterfaceSchema {
    return {
      name: one.name,
      number: isRemote ? this.#lock.number('interfaces', '', one.name, 1).number : 0,
      ...(one.inherits ? { inherits: one.inherits } : {}),
      isEncoder: one.isEncoder,
      isHandWritten: one.isHandWritten,
      serializable: one.serializable,
      members: one.members.map((member): MemberSchema => ({
        name: member.name,
        kind: member.kind,
        declaredBy: member.declaredBy,
        class: member.overlay.class,
        guest: member.overlay.guest,
        group: member.overlay.group,
        ...(member.overlay.reason ? { reason: member.overlay.reason } : {}),
        readonly: member.readonly,
        sameObject: member.sameObject,
        type: member.type,
        overloads: member.overloads,
        ...(isRecord(member) ? { command: member.path } : {}),
        spec: memberAnchor(member.declaredBy, member.name),
      })),
      spec: interfaceAnchor(one.name),
    };
  }

  #record(member: ApiMember): void {
    if (!isRecord(member)) return;
    const { overlay, path } = member;
    const { number, since } = this.#lock.number('records', '', path, 1);
    const form = member.wireForm ?? this.#declaredForm(member);
    const fields = this.#fields(path, form.arguments);
    this.#keepRequired(path, 'argument', path, fields, since);
    for (const field of fields) {
      this.#reach(field.type, overlay.class === 'event' ? this.#fromHost : this.#fromGuest, `${path}: ${field.name}`);
    }
    const spec = memberAnchor(member.declaredBy, member.name);
    const owners = this.#model.interfaces.filter((one) => one.members.includes(member));
    const interfaces = owners.filter((one) => !one.isSingleton).map((one) => one.name);
    if (overlay.class === 'event') {
      this.#events.push({
        name: path,
        opcode: number,
        since,
        target: { kind: interfaces.length > 0 ? 'object' : 'none', interfaces },
        fields,
        spec,
      });
      return;
    }
    const isCurrent = owners.length > 0 && owners.every((one) => one.isEncoder);
    const command: CommandSchema = {
      name: path,
      opcode: number,
      since,
      class: overlay.class as CommandSchema['class'],
      target: { kind: interfaces.length === 0 ? 'none' : isCurrent ? 'currentEncoder' : 'object', interfaces },
      creates: overlay.creates.length > 0 ? overlay.creates : overlay.class === 'create' ? createdBy(member) : [],
      fields,
      host: overlay.host,
      guest: overlay.guest,
      ownership: overlay.ownership,
      cost: overlay.cost,
      group: overlay.group,
      ...(overlay.state === undefined ? {} : { state: overlay.state }),
      spec,
    };
    this.#checkState(command);
    if (overlay.class === 'request') {
      if (form.returns.kind !== 'promise')
        throw new GenerateError(
          `${path} is a request, but its wire form returns no Promise; correct idl/vesper.webidl or its class.`,
        );
      command.reply = form.returns.inner;
      if (command.reply.kind !== 'undefined' && command.reply.kind !== 'dictionary')
        throw new GenerateError(
          `${path} replies with a ${command.reply.kind}; declare its wire form with a Promise of undefined or of a dictionary in idl/vesper.webidl.`,
        );
      if (command.reply.kind === 'dictionary') this.#reach(command.reply, this.#fromHost, `${path}: its reply`);
    }
    this.#commands.push(command);
  }

  #checkState({ name, state, target, fields, class: kind }: CommandSchema): void {
    if (state === undefined) return;
    if (target.kind !== 'currentEncoder' || (state.kind === 'sets' && kind !== 'command')) {
      throw new GenerateError(`${name} has a "state", but is no command of an encoder; remove it from the overlay.`);
    }
    const [first] = fields;
    if (state.key === undefined || (first?.name === state.key && first.required && first.type.kind === 'integer'))
      return;
    throw new GenerateError(
      `${name}: "sets by ${state.key}" does not name its first argument, an integer; correct it.`,
    );
  }

  #declaredForm(member: ApiMember): { arguments: ArgumentSchema[]; returns: TypeSchema } {
    const [only, second] = member.overloads;
    if (!only || second) {
      throw new GenerateError(
        `${member.path}: ${second ? 'an overloaded operation' : `a member of kind ${member.kind}`} needs a wire form; ` +
          `declare interface Vesper${member.declaredBy} { undefined ${member.name}(…); } in idl/vesper.webidl.`,
      );
    }
    return { arguments: only, returns: member.type };
  }

  #fields(path: string, list: readonly ArgumentSchema[]): FieldSchema[] {
    return list.map((argument, index) => {
      const following = list[index + 1];
      if (argument.optional && argument.default === undefined && following) {
        throw new GenerateError(
          `${path}: the optional argument "${argument.name}" has no default and is not the last; declare a wire form in idl/vesper.webidl.`,
        );
      }
      const signature = fieldSignature(!argument.optional, argument.type, argument.default);
      const { number, since } = this.#lock.number('fields', `${path}.`, argument.name, 0, signature);
      if (number !== index)
        throw new GenerateError(
          `${path}: the argument "${argument.name}" has number ${number}, but stands at ${index}; arguments are only added at the end.`,
        );
      return {
        name: argument.name,
        type: argument.type,
        required: !argument.optional,
        ...(argument.default === undefined ? {} : { default: argument.default }),
        since,
      };
    });
  }

  /** Adds the dictionaries within `type` to `found`. @param place for messages. */
  #reach(type: TypeSchema, found: Set<string>, place: string): void {
    switch (type.kind) {
      case 'dictionary':
      case 'shape': {
        if (found.has(type.name)) return;
        found.add(type.name);
        const dictionary = this.#model.dictionaries.find((one) => one.name === type.name);
        if (!dictionary)
          throw new GenerateError(
            `idl/vesper.webidl: ${type.name}, ${place}, is not declared; declare the dictionary.`,
          );
        for (const field of dictionary.fields)
          this.#reach(field.type, found, `${dictionary.file}: ${dictionary.name}.${field.name}`);
        return;
      }
      case 'sequence':
      case 'frozenArray':
        return this.#reach(type.element, found, place);
      case 'record':
        return this.#reach(type.value, found, place);
      case 'nullable':
        return this.#reach(type.inner, found, place);
      case 'union':
        for (const member of type.members) this.#reach(member, found, place);
        return;
      case 'external':
      case 'promise':
      case 'undefined':
        throw new GenerateError(
          `${place} is of type ${typeSignature(type)}, which cannot cross the wire; classify the member as local or excluded in idl/overlay.json, or declare its wire form in idl/vesper.webidl.`,
        );
    }
  }
}

function isRecord(member: ApiMember): boolean {
  return member.overlay.class !== 'local' && member.overlay.class !== 'excluded';
}

function createdBy(member: ApiMember): string[] {
  if (member.type.kind !== 'object')
    throw new GenerateError(
      `${member.path} is classified "create", but does not return an interface; correct its class in idl/overlay.json.`,
    );
  return member.type.interfaces;
}

function pick(entry: { number: number; since: number }): { number: number; since: number } {
  return { number: entry.number, since: entry.since };
}
