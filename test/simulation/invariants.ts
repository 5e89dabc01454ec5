import { HIGH_BYTES } from './link.ts';
import { simulate, type Result } from './world.ts';

/** What a program may see instead of a step's result once its connection is broken. */
const BROKEN = new Set([
  'pending',
  'no adapter',
  'AbortError',
  'OperationError',
  'GPUPipelineError',
  'ConnectionError',
  'ProtocolError',
  'no error',
  'no message',
  'a pipeline',
  'done',
  'lost: unknown',
  'lost: destroyed',
  'closed',
  'ended: ConnectionError',
  'ended: ProtocolError',
  'ended: AbortError',
  'ended: OperationError',
]);

/** The host stops reading when it cannot send: what it has read by then, it still answers. In bytes. */
const MOST_WAITING = HIGH_BYTES + (256 << 10);

const references = new Map<number, Promise<Result>>();

/** The same program alone, with nothing in its way. */
export function reference(programSeed: number): Promise<Result> {
  let found = references.get(programSeed);
  if (found === undefined)
    references.set(
      programSeed,
      (found = simulate({ seed: 0, programs: [programSeed], hostileGuests: 0, isCalm: true })),
    );
  return found;
}

/** @returns what is wrong with how a simulation came out. */
export async function violations(result: Result): Promise<string[]> {
  const found: string[] = [];
  for (const [index, one] of result.participants.entries()) {
    const wrong = (what: string): void => void found.push(`guest ${index} (${one.disturbance}): ${what}`);
    if (!one.isOver) wrong(`something is pending for ever: ${one.outcomes?.join(', ')}`);
    if (one.end === undefined) wrong('its session has not ended');
    if (one.end?.reason === 'fault' && one.disturbance === 'none' && !one.end.message.includes('simulated'))
      wrong(`its session failed: ${one.end.message}`);
    if (one.leftDevices > 0) wrong(`${one.leftDevices} devices are left`);
    if (one.mostBytes.guest > MOST_WAITING) wrong(`${one.mostBytes.guest} bytes waited for it`);
    if (one.outcomes === undefined) continue;
    const { outcomes, calls } = (await reference(one.programSeed)).participants[0]!;
    const isWhole = one.disturbance === 'none';
    if (isWhole && one.end?.reason !== 'closed') wrong(`its session ended with ${one.end?.message}`);
    for (const [step, outcome] of one.outcomes.entries()) {
      if (outcome === outcomes![step] || (!isWhole && (BROKEN.has(outcome) || outcome.startsWith('uncaptured: '))))
        continue;
      wrong(`step ${step}: ${outcome}, alone ${outcomes![step]}`);
    }
    if (isWhole && one.outcomes.length !== outcomes!.length)
      wrong(`${one.outcomes.length} steps, alone ${outcomes!.length}`);
    const last = one.calls.length - 1;
    // The end of a session destroys devices that the program left.
    const prefix = one.calls.filter((digest, at) => digest === calls[at]).length;
    if (isWhole ? prefix < calls.length : prefix < last - 2) wrong(`call ${prefix} of ${last + 1} is another`);
  }
  return found;
}
