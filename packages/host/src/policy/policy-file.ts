import { PROTOCOL } from '@vesper-gpu/protocol/host';
import { policyPaths } from './catalog.ts';
import { DEFAULTS } from './defaults.ts';
import { readJson, type JsonValue } from './json-text.ts';
import { memberPath, Problems } from './policy-error.ts';
import type { Policy } from './policy.ts';
import { readRole, type RoleText } from './role-text.ts';
import { didYouMean, listed } from './suggest.ts';
import { shown, ValueReader } from './values.ts';

/** A policy file that was read: its roles, and what each was resolved from. */
export interface PolicyFile {
  /** The schema revision that it was written for: what is newer is denied unless it is named. */
  readonly schemaRevision: number;
  /** By name, in the order of the file. */
  readonly roles: ReadonlyMap<string, PolicyRole>;
  /** The line, the first being 1, that each member and each element begins in, by its path: `roles.kernels.allow[0]`. */
  readonly lines: ReadonlyMap<string, number>;
}

/** One role of a policy file. */
export interface PolicyRole {
  /** What a guest in this role is held to. */
  readonly policy: Policy;
  /** The entries of `allow`, as written here or in the role that this one extends. */
  readonly allow: readonly string[];
  /** For each key that is said, such as `allow` or `where.GPUBufferDescriptor.usage`, the role that says it. */
  readonly saidBy: ReadonlyMap<string, string>;
}

/** The names that a role may have: they stand in addresses, logs and metrics. */
const ROLE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/**
 * Reads a policy file: `{ "vesperPolicy": 1, "roles": { … } }`.
 * @param text the file's text, in JSON
 * @param name how messages name the file
 * @returns the policies by the names of their roles
 * @throws PolicyError that names all that is wrong, with what to do about it
 */
export function parsePolicyFile(text: string, name: string): ReadonlyMap<string, Policy> {
  return new Map([...readPolicyFile(text, name).roles].map(([role, { policy }]) => [role, policy]));
}

/**
 * Reads one role, as a policy file has it below `roles`, without `extends`: what a guest asks for when it delegates.
 * @param text the role in JSON; what it costs to read is in proportion to its length
 * @param name the role's name
 * @throws PolicyError that names what is wrong
 */
export function parsePolicyRole(text: string, name: string): Policy {
  const problems = new Problems(name);
  const json = readJson(text, problems);
  problems.throwAny();
  const role = readRole(new ValueReader(problems), json!, '');
  if (role?.extends !== undefined) {
    problems.add('extends', 'a role by itself has no other to extend', 'Write out what it would inherit.');
  }
  problems.throwAny();
  return resolve(name, role!, PROTOCOL.schemaRevision);
}

/**
 * Reads a policy file, and keeps what its policies come from.
 * @throws PolicyError as parsePolicyFile() does
 */
export function readPolicyFile(text: string, name: string): PolicyFile {
  const problems = new Problems(name);
  const lines = new Map<string, number>();
  const json = readJson(text, problems, lines);
  if (json === undefined) problems.throwAny();
  const file = readFile(json!, problems);
  problems.throwAny();
  const roles = new Map<string, PolicyRole>();
  for (const role of file.roles.keys()) {
    const { merged, saidBy } = inherit(role, file.roles);
    roles.set(role, { policy: resolve(role, merged, file.schemaRevision), allow: merged.allow ?? [], saidBy });
  }
  return { schemaRevision: file.schemaRevision, roles, lines };
}

interface FileText {
  readonly schemaRevision: number;
  readonly roles: ReadonlyMap<string, RoleText>;
}

function readFile(json: JsonValue, problems: Problems): FileText {
  const values = new ValueReader(problems);
  const roles = new Map<string, RoleText>();
  const file = values.object<{ $schema: string; vesperPolicy: 1; schemaRevision: number; roles: object }>(json, '', {
    // For editors.
    $schema: (value, path) => values.text(value, path),
    vesperPolicy: (value, path) => {
      if (value === 1) return 1;
      problems.add(path, `${shown(value)} is no version of policy files that this host knows`, 'Write 1.');
      return undefined;
    },
    schemaRevision: (value, path) => readRevision(values, value, path),
    roles: (value, path) =>
      values.record(value, path, (member, at, key) => {
        if (!ROLE_NAME.test(key)) {
          problems.add(at, 'this is no name for a role', 'Use letters, digits, and within it _ . -; at most 64.');
        }
        const role = readRole(values, member, at);
        if (role !== undefined) roles.set(key, role);
        return role;
      }),
  });
  if (json instanceof Map) {
    if (!json.has('vesperPolicy')) problems.add('', 'vesperPolicy is missing', 'Write "vesperPolicy": 1.');
    if (!json.has('roles')) problems.add('', 'roles is missing', 'Write "roles": { "NAME": { … } }.');
    else if (file?.roles !== undefined && (json.get('roles') as Map<string, JsonValue>).size === 0) {
      problems.add('roles', 'there is no role', 'Add one: { "allow": ["@compute", "@transfer"] }.');
    }
    const written = json.get('roles');
    checkInheritance(roles, written instanceof Map ? new Set(written.keys() as Iterable<string>) : new Set(), problems);
  }
  return { schemaRevision: file?.schemaRevision ?? DEFAULTS.schemaRevision, roles };
}

function readRevision(values: ValueReader, json: JsonValue, path: string): number | undefined {
  const revision = values.count(json, path, 1);
  if (revision === undefined || revision <= PROTOCOL.schemaRevision) return revision;
  values.problems.add(
    path,
    `${revision} is newer than this host's schema revision, ${PROTOCOL.schemaRevision}`,
    `Write ${PROTOCOL.schemaRevision}, or use a newer host.`,
  );
  return undefined;
}

function checkInheritance(
  roles: ReadonlyMap<string, RoleText>,
  written: ReadonlySet<string>,
  problems: Problems,
): void {
  for (const [name, role] of roles) {
    const base = role.extends;
    const path = `${memberPath('roles', name)}.extends`;
    if (base === undefined) continue;
    if (!written.has(base)) {
      const remedy = didYouMean(base, written, `Roles of this file: ${listed([...written])}.`);
      problems.add(path, `there is no role ${shown(base)}`, remedy);
      continue;
    }
    const seen = new Set<string>();
    for (let at: string | undefined = name; at !== undefined; at = roles.get(at)?.extends) {
      if (seen.has(at)) {
        // Those outside of the circle that lead into it need no line of their own.
        if (at === name)
          problems.add(path, `the roles extend each other: ${[...seen, at].join(', ')}`, 'Break the circle.');
        break;
      }
      seen.add(at);
    }
  }
}

/** Parts of a role whose members are inherited one by one. */
const MERGED = ['where', 'wgsl', 'budget', 'limits'] as const;

function inherit(
  name: string,
  roles: ReadonlyMap<string, RoleText>,
): { merged: RoleText; saidBy: Map<string, string> } {
  const chain: [string, RoleText][] = [];
  for (let at: string | undefined = name; at !== undefined; at = roles.get(at)?.extends)
    chain.unshift([at, roles.get(at)!]);
  const saidBy = new Map<string, string>();
  let merged: RoleText = {};
  for (const [role, text] of chain) {
    const parts: Record<string, object> = {};
    for (const key of MERGED) {
      if (text[key] === undefined) continue;
      for (const member of Object.keys(text[key])) saidBy.set(`${key}.${member}`, role);
      parts[key] = { ...merged[key], ...text[key] };
    }
    for (const key of Object.keys(text)) if (!MERGED.some((one) => one === key)) saidBy.set(key, role);
    merged = { ...merged, ...text, ...parts };
  }
  return { merged, saidBy };
}

/** What a role comes to: groups as commands, and the defaults in the place of what it does not say. */
function resolve(role: string, text: RoleText, revision: number): Policy {
  const { allow, deny } = resolveAllowed(text.allow ?? [], revision);
  return {
    role,
    allow,
    deny,
    features: sorted(text.features ?? []),
    limits: text.limits ?? {},
    where: text.where ?? {},
    wgsl: {
      maxBytes: DEFAULTS.maxBytes,
      maxFunctions: DEFAULTS.maxFunctions,
      maxExpandedCalls: DEFAULTS.maxExpandedCalls,
      compileMs: DEFAULTS.compileMs,
      ...text.wgsl,
      ...(text.wgsl?.sha256 === undefined ? {} : { sha256: sorted(text.wgsl.sha256) }),
    },
    budget: { hangMs: DEFAULTS.hangMs, ...text.budget },
    adapterInfo: text.adapterInfo ?? 'redacted',
    timestamps: text.timestamps ?? 'deny',
    forceFallbackAdapter: text.forceFallbackAdapter ?? false,
  };
}

/**
 * The commands that entries of `allow` come to, and what is newer than the revision and not named. A group or an
 * interface stands for what it had at that revision, so that no member of a later IDL is allowed unseen.
 */
function resolveAllowed(entries: readonly string[], revision: number): Pick<Policy, 'allow' | 'deny'> {
  const named = new Set(entries);
  const all = [...named, '@core', ...(named.size > 0 ? ['@adapter'] : [])];
  const allow = new Set<string>();
  for (const entry of all) {
    const target = policyPaths.get(entry);
    if (target?.kind === 'command') allow.add(target.command.name);
    if (target?.kind !== 'group' && target?.kind !== 'interface') continue;
    for (const command of target.commands) if (command.since <= revision) allow.add(command.name);
  }
  const deny: string[] = [];
  for (const target of policyPaths.values()) {
    if (named.has(target.path)) continue;
    // Features have a list of their own.
    if (target.kind === 'value' && target.since > revision && target.enum !== 'GPUFeatureName') deny.push(target.path);
    if (target.kind !== 'field' || target.field.since <= revision) continue;
    const { command } = target;
    // Whoever names a command names the arguments that it had from the start. One that is denied needs no more.
    if (command !== undefined && (!allow.has(command.name) || target.field.since <= command.since)) continue;
    deny.push(target.path);
  }
  return { allow: sorted([...allow]), deny: sorted(deny) };
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}
