import type { Handlers, PolicyCommand } from '@vesper-gpu/protocol/host';
import { ProtocolError } from '@vesper-gpu/wire';
import type { Flow } from '../flow.ts';
import { AdapterView } from './adapter-view.ts';
import type { AuditEntry } from './audit.ts';
import { GPUMemory } from './gpu-memory.ts';
import { GPUTime } from './gpu-time.ts';
import { Guard } from './guard.ts';
import type { Budget, Policy } from './policy.ts';
import { Rates } from './rates.ts';
import { Refusal } from './refusal.ts';
import { limitShaders, type Sha256 } from './shader-cost.ts';
import { quantiseTimestamps } from './timestamps.ts';

/** What the enforcement of a policy needs of the session. */
export interface EnforcementOptions {
  readonly policy: Policy;
  readonly handlers: Handlers;
  readonly flow: Flow;
  /** How many objects the guest has now. */
  objectCount(): number;
  /** Ends the session. */
  end(error: ProtocolError): void;
  /** Hears of what was refused. */
  audit?(entry: AuditEntry): void;
  readonly sha256?: Sha256 | undefined;
}

/** Holds one session to its policy: in place before the first command, gone with the session. */
export class Enforcement {
  readonly view: AdapterView;
  readonly rates: Rates;
  readonly memory: GPUMemory;
  readonly #time: GPUTime;
  readonly #options: EnforcementOptions;
  readonly #compilations = new Set<ReturnType<typeof setTimeout>>();

  constructor(options: EnforcementOptions) {
    this.#options = options;
    const { policy, handlers, flow } = options;
    const { budget } = policy;
    this.view = new AdapterView(policy);
    const guard = new Guard(handlers, (refusal) => this.#refused(refusal));
    const end = (rule: keyof Budget, detail: string): void => this.#end(`budget.${rule}`, detail);
    // Later ones stand outside of earlier ones, so what costs least to look at comes last.
    if (typeof policy.timestamps === 'object') quantiseTimestamps(guard, policy.timestamps.quantumUs);
    this.memory = new GPUMemory(guard, budget.gpuMemory ?? Infinity);
    this.#time = new GPUTime(guard, budget, flow, end);
    this.rates = new Rates(budget, flow, end);
    this.#limitCompilations(guard);
    limitShaders(guard, policy.wgsl, options.sha256);
    if (budget.objects !== undefined) this.#limitObjects(guard, budget.objects);
    guard.enforce(policy);
  }

  /** GPU time that the session has used, in milliseconds. */
  get gpuMs(): number {
    return this.#time.totalMs;
  }

  #refused({ path, rule, value }: Refusal): void {
    this.#options.audit?.({ path, rule, ...(value === undefined ? {} : { value }), verdict: 'refused' });
  }

  #end(rule: string, detail: string): void {
    this.#options.audit?.({ path: 'VesperStream.ended', rule, verdict: 'ended' });
    const isHang = rule === 'budget.hangMs' || rule === 'wgsl.compileMs';
    this.#options.end(new ProtocolError(isHang ? 'watchdog' : 'budget', `${detail} (${rule})`));
  }

  #limitObjects(guard: Guard, most: number): void {
    guard.aroundAll(
      ({ creates }) => creates > 0,
      (next, args, command) => {
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
