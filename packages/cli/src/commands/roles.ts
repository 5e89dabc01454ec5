import { PolicyError, type Policy } from '@vesper-gpu/host';
import type { ListenAddress } from '../broker/broker.ts';
import { loadPolicyFile, UnknownRoleError } from './policy.ts';

/** What the command line says of policies. */
export interface RoleFlags {
  /** A policy file. */
  readonly policy?: string;
  /** The role of guests whose address names none. */
  readonly role?: string;
}

/** A role before an address; no scheme has these characters before an equals sign. */
const WITH_ROLE = /^([A-Za-z0-9][A-Za-z0-9_.-]*)=(.+)$/s;

/**
 * The addresses of a command line, `unix:PATH` or `ROLE=unix:PATH`, each with the policy of its role.
 * @throws PolicyError when the file cannot be used, a role is not in it, or it is not clear which role is meant
 */
export function listenAddresses(addresses: readonly string[], flags: RoleFlags): ListenAddress[] {
  const split = addresses.map((text) => {
    const [, role, address] = WITH_ROLE.exec(text) ?? [];
    return role === undefined || address === undefined ? { address: text } : { address, role };
  });
  if (flags.policy === undefined) {
    const role = flags.role ?? split.find((one) => one.role !== undefined)?.role;
    if (role !== undefined) throw withoutPolicy(role);
    return split;
  }
  const choose = policyChooser(flags.policy);
  return split.map(({ address, role }) => ({ address, policy: choose(role ?? flags.role) }));
}

/**
 * The policy for a command that has one address.
 * @throws PolicyError as listenAddresses() does
 */
export function onlyPolicy(flags: RoleFlags): { policy?: Policy } {
  const { policy } = listenAddresses([''], flags)[0]!;
  return policy === undefined ? {} : { policy };
}

/** Reads a file once for all addresses. Without a name, its only role is meant. */
function policyChooser(file: string): (role: string | undefined) => Policy {
  const policies = loadPolicyFile(file);
  return (name) => {
    const { roles } = policies;
    const role = name === undefined && roles.size === 1 ? [...roles.values()][0] : roles.get(name ?? '');
    if (role === undefined) throw new UnknownRoleError(file, name, policies);
    return role.policy;
  };
}

function withoutPolicy(role: string): PolicyError {
  const message = `the role "${role}" was named, and no policy file`;
  return new PolicyError([{ file: '--role', path: '', message, remedy: 'Add --policy FILE.' }]);
}
