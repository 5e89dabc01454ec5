import type { Budget } from './policy.ts';

/**
 * Quantities that sessions spend: what one has, another has no longer. The others (`hangMs`, `wallMs`) are bounds that
 * each session can have for itself.
 */
export const SPENT_QUANTITIES = [
  'gpuMemory',
  'processMemory',
  'objects',
  'inflightSubmits',
  'gpuMsPerSec',
  'gpuMsTotal',
  'bytesPerSec',
  'commandsPerSec',
  'bytes',
  'commands',
] as const satisfies readonly (keyof Budget)[];

/** Why a budget could not be carved out of another one. */
export interface CarveRefusal {
  /** Tells the two results apart. */
  readonly isCarved: false;
  /** The first one that is lacking. */
  readonly quantity: keyof Budget;
  /** What was asked for; absent where nothing was said of a quantity that the parent has only so much of. */
  readonly requested?: number;
  /** What the parent has. */
  readonly available: number;
  /** All of it in words. */
  readonly message: string;
}

/** A budget that was carved out of another one. */
export interface Carved {
  /** Tells the two results apart. */
  readonly isCarved: true;
  /** What the child may spend. */
  readonly child: Budget;
  /** What is left to the parent. */
  readonly rest: Budget;
}

/**
 * Takes the budget of a delegated session out of its parent's, so that both together may spend what the parent could.
 * A quantity that the parent has without limit stays so, and the child gets what it asks for. One that the parent has so
 * much of has to be named in the request: all of it would leave the parent nothing, and any part would be a guess.
 * @param parent what the parent has now: its budget less what it has spent and carved out before
 * @param request what is asked for
 */
export function carve(parent: Budget, request: Budget): Carved | CarveRefusal {
  const child: Record<string, number> = {};
  const rest: Record<string, number> = {};
  const names = new Set([...Object.keys(parent), ...Object.keys(request)] as (keyof Budget)[]);
  for (const quantity of names) {
    const [available, requested] = [parent[quantity], request[quantity]];
    if (available === undefined) {
      child[quantity] = requested!;
      continue;
    }
    if (!isSpent(quantity)) {
      child[quantity] = Math.min(available, requested ?? available);
      rest[quantity] = available;
      continue;
    }
    if (requested === undefined || requested > available) return refusal(quantity, requested, available);
    child[quantity] = requested;
    rest[quantity] = available - requested;
  }
  return { isCarved: true, child, rest };
}

/** What is used up for good. How much of it a session has used, only its executor could say, which may be its guest's by then. */
const TOTALS: readonly (keyof Budget)[] = ['gpuMsTotal', 'bytes', 'commands'];

/** What of a budget comes back when its session has ended. */
export function withoutTotals(budget: Budget): Budget {
  return Object.fromEntries(Object.entries(budget).filter(([name]) => !TOTALS.includes(name as keyof Budget)));
}

/** Adds what had been carved out, or a part of it, to what is left of a budget; what has no limit stays without. */
export function giveBack(rest: Budget, part: Budget): Budget {
  const result: Record<string, number> = { ...rest };
  for (const quantity of SPENT_QUANTITIES) {
    const [left, given] = [rest[quantity], part[quantity]];
    if (left !== undefined && given !== undefined) result[quantity] = left + given;
  }
  return result;
}

function isSpent(quantity: keyof Budget): boolean {
  return SPENT_QUANTITIES.some((one) => one === quantity);
}

function refusal(quantity: keyof Budget, requested: number | undefined, available: number): CarveRefusal {
  const message =
    requested === undefined
      ? `budget.${quantity} has to be named: there are ${available} of it, and none are given unasked`
      : `budget.${quantity}: ${requested} were asked for, and there are ${available}`;
  return { isCarved: false, quantity, ...(requested === undefined ? {} : { requested }), available, message };
}
