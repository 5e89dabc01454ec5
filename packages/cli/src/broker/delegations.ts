import { createHash, randomBytes } from 'node:crypto';
import { carve, giveBack, isWithin, MAX_DELEGATED, withoutTotals, type Budget, type Policy } from '@vesper-gpu/host';
import { readDelegatedPolicy } from './delegated-policy.ts';

/** 256 bits: nobody guesses one. */
const TOKEN_BYTES = 32;

/** A session as far as it can give away, and be given, capabilities. */
export interface Delegator {
  /** Tells its executor that what it gave away comes back. */
  returned(given: Budget): void;
  /** Ends it, and says why. */
  withdraw(reason: string): void;
}

/** What a session holds, and what has become of that. */
interface Holding {
  readonly policy: Policy;
  /** What of its budget is not given away. */
  rest: Budget;
  /** Where it came from; absent where it is its address's. */
  readonly parent?: Delegator;
  readonly children: Set<Delegator>;
  readonly tokens: Set<string>;
}

/** A capability that waits for the connection that shows its secret. */
interface Grant {
  readonly policy: Policy;
  readonly parent: Delegator;
}

/**
 * Who gave which capability to whom. An executor runs what a guest sends, so that what it asks for is measured here
 * against what its session was given: no session can give away more than it has, whatever has become of its executor.
 */
export class Delegations {
  readonly #holdings = new Map<Delegator, Holding>();
  /** By the hash of the secret: finding one takes the same time for each that is wrong. */
  readonly #grants = new Map<string, Grant>();

  /** A session begins. */
  begin(session: Delegator, policy: Policy, parent?: Delegator): void {
    this.#holdings.set(session, {
      policy,
      rest: policy.budget,
      children: new Set(),
      tokens: new Set(),
      ...(parent === undefined ? {} : { parent }),
    });
    if (parent !== undefined) this.#holdings.get(parent)?.children.add(session);
  }

  /**
   * Makes a capability out of a session's own.
   * @param policy as its executor says; anything may be in it
   * @returns the secret, in hexadecimal
   * @throws Error that says why not
   */
  grant(session: Delegator, policy: unknown): string {
    const holding = this.#holdings.get(session);
    if (holding === undefined) throw new Error('the session is over');
    if (holding.tokens.size + holding.children.size >= MAX_DELEGATED)
      throw new Error(`a session may have ${MAX_DELEGATED} delegated capabilities at a time`);
    const { policy: own, rest } = holding;
    const child = readDelegatedPolicy(policy, own);
    if (child === undefined || !isWithin(child, { ...own, budget: rest }))
      throw new Error('it is more than the session has');
    const carved = carve(rest, child.budget);
    if (!carved.isCarved) throw new Error(carved.message);
    holding.rest = carved.rest;
    const token = randomBytes(TOKEN_BYTES).toString('hex');
    const key = keyOf(token);
    holding.tokens.add(key);
    this.#grants.set(key, { policy: { ...child, budget: carved.child }, parent: session });
    return token;
  }

  /** Uses a capability up. @returns what it gives; undefined where there is none of that secret any more */
  take(token: string): Grant | undefined {
    const key = keyOf(token);
    const grant = this.#grants.get(key);
    if (grant === undefined) return undefined;
    this.#grants.delete(key);
    this.#holdings.get(grant.parent)?.tokens.delete(key);
    return grant;
  }

  /**
   * A session is over, and with it all that it gave away. Of what can be used up for good nothing comes back to who gave
   * it: how much was used only its executor could say, which may be its guest's by now.
   */
  end(session: Delegator): void {
    const holding = this.#holdings.get(session);
    if (holding === undefined) return;
    this.#holdings.delete(session);
    for (const key of holding.tokens) this.#grants.delete(key);
    for (const child of holding.children) child.withdraw('the session that delegated its capability has ended');
    const { parent, policy } = holding;
    const giver = parent && this.#holdings.get(parent);
    if (parent === undefined || giver === undefined) return;
    giver.children.delete(session);
    giver.rest = giveBack(giver.rest, withoutTotals(policy.budget));
    parent.returned(policy.budget);
  }
}

function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
