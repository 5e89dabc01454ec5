import { policyCommands, type Handlers, type PolicyCommand } from '@vesper-gpu/protocol/host';
import { compileChecks } from './check.ts';
import type { Policy } from './policy.ts';
import type { Refusal } from './refusal.ts';

/** A method of a handler, as any of them. */
type Method = (...args: unknown[]) => unknown;

/** Stands around a handler: does something before, calls `next` or not, does something behind. */
export type Wrapper = (next: Method, args: unknown[], command: PolicyCommand) => unknown;

const COMMANDS: ReadonlyMap<string, PolicyCommand> = new Map(policyCommands.map((one) => [one.name, one]));

/**
 * Stands between the decoders and the handlers of one session. What a policy says of a command is looked at before the
 * command is executed; a command of which it says nothing is called as if there were no policy.
 */
export class Guard {
  readonly #handlers: Handlers;
  readonly #refused: (refusal: Refusal) => void;

  /** @param refused hears of each refusal, for the audit log. */
  constructor(handlers: Handlers, refused: (refusal: Refusal) => void) {
    this.#handlers = handlers;
    this.#refused = refused;
  }

  /** Puts the checks of a policy before the handlers. To be called last, so that nothing is spent on what is refused. */
  enforce(policy: Policy): void {
    for (const [name, check] of compileChecks(policy)) {
      this.around(name, (next, args, command) => {
        const refusal = check(command.leading === 0 ? args : args.slice(command.leading));
        if (refusal !== undefined) return this.refuse(refusal, command);
        return next(...args);
      });
    }
  }

  /** @throws the refusal; but an adapter that is refused is null, as WebGPU has it. */
  refuse(refusal: Refusal, command?: PolicyCommand): unknown {
    this.#refused(refusal);
    if (command?.name === 'GPU.requestAdapter') return Promise.resolve({});
    throw refusal;
  }

  /**
   * Puts `wrapper` around the handler of a command, outside of those that are there already.
   * @param name IDL path of a command.
   */
  around(name: string, wrapper: Wrapper): void {
    const command = COMMANDS.get(name);
    if (command === undefined) throw new Error(`there is no command ${name}`);
    const owner = this.#handlers[command.owner as keyof Handlers] as unknown as Record<string, Method>;
    const next = owner[command.member]!.bind(owner);
    Object.defineProperty(owner, command.member, {
      value: (...args: unknown[]) => wrapper(next, args, command),
      configurable: true,
    });
  }

  /** Puts `wrapper` around the handlers of all commands that `choose` picks. */
  aroundAll(choose: (command: PolicyCommand) => boolean, wrapper: Wrapper): void {
    for (const command of policyCommands) if (choose(command)) this.around(command.name, wrapper);
  }
}
