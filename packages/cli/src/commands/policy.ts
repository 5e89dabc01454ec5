import { readFileSync } from 'node:fs';
import {
  doubtsOf,
  explainPath,
  nearestPath,
  PolicyError,
  readPolicyFile,
  type ExplainedPath,
  type PolicyFile,
  type PolicyProblem,
} from '@vesper-gpu/host';
import { constraintText, roleText } from './policy-text.ts';

/** Files beyond this are no policies, in bytes. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/**
 * Reads a policy file from the disk.
 * @throws PolicyError also when the file cannot be read
 */
export function loadPolicyFile(file: string): PolicyFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw fileError(file, `it cannot be read: ${(error as Error).message}`, 'Name a file that this user may read.');
  }
  if (text.length > MAX_FILE_BYTES) throw fileError(file, 'it is too large to be a policy', 'Name another file.');
  return readPolicyFile(text, file);
}

/**
 * `vesper policy check`: sums up each role on stdout, or names what is wrong on stderr; all of it on stdout in JSON.
 * @returns the exit status: 1 when something is wrong
 */
export function checkPolicy(file: string, flags: { json?: boolean }): number {
  return withFile('check', file, flags, (policy) => {
    const policies = [...policy.roles.values()].map((role) => role.policy);
    if (flags.json) {
      const doubts = Object.fromEntries(policies.map((one) => [one.role, doubtsOf(one)]));
      print({ ok: true, file, schemaRevision: policy.schemaRevision, roles: policies, doubts });
      return 0;
    }
    const count = policies.length === 1 ? '1 role' : `${policies.length} roles`;
    console.log(`${file}: ${count}, written for schema revision ${policy.schemaRevision}`);
    for (const role of policy.roles.values()) console.log(`\n${roleText(role)}`);
    return 0;
  });
}

/**
 * `vesper policy explain`: says what each role, or one, says of a path.
 * @returns the exit status: 1 when something is wrong with the file, or there is no such path or role
 */
export function explainPolicy(file: string, path: string, flags: { role?: string; json?: boolean }): number {
  return withFile('explain', file, flags, (policy) => {
    if (flags.role !== undefined && !policy.roles.has(flags.role)) throw new UnknownRoleError(file, flags.role, policy);
    const explained = explainPath(policy, path, flags.role === undefined ? undefined : [flags.role]);
    if (explained === undefined) {
      const near = nearestPath(path);
      const remedy =
        near === undefined ? 'Name a command, field, value, feature, limit or @group.' : `Did you mean "${near}"?`;
      const message = `"${path}" is nothing that a policy can speak of. ${remedy}`;
      if (flags.json) print({ ok: false, error: message });
      else console.error(`vesper policy explain: ${message}`);
      return 1;
    }
    if (flags.json) print({ ok: true, file, ...explained });
    else console.log(explanationText(explained));
    return 0;
  });
}

/** There is no such role in the file, or none was named where there are several. */
export class UnknownRoleError extends PolicyError {
  /** @param role the name that was asked for; undefined when none was */
  constructor(file: string, role: string | undefined, { roles }: PolicyFile) {
    const message = role === undefined ? 'it has several roles, and none was named' : `it has no role "${role}"`;
    super([{ file, path: 'roles', message, remedy: `Name one of ${[...roles.keys()].join(', ')}.` }]);
  }
}

function withFile(
  command: string,
  file: string,
  flags: { json?: boolean },
  act: (policy: PolicyFile) => number,
): number {
  try {
    return act(loadPolicyFile(file));
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const problems: readonly PolicyProblem[] = error.problems;
    if (flags.json) print({ ok: false, file, problems });
    else console.error(`vesper policy ${command}: ${error.message}`);
    return 1;
  }
}

function explanationText({ path, is, roles }: ExplainedPath): string {
  const lines = [`${path}: ${is}`];
  const width = Math.max(...roles.map(({ role }) => role.length));
  for (const { role, verdict, because, constraints } of roles) {
    lines.push(`  ${role.padEnd(width)}  ${verdict}: ${because.join('; ')}`);
    for (const one of constraints) {
      const origin = one.saidBy === role ? ` (line ${one.line})` : ` (from ${one.saidBy}, line ${one.line})`;
      lines.push(`  ${''.padEnd(width)}  where ${one.path}: ${constraintText(one.constraint)}${origin}`);
    }
  }
  return lines.join('\n');
}

function fileError(file: string, message: string, remedy: string): PolicyError {
  return new PolicyError([{ file, path: '', message, remedy }]);
}

function print(value: unknown): void {
  console.log(JSON.stringify(value, undefined, 2));
}
