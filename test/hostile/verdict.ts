import type { ProtocolError } from '@vesper-gpu/wire';
import type { CommandSchema } from '../wire/schema.ts';
import { settle, type Arena } from './arena.ts';
import type { Expectation, Mutant } from './mutators.ts';
import { REASONS } from './reasons.ts';

/**
 * Sends a harmed record, and one that shows whether it was run, in one frame.
 * @returns what is wrong with the host's verdict, and whether the host is as it was: it refused the record whole.
 */
export async function judge(
  arena: Arena,
  command: CommandSchema,
  mutant: Mutant,
): Promise<{ found: string | undefined; isUntouched: boolean }> {
  const objects = arena.connection.objectCount;
  const found = await verdictOn(arena, command, mutant);
  const isUntouched = arena.gpu.calls.length === 0 && !arena.canaryRan && arena.connection.objectCount === objects;
  return { found, isUntouched };
}

async function verdictOn(arena: Arena, command: CommandSchema, mutant: Mutant): Promise<string | undefined> {
  const { harmsHeader = false } = mutant;
  const frameBytes = 4 * (1 + mutant.words.length + arena.canary().length);
  const before = arena.gpu.calls.length;
  const wrong = (what: string): string => `${command.name} ${mutant.path}: ${mutant.what}: ${what}`;
  let refusal: ProtocolError | undefined;
  try {
    ({ refusal } = arena.send(mutant.words, arena.canary()));
  } catch (error) {
    return wrong(`threw ${String(error)}`);
  }
  await settle();
  if (arena.faults.length > 0) return wrong(`the session failed with ${String(arena.faults[0])}`);
  if (refusal === undefined) {
    if (Array.isArray(mutant.expected)) return wrong(`was taken, not refused for ${mutant.expected.join(' or ')}`);
    return harmsHeader || arena.canaryRan ? undefined : wrong('the record behind it was not run');
  }
  const ill = illTyped(refusal, harmsHeader ? undefined : command.opcode, frameBytes);
  if (ill !== undefined) return wrong(ill);
  // A harmed header may split the record in two, of which the first was good.
  if (!harmsHeader && arena.gpu.calls.length > before)
    return wrong(`${arena.gpu.calls.at(-1)} was called all the same`);
  if (!harmsHeader && arena.canaryRan) return wrong('the record behind it was run all the same');
  return unexpected(refusal, mutant.expected, wrong);
}

function unexpected(
  refusal: ProtocolError,
  expected: Expectation,
  wrong: (what: string) => string,
): string | undefined {
  if (expected === 'either') return undefined;
  if (expected === 'taken') return wrong(`was refused: ${refusal.message}`);
  return expected.includes(refusal.reason) ? undefined : wrong(`was refused for another reason: ${refusal.message}`);
}

/** A refusal says why, where and in which record. */
export function illTyped(refusal: ProtocolError, opcode: number | undefined, frameBytes: number): string | undefined {
  if (!REASONS.has(refusal.reason)) return `the reason "${refusal.reason}" is none`;
  if (opcode !== undefined && refusal.opcode !== opcode) return `the opcode ${refusal.opcode}: ${refusal.message}`;
  if (!(refusal.offset >= 0 && refusal.offset <= frameBytes)) return `the offset ${refusal.offset}: ${refusal.message}`;
  if (refusal.detail === '') return 'no detail';
  return undefined;
}
