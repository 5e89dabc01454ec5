import { DEFAULT_POLICY, type Budget, type Constraint, type Policy } from '@vesper-gpu/host';
import { policyCommands, policyDictionaries, type PolicyField } from '@vesper-gpu/protocol/host';
import type { Random } from './random.ts';

/** Without these, a session does not come to its first command. */
const NEEDED = new Set(['core', 'adapter']);

/**
 * A policy of a few commands, constraints and small budgets, that lets a session begin. Nothing in it depends on the time,
 * so that an execution comes back with its seed.
 */
export function randomPolicy(random: Random): Policy {
  const isGenerous = random.oneIn(2);
  const allow = policyCommands
    .filter(({ group }) => NEEDED.has(group) || !random.oneIn(isGenerous ? 20 : 3))
    .map(({ name }) => name);
  const where: Record<string, Constraint> = {};
  for (const [path, field] of fields()) if (random.oneIn(30)) where[path] = constraint(field, random);
  const wgsl = random.oneIn(2)
    ? {}
    : { maxBytes: random.below(500), maxFunctions: random.below(4), maxExpandedCalls: 3 };
  const timestamps = random.oneIn(3) ? { quantumUs: 1 + random.below(1000) } : random.oneIn(2) ? 'deny' : 'full';
  return { ...DEFAULT_POLICY, role: 'fuzzed', allow, where, wgsl, budget: budget(random), timestamps };
}

function* fields(): Generator<[string, PolicyField]> {
  // The requests that begin a session are left alone.
  for (const command of policyCommands)
    if (!NEEDED.has(command.group)) for (const field of command.fields) yield [`${command.name}.${field.name}`, field];
  for (const [name, members] of Object.entries(policyDictionaries))
    if (!/^(?:GPURequestAdapterOptions|GPUDeviceDescriptor|GPUQueueDescriptor|Vesper)/.test(name))
      for (const field of members) yield [`${name}.${field.name}`, field];
}

function constraint({ type }: PolicyField, random: Random): Constraint {
  switch (type.kind) {
    case 'number':
      return random.oneIn(2) ? { max: random.below(100) } : { min: random.below(4) };
    case 'flags':
      return { oneOf: [1, 2, 4, 8, 64, 72, 128, 132] };
    case 'string':
    case 'bytes':
    case 'sequence':
      return { lengthMax: random.below(5) };
    default:
      return { absent: true };
  }
}

function budget(random: Random): Budget {
  return {
    // One device is 4 MiB.
    ...(random.oneIn(2) ? { gpuMemory: (5 << 20) + random.below(1 << 20) } : {}),
    ...(random.oneIn(2) ? { objects: 4 + random.below(40) } : {}),
    ...(random.oneIn(3) ? { commands: 10 + random.below(2000) } : {}),
    ...(random.oneIn(3) ? { bytes: 2000 + random.below(100_000) } : {}),
    ...(random.oneIn(3) ? { inflightSubmits: 1 + random.below(4) } : {}),
  };
}
