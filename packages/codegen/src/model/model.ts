import { Problems } from '../errors.ts';
import type { ResolvedDictionary, ResolvedIdl, ResolvedInterface, ResolvedMember } from '../resolve/resolve.ts';
import type { IdlEnum, IdlNamespace } from '../parse/idl.ts';
import type { ArgumentSchema, TypeSchema } from '../schema/schema.ts';
import type { Overlay, OverlayMember } from './overlay.ts';

/** A member together with how it is remoted. */
export interface ApiMember extends ResolvedMember {
  /** `GPUQueue.writeBuffer`: the declaring interface or mixin, and the member. */
  path: string;
  overlay: OverlayMember;
  /** What crosses the wire where that is not the member as declared; see idl/vesper.webidl. */
  wireForm?: { arguments: ArgumentSchema[]; returns: TypeSchema };
}

export interface ApiInterface {
  name: string;
  inherits?: string;
  serializable: boolean;
  isEncoder: boolean;
  isSingleton: boolean;
  isHandWritten: boolean;
  /** Own members and those of its mixins; a mixin's member is one object for all that include it. */
  members: ApiMember[];
}

/** The API with every member classified: what lowering starts from. */
export interface ApiModel {
  interfaces: ApiInterface[];
  /** Every member once, mixins' too, in declaration order. */
  members: ApiMember[];
  dictionaries: ResolvedDictionary[];
  enums: IdlEnum[];
  namespaces: IdlNamespace[];
}

const WIRE_PREFIX = 'Vesper';

/**
 * Joins the IDL and the overlay.
 * @throws GenerateError that names every member without an overlay entry and every entry without a member.
 */
export function buildModel(idl: ResolvedIdl, overlay: Overlay): ApiModel {
  const problems = new Problems();
  const byName = new Map(idl.interfaces.map((one) => [one.name, one]));
  const wireFormOf = (one: ResolvedInterface): ResolvedInterface | undefined =>
    one.name.startsWith(WIRE_PREFIX) ? byName.get(one.name.slice(WIRE_PREFIX.length)) : undefined;

  const members: ApiMember[] = [];
  const membersOf = new Map<string, ApiMember[]>();
  const covered = new Set<string>();
  for (const one of idl.interfaces) {
    if (wireFormOf(one)) continue;
    const wireForms = byName.get(WIRE_PREFIX + one.name);
    const own: ApiMember[] = [];
    for (const member of one.own) {
      const path = `${one.name}.${member.name}`;
      const entry = overlay.members[path];
      covered.add(path);
      if (!entry) {
        problems.add(
          `${one.file}: ${path} has no entry in ${overlay.file}; classify it there ("class": command, create, bulk, request, local, event or excluded).`,
        );
        continue;
      }
      const form = wireForms?.own.find((other) => other.name === member.name);
      own.push({
        ...member,
        path,
        overlay: entry,
        ...(form ? { wireForm: { arguments: form.overloads[0]!, returns: form.type } } : {}),
      });
    }
    for (const form of wireForms?.own ?? []) {
      if (!one.own.some((member) => member.name === form.name)) {
        problems.add(
          `${wireForms!.file}: ${wireForms!.name}.${form.name} is the wire form of ${one.name}.${form.name}, which does not exist; remove it.`,
        );
      }
    }
    members.push(...own);
    membersOf.set(one.name, own);
  }
  for (const path of Object.keys(overlay.members)) {
    if (!covered.has(path)) problems.add(`${overlay.file}: the entry "${path}" names no member of the IDL; remove it.`);
  }
  for (const name of [...overlay.encoders, ...overlay.singletons, ...Object.keys(overlay.handWritten)]) {
    if (!byName.has(name)) problems.add(`${overlay.file}: "${name}" is no interface of the IDL; remove it.`);
  }
  checkLists(idl, overlay, membersOf, problems);
  problems.throwIfAny();

  const interfaces = idl.interfaces
    .filter((one) => !one.isMixin && !wireFormOf(one))
    .map((one) => ({
      name: one.name,
      ...(one.inherits ? { inherits: one.inherits } : {}),
      serializable: one.serializable,
      isEncoder: overlay.encoders.includes(one.name),
      isSingleton: overlay.singletons.includes(one.name),
      isHandWritten: one.name in overlay.handWritten,
      members: [...one.mixins.flatMap((mixin) => membersOf.get(mixin)!), ...membersOf.get(one.name)!],
    }));
  return { interfaces, members, dictionaries: idl.dictionaries, enums: idl.enums, namespaces: idl.namespaces };
}

/** What the overlay's lists of interfaces must hold: an entry that is gone would quietly make another protocol. */
function checkLists(
  idl: ResolvedIdl,
  overlay: Overlay,
  membersOf: ReadonlyMap<string, ApiMember[]>,
  problems: Problems,
): void {
  const members = [...membersOf.values()].flat();
  const created = new Set(
    members.flatMap(({ overlay: { class: remoting, creates }, type }) =>
      remoting === 'create' && type.kind === 'object' ? type.interfaces : creates,
    ),
  );
  for (const one of idl.interfaces) {
    const own = membersOf.get(one.name);
    if (one.isMixin || own === undefined) continue;
    const missing = (list: string, why: string): void =>
      problems.add(`${overlay.file}: "${one.name}" is missing in "${list}": ${why}; add it.`);
    if (one.name.endsWith('Encoder') && !overlay.encoders.includes(one.name)) {
      missing('encoders', 'the commands of an encoder go to the current one');
    }
    const hasRecords = own.some((member) => member.overlay.class !== 'local' && member.overlay.class !== 'excluded');
    if (hasRecords && !created.has(one.name) && !overlay.singletons.includes(one.name)) {
      missing('singletons', 'it has commands, but none creates an object of it');
    }
    const isBase = idl.interfaces.some((other) => other.inherits === one.name && other.name in overlay.handWritten);
    const isConstructible = own.some((member) => member.kind === 'constructor');
    if ((isBase || isConstructible) && !(one.name in overlay.handWritten)) {
      missing('handWritten', 'programs construct it, or a class that extends it');
    }
  }
}
