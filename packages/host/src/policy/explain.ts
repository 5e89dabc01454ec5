import { policyCommands, type PolicyCommand, type PolicyType } from '@vesper-gpu/protocol/host';
import { pathsWithin, policyFeatures, policyLimits, policyPaths, type PolicyPath } from './catalog.ts';
import { memberPath } from './policy-error.ts';
import type { PolicyFile, PolicyRole } from './policy-file.ts';
import type { Constraint } from './policy.ts';
import { nearest } from './suggest.ts';

/** What a role says of one path. */
export interface Explanation {
  /** Name of the role. */
  readonly role: string;
  /** `partly`: of a group or an interface, some commands are allowed. */
  readonly verdict: 'allowed' | 'denied' | 'partly';
  /** Why: what in the policy says so, in words. */
  readonly because: readonly string[];
  /** The constraints that bear on it. */
  readonly constraints: readonly ExplainedConstraint[];
}

/** A constraint, and the role that says it. */
export interface ExplainedConstraint {
  /** What it is of: a field, an argument or a command. */
  readonly path: string;
  /** What the value has to be. */
  readonly constraint: Constraint;
  /** The role in which it is written: this one, or one that this one extends. */
  readonly saidBy: string;
  /** The line of the file that it is written in, the first being 1. */
  readonly line: number;
}

/** What a path is, and what each role says of it. */
export interface ExplainedPath {
  /** As policies write it. */
  readonly path: string;
  /** What it is, in words: `a command of @transfer`. */
  readonly is: string;
  /** In the order that was asked for. */
  readonly roles: readonly Explanation[];
}

/** What a path leads to that is no path of `allow`: features and limits have keys of their own. */
type Subject = PolicyPath | { readonly kind: 'feature' | 'limit'; readonly path: string };

/** The subject that a path names: a command, field, enumeration value, feature, limit, group or interface. */
function subjectOf(path: string): Subject | undefined {
  const feature = path.replace(/^GPUFeatureName\./, '');
  if (policyFeatures.includes(feature)) return { kind: 'feature', path: feature };
  const limit = path.replace(/^GPUSupportedLimits\./, '');
  if (policyLimits.includes(limit)) return { kind: 'limit', path: limit };
  return policyPaths.get(path);
}

/**
 * Says for each role whether it allows what a path names, by what in the file, and within which bounds.
 * @param names the roles to speak of, all of the file; by default all that it has
 * @returns undefined when there is no such path; `nearestPath` may know which one was meant
 */
export function explainPath(
  file: PolicyFile,
  path: string,
  names: readonly string[] = [...file.roles.keys()],
): ExplainedPath | undefined {
  const subject = subjectOf(path);
  if (subject === undefined) return undefined;
  const roles = names.map((name) => explain(file, name, subject));
  return { path: subject.path, is: kindOf(subject), roles };
}

/** The path, feature or limit that was probably meant. */
export function nearestPath(path: string): string | undefined {
  return nearest(path, [...policyPaths.keys(), ...policyFeatures, ...policyLimits]);
}

function kindOf(subject: Subject): string {
  const since = (revision: number) => (revision > 1 ? `, since schema revision ${revision}` : '');
  switch (subject.kind) {
    case 'command':
      return `a command of @${subject.command.group}${since(subject.command.since)}`;
    case 'field':
      return `${subject.command === undefined ? 'a field of a dictionary' : 'an argument'}${since(subject.field.since)}`;
    case 'value':
      return `a value of ${subject.enum}${since(subject.since)}`;
    default:
      return { group: 'a group', interface: 'an interface', feature: 'a feature', limit: 'a limit' }[subject.kind];
  }
}

function explain(file: PolicyFile, name: string, subject: Subject): Explanation {
  const role = new ExplainedRole(file, name);
  switch (subject.kind) {
    case 'command':
      return role.command(subject.command);
    case 'field':
      return role.field(subject.path, subject.command);
    case 'value':
      return role.value(subject.path, subject.enum, subject.value);
    case 'feature':
      return role.feature(subject.path);
    case 'limit':
      return role.limit(subject.path);
    default:
      return role.commands(subject.commands);
  }
}

class ExplainedRole {
  readonly #file: PolicyFile;
  readonly #name: string;
  readonly #role: PolicyRole;

  constructor(file: PolicyFile, name: string) {
    this.#file = file;
    this.#name = name;
    this.#role = file.roles.get(name)!;
  }

  command(command: PolicyCommand): Explanation {
    const isAllowed = this.#role.policy.allow.includes(command.name);
    const because = isAllowed ? this.#grants(command) : [this.#lack(command)];
    return this.#says(isAllowed, because, isAllowed ? pathsWithin(command) : []);
  }

  field(path: string, command: PolicyCommand | undefined): Explanation {
    const { allow, deny } = this.#role.policy;
    if (deny.includes(path)) return this.#says(false, [this.#newer()]);
    const users = policyCommands.filter((one) => (command ?? one) === one && pathsWithin(one).includes(path));
    const allowed = users.filter((one) => allow.includes(one.name));
    if (allowed.length === 0) {
      return this.#says(false, [`no command that takes it is allowed: ${users.map((one) => one.name).join(', ')}`]);
    }
    return this.#says(true, [`comes with ${allowed.map((one) => one.name).join(', ')}`], [path]);
  }

  value(path: string, enumeration: string, value: string): Explanation {
    const { deny, where } = this.#role.policy;
    if (deny.includes(path)) return this.#says(false, [this.#newer()]);
    const paths = Object.keys(where).filter((one) => {
      const target = policyPaths.get(one);
      return target?.kind === 'field' && isOf(target.field.type, enumeration);
    });
    const forbidding = paths.filter((one) => {
      const { oneOf, noneOf } = where[one]!;
      return oneOf?.includes(value) === false || noneOf?.includes(value) === true;
    });
    const because = ['it is no newer than the policy, or named in it'];
    return this.#says(true, forbidding.length > 0 ? forbidding.map((one) => `but not as ${one}`) : because, paths);
  }

  feature(name: string): Explanation {
    if (name === 'timestamp-query' && this.#role.policy.timestamps === 'deny') {
      return this.#says(false, [`"deny" in ${this.#by('timestamps')} takes the feature away`]);
    }
    const isAllowed = this.#role.policy.features.includes(name);
    const said = this.#role.saidBy.get('features');
    const because = said === undefined ? 'the role says nothing of features, so there are none' : this.#by('features');
    return this.#says(isAllowed, [isAllowed || said === undefined ? because : `it is not in ${because}`]);
  }

  limit(name: string): Explanation {
    const { limits, adapterInfo } = this.#role.policy;
    if (limits[name] === undefined) {
      const isHidden = adapterInfo === 'redacted' || adapterInfo === 'deny';
      const rest = isHidden
        ? `the default of WebGPU, because adapterInfo is "${adapterInfo}"`
        : `what the adapter has, because the role says nothing of it`;
      return this.#says(true, [`up to ${rest}`]);
    }
    const bound = name.startsWith('min') ? 'from' : 'up to';
    return this.#says(true, [`${bound} ${limits[name]}, by ${this.#by(`limits.${name}`)}`]);
  }

  commands(commands: readonly PolicyCommand[]): Explanation {
    const names = commands.map((one) => one.name);
    const allowed = names.filter((one) => this.#role.policy.allow.includes(one));
    const denied = names.filter((one) => !allowed.includes(one));
    if (names.length === 0) return this.#says(true, ['no command is in it yet']);
    if (denied.length === 0) return this.#says(true, [`all of it: ${allowed.length} commands`]);
    if (allowed.length === 0) return this.#says(false, [`none of its ${denied.length} commands`]);
    const because = [`allowed: ${allowed.join(', ')}`, `denied: ${denied.join(', ')}`];
    return { ...this.#says(true, because), verdict: 'partly' };
  }

  #says(isAllowed: boolean, because: readonly string[], paths: readonly string[] = []): Explanation {
    const { where } = this.#role.policy;
    const constraints = paths
      .filter((path) => where[path] !== undefined)
      .map((path) => {
        const saidBy = this.#role.saidBy.get(`where.${path}`)!;
        return { path, constraint: where[path]!, saidBy, line: this.#line(saidBy, 'where', path)! };
      });
    return { role: this.#name, verdict: isAllowed ? 'allowed' : 'denied', because, constraints };
  }

  /** The entries that allow a command. */
  #grants(command: PolicyCommand): string[] {
    const owner = command.name.slice(0, command.name.indexOf('.'));
    const isOld = command.since <= this.#file.schemaRevision;
    const grants: string[] = [];
    for (const [i, entry] of this.#role.allow.entries()) {
      const isMeant = entry === command.name || (isOld && (entry === owner || entry === `@${command.group}`));
      if (isMeant) grants.push(`"${entry}" in ${this.#by('allow', `[${i}]`)}`);
    }
    if (grants.length > 0) return grants;
    if (command.group === 'core') return ['@core is always allowed'];
    return ['@adapter is allowed as soon as anything is'];
  }

  #lack(command: PolicyCommand): string {
    if (command.since > this.#file.schemaRevision) {
      return `it came with schema revision ${command.since}, and the file was written for ${this.#file.schemaRevision}: name it in allow`;
    }
    const owner = command.name.slice(0, command.name.indexOf('.'));
    const place = this.#role.saidBy.has('allow') ? this.#by('allow') : 'the role, which has no allow';
    return `none of "@${command.group}", "${owner}", "${command.name}" is in ${place}`;
  }

  #newer(): string {
    return `it is newer than schema revision ${this.#file.schemaRevision}, for which the file was written: name it in allow`;
  }

  /** @param part of the key's value: an element, as `[0]` */
  #by(key: string, part = ''): string {
    const role = this.#role.saidBy.get(key) ?? this.#name;
    const [first, ...rest] = key.split('.');
    const line = this.#line(role, first!, rest.length > 0 ? rest.join('.') : undefined, part);
    const place = line === undefined ? '' : `, line ${line}`;
    return role === this.#name ? `${key}${place}` : `${key} of ${role}${place}, which ${this.#name} extends`;
  }

  #line(role: string, key: string, member?: string, part = ''): number | undefined {
    const path = memberPath(memberPath('roles', role), key);
    return this.#file.lines.get((member === undefined ? path : memberPath(path, member)) + part);
  }
}

function isOf(type: PolicyType, enumeration: string): boolean {
  if (type.kind === 'sequence' || type.kind === 'record') return isOf(type.element, enumeration);
  if (type.kind === 'union') return type.members.some((member) => isOf(member, enumeration));
  return type.kind === 'enum' && type.name === enumeration;
}
