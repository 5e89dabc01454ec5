import { policyCommands, policyDictionaries, type PolicyCommand, type PolicyType } from '@vesper-gpu/protocol/host';
import { DEFAULT_POLICY, type Constraint, type Policy } from '@vesper-gpu/host';
import { describe, expect, it } from 'vitest';
import { Guard } from '../../packages/host/src/policy/guard.ts';
import type { Refusal } from '../../packages/host/src/policy/refusal.ts';
import { commands } from '../wire/schema.ts';
import { Arena, settle } from './arena.ts';
import { baseline, selectFor, VARIANTS } from './baselines.ts';

/** What a policy did to one record. */
interface Outcome {
  refusals: Refusal[];
  /** How often the handler of the command was called. */
  executed: number;
  /** What the guest was told, in frames. */
  sentFrames: number;
}

/** Sends a valid record of a command to a host that holds its guest to `policy`. */
async function sendUnder(policy: Policy, { name }: PolicyCommand, variant = 0): Promise<Outcome> {
  const arena = await Arena.open();
  const command = commands.find((one) => one.name === name)!;
  const outcome: Outcome = { refusals: [], executed: 0, sentFrames: 0 };
  selectFor(command, arena, variant);
  const guard = new Guard(arena.handlers, (refusal) => outcome.refusals.push(refusal));
  guard.around(name, (next, args) => {
    outcome.executed++;
    return next(...args);
  });
  guard.enforce(policy);
  const before = arena.transport.frames.length;
  const { refusal } = arena.send(baseline(command, arena, variant).record());
  await settle();
  expect(refusal, 'the session went on').toBeUndefined();
  expect(arena.faults).toEqual([]);
  outcome.sentFrames = arena.transport.frames.length - before;
  return outcome;
}

const all = new Set(DEFAULT_POLICY.allow);

describe.each(policyCommands.map((command) => [command.name, command] as const))('%s', (name, command) => {
  it('is executed where the policy names it, and by no other name', async () => {
    const { refusals, executed } = await sendUnder({ ...DEFAULT_POLICY, allow: [name] }, command);
    expect(refusals).toEqual([]);
    expect(executed).toBe(1);
  });

  it('is not executed where the policy does not name it', async () => {
    const policy = { ...DEFAULT_POLICY, allow: [...all].filter((one) => one !== name) };
    const { refusals, executed, sentFrames } = await sendUnder(policy, command);
    expect(executed).toBe(0);
    expect(refusals.map(({ path, rule }) => [path, rule])).toEqual([[name, 'allow']]);
    // Without a device there is nobody to report to: of the core group, which no policy file can deny.
    expect(sentFrames > 0 || command.group === 'core', 'the guest was told').toBe(true);
  });
});

/** Paths of all arguments of commands and all fields of the dictionaries in them, with a command that has them. */
function* fieldPaths(): Generator<{ path: string; type: PolicyType; command: PolicyCommand }> {
  for (const command of policyCommands) {
    for (const { name, type } of command.fields) {
      yield { path: `${command.name}.${name}`, type, command };
      for (const inner of within(type)) yield { ...inner, command };
    }
  }
}

function* within(type: PolicyType): Generator<{ path: string; type: PolicyType }> {
  if (type.kind === 'sequence' || type.kind === 'record') yield* within(type.element);
  if (type.kind === 'union') for (const member of type.members) yield* within(member);
  if (type.kind !== 'dictionary') return;
  for (const field of policyDictionaries[type.name] ?? []) {
    yield { path: `${type.name}.${field.name}`, type: field.type };
    yield* within(field.type);
  }
}

/** A constraint that no value meets. */
function impossible(type: PolicyType): Constraint {
  switch (type.kind) {
    case 'number':
      return { max: -Infinity };
    case 'flags':
      return { oneOf: [] };
    case 'enum':
      return { oneOf: [] };
    case 'sequence':
    case 'string':
    case 'bytes':
    case 'record':
      return { lengthMax: -1 };
    default:
      return { absent: true };
  }
}

const paths = new Map([...fieldPaths()].map((one) => [one.path, one] as const));
/** Every command that has a path, by path. */
const commandsOf = new Map<string, PolicyCommand[]>();
for (const { path, command } of fieldPaths()) commandsOf.set(path, [...(commandsOf.get(path) ?? []), command]);

describe('a constraint', () => {
  it('can be put on every dictionary that a guest sends', () => {
    const reached = new Set([...paths.keys()].map((path) => path.split('.')[0]));
    const withFields = Object.keys(policyDictionaries).filter((name) => policyDictionaries[name]!.length > 0);
    expect(withFields.filter((name) => !reached.has(name))).toEqual([]);
  });

  it.each([...paths.values()])('on $path is looked at', async ({ path, type }) => {
    const outcomes: string[] = [];
    for (const command of commandsOf.get(path)!.slice(0, 2)) {
      const refused = [];
      for (let variant = 0; variant < VARIANTS && refused.length === 0; variant++) {
        const policy = { ...DEFAULT_POLICY, where: { [path]: impossible(type) } };
        const { refusals, executed } = await sendUnder(policy, command, variant);
        for (const refusal of refusals) {
          expect(executed).toBe(0);
          expect(refusal.path).toBe(path);
          expect(refusal.rule).toMatch(/^where\./);
          refused.push(refusal);
        }
      }
      if (refused.length === 0) outcomes.push(`${command.name} ignores it`);
    }
    expect(outcomes).toEqual([]);
  });
});
