import type { Handlers, PolicyCommand } from '@vesper-gpu/protocol/host';
import { ProtocolError } from '@vesper-gpu/wire';
import type { Flow } from '../flow.ts';
import { AdapterView } from './adapter-view.ts';
import { attenuate } from './attenuate.ts';
import type { AuditEntry } from './audit.ts';
import { carve, SPENT_QUANTITIES, withoutTotals } from './carve.ts';
import { GPUMemory } from './gpu-memory.ts';
import { GPUTime } from './gpu-time.ts';
import { Guard } from './guard.ts';
import type { LearnedSession, Learner } from './learn.ts';
import type { Budget, Policy } from './policy.ts';
import { parsePolicyRole } from './policy-file.ts';
import { Rates } from './rates.ts';
import { Refusal } from './refusal.ts';
import { limitShaders, type Sha256 } from './shader-cost.ts';
import { quantiseTimestamps } from './timestamps.ts';

/** A role that lists every path there is has a third of that, in UTF-16 units. */
const MAX_REQUEST_LENGTH = 256 << 10;

/** Capabilities that one session may have given away at a time, used or not. */
export const MAX_DELEGATED = 64;

/** What the enforcement of a policy needs of the session. */
export interface EnforcementOptions {
  readonly policy: Policy;
  readonly handlers: Handlers;
  readonly flow: Flow;
  /** How many objects the guest has now, and how many commands it has sent. */
  objectCount(): number;
  commandCount(): number;
  /** Ends the session. */
  end(error: ProtocolError): void;
  /** Hears of it when a part of the budget was carved out or given back. */
  budgetChanged?(budget: Budget): void;
  /** Hears of what was refused. */
  audit?(entry: AuditEntry): void;
  readonly sha256?: Sha256 | undefined;
  readonly delegate?: Delegate | undefined;
  /** Watches what is executed. */
  readonly learn?: Learner | undefined;
}

/**
 * Opens a capability for a session that is to be held to `policy`. It is asked for once the budget has been carved out.
 * @returns the secret that the new session shows; a rejection's message is told to the guest
 */
export type Delegate = (policy: Policy) => Promise<string>;

/** What a guest asks for. */
function requestedRole(text: string): Policy {
  if (text.length > MAX_REQUEST_LENGTH) throw operationError(`a role of more than ${MAX_REQUEST_LENGTH} characters`);
  try {
    return parsePolicyRole(text, 'delegated');
  } catch (error) {
    throw operationError((error as Error).message);
  }
}

function operationError(message: string): Error {
  return Object.assign(new Error(message), { name: 'OperationError' });
}

/** Holds one session to its policy: in place before the first command, gone with the session. */
export class Enforcement {
  readonly view: AdapterView;
  readonly rates: Rates;
  readonly memory: GPUMemory;
  readonly #time: GPUTime;
  /** Commands that the guest may send in all. A field, as it is looked at before each. */
  maxCommands = Infinity;
  /** Capabilities that were given away, and have not come back. */
  #delegated = 0;
  /** What the session may spend now; parts of it may be carved out. */
  readonly #budget: { -readonly [K in keyof Budget]: Budget[K] };
  readonly #options: EnforcementOptions;
  readonly #compilations = new Set<ReturnType<typeof setTimeout>>();

  constructor(options: EnforcementOptions) {
    this.#options = options;
    const { policy, handlers, flow } = options;
    const budget = { ...policy.budget };
    this.#budget = budget;
    this.maxCommands = budget.commands ?? Infinity;
    this.view = new AdapterView(policy);
    const guard = new Guard(handlers, (refusal) => this.#refused(refusal));
    const end = (rule: keyof Budget, detail: string): void => this.#end(`budget.${rule}`, detail);
    // Later ones stand outside of earlier ones, so what costs least to look at comes last.
    if (typeof policy.timestamps === 'object') quantiseTimestamps(guard, policy.timestamps.quantumUs);
    options.learn?.follow(guard, this.#learnedSession(), options.sha256);
    this.#time = new GPUTime(guard, budget, flow, end);
    this.memory = new GPUMemory(guard, budget.gpuMemory ?? Infinity, this.#time.whenDone, flow);
    this.rates = new Rates(budget, flow, end);
    this.#limitCompilations(guard);
    limitShaders(guard, policy.wgsl, options.sha256);
    if (budget.objects !== undefined) this.#limitObjects(guard);
    guard.enforce(policy);
  }

  #learnedSession(): LearnedSession {
    const { objectCount, commandCount } = this.#options;
    return {
      objectCount,
      commandCount,
      receivedBytes: () => this.rates.totalBytes,
      peakMemoryBytes: () => this.memory.ledger.peakBytes,
    };
  }

  /** GPU time that the session has used, in milliseconds. */
  get gpuMs(): number {
    return this.#time.totalMs;
  }

  #refused({ path, rule, value }: Refusal): void {
    this.#options.learn?.refused();
    this.#options.audit?.({ path, rule, ...(value === undefined ? {} : { value }), verdict: 'refused' });
  }

  #end(rule: string, detail: string): void {
    this.#options.end(this.#ending(rule, detail));
  }

  /** What ends the session, once it is in the audit log. */
  #ending(rule: string, detail: string): ProtocolError {
    this.#options.audit?.({ path: 'VesperStream.ended', rule, verdict: 'ended' });
    const isHang = rule === 'budget.hangMs' || rule === 'wgsl.compileMs';
    return new ProtocolError(isHang ? 'watchdog' : 'budget', `${detail} (${rule})`);
  }

  /** The commands that the guest may send are spent. @returns what ends the session */
  commandsSpent(): ProtocolError {
    return this.#ending(
      'budget.commands',
      `the ${this.maxCommands} commands that the policy of this guest allows are spent`,
    );
  }

  /** The guest has had to wait for longer than anyone should. @returns what ends the session */
  waitedTooLong(): ProtocolError {
    return this.#ending('budget', 'the guest had to wait for more than a minute: it owes too much');
  }

  /**
   * Opens a narrower capability for a sandbox within the guest, and takes what that may spend from this session.
   * @param text a role, as policy files have it, in JSON
   * @throws Error that tells the guest what is wrong
   */
  async attenuate(text: string): Promise<string> {
    const { delegate, policy } = this.#options;
    if (delegate === undefined) throw operationError('this host does not delegate');
    if (this.#delegated >= MAX_DELEGATED)
      throw operationError(`a session may have given away ${MAX_DELEGATED} capabilities at a time`);
    const request = requestedRole(text);
    // What the guest has just destroyed is its to give away.
    await this.memory.allFree();
    const carved = carve(this.#available(), request.budget);
    if (!carved.isCarved) throw operationError(carved.message);
    const child = { ...attenuate(policy, request), budget: carved.child };
    this.#change(child.budget, -1);
    this.#delegated++;
    try {
      return await delegate(child);
    } catch (error) {
      this.#return(child.budget);
      throw operationError((error as Error).message);
    }
  }

  /**
   * A session that was delegated is over: what it had comes back, but for what can be used up for good.
   * @param given what had been carved out for it
   */
  giveBack(given: Budget): void {
    this.#return(withoutTotals(given));
  }

  #return(part: Budget): void {
    this.#delegated--;
    this.#change(part, 1);
  }

  /** What is left of the budget. */
  #available(): Budget {
    const { gpuMemory, objects, gpuMsTotal, bytes, commands } = this.#budget;
    return {
      ...this.#budget,
      ...(gpuMemory === undefined ? {} : { gpuMemory: gpuMemory - this.memory.ledger.usedBytes }),
      ...(objects === undefined ? {} : { objects: Math.max(0, objects - this.#options.objectCount()) }),
      ...(gpuMsTotal === undefined ? {} : { gpuMsTotal: Math.max(0, gpuMsTotal - this.#time.totalMs) }),
      ...(bytes === undefined ? {} : { bytes: Math.max(0, bytes - this.rates.totalBytes) }),
      ...(commands === undefined ? {} : { commands: Math.max(0, commands - this.#options.commandCount()) }),
    };
  }

  /** Adds a part to what may be spent, or takes it away; what has no limit stays without. */
  #change(part: Budget, sign: 1 | -1): void {
    for (const quantity of SPENT_QUANTITIES) {
      const [now, change] = [this.#budget[quantity], part[quantity]];
      if (now !== undefined && change !== undefined) this.#budget[quantity] = now + sign * change;
    }
    if (this.#budget.gpuMemory !== undefined) this.memory.ledger.setLimit(this.#budget.gpuMemory);
    this.maxCommands = this.#budget.commands ?? Infinity;
    this.#time.budgetChanged();
    this.rates.budgetChanged();
    this.#options.budgetChanged?.({ ...this.#budget });
  }

  #limitObjects(guard: Guard): void {
    guard.aroundAll(
      ({ creates }) => creates > 0,
      (next, args, command) => {
        const most = this.#budget.objects!;
        if (this.#options.objectCount() <= most) return next(...args);
        const reason = `allows ${most} objects at a time`;
        return guard.refuse(new Refusal('out-of-memory', command.name, 'budget.objects', reason), command);
      },
    );
  }

  /** A compilation that blocks this thread is somebody else's to watch; those that go on beside it are watched here. */
  #limitCompilations(guard: Guard): void {
    const { compileMs } = this.#options.policy.wgsl;
    if (compileMs === undefined) return;
    const isAsynchronous = (command: PolicyCommand): boolean =>
      command.cost === 'compile' && command.class === 'request';
    guard.aroundAll(isAsynchronous, (next, args, command) => {
      const timer = setTimeout(
        () => this.#end('wgsl.compileMs', `${command.name} did not get done within ${compileMs} ms`),
        Math.min(2 ** 31 - 1, compileMs),
      );
      this.#compilations.add(timer);
      const result = next(...args) as Promise<unknown>;
      const done = (): void => {
        clearTimeout(timer);
        this.#compilations.delete(timer);
      };
      result.then(done, done);
      return result;
    });
  }

  /** Nothing is watched any more. */
  stop(): void {
    this.#time.stop();
    this.rates.stop();
    for (const timer of this.#compilations) clearTimeout(timer);
  }
}
