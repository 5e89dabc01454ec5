import { accessSync, constants, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { mergeLearned, NOTHING_LEARNED, policyOf, type Learned, type LearnedPolicyOptions } from '@vesper-gpu/host';
import type { Broker } from '../broker/broker.ts';
import type { SessionReport } from '../broker/session.ts';
import { failureText } from './failure.ts';
import { runWithHost } from './run.ts';
import { brokerOptions, type ServeFlags } from './serve-options.ts';

/** What the command line of `vesper policy learn` says. */
export interface LearnFlags extends Pick<ServeFlags, 'driver' | 'maxGuests' | 'logLevel'>, LearnedPolicyOptions {
  /** The file that is written; absent: stdout. */
  readonly out?: string;
}

const NAME = 'vesper policy learn';
/** How long, in milliseconds, guests may take to leave once the command has ended: what they sent is still to be done. */
const LEAVE_MS = 5000;

/**
 * `vesper policy learn`: runs a command as `vesper run` does, lets it do all that WebGPU can, and writes the smallest
 * policy that allows what it did. What makes that policy less than the whole is said on stderr.
 * @returns the command's exit status, as run() has it; 1 also when a policy cannot be written though the command went well
 */
export async function learnPolicy(command: readonly string[], flags: LearnFlags): Promise<number> {
  const { out } = flags;
  try {
    // Before the command runs: a name that is none, and a folder that nobody can write to.
    policyOf(NOTHING_LEARNED, flags);
    if (out !== undefined) accessSync(dirname(resolve(out)), constants.W_OK);
  } catch (error) {
    console.error(`${NAME}: ${writeFailure(error)}`);
    return 1;
  }
  const lesson = new Lesson();
  const status = await runWithHost(command, () => ({ ...brokerOptions(flags), ...lesson.options }), {
    name: NAME,
    ...(out === undefined ? { stdout: 'stderr' } : {}),
    ended: (broker) => lesson.guestsGone(broker),
  });
  if (!lesson.hasRun) return status;
  for (const warning of lesson.warnings(status, flags)) console.error(`${NAME}: ${warning}`);
  if (lesson.isEmpty) return status === 0 ? 1 : status;
  try {
    const text = policyOf(lesson.learned, flags);
    if (out === undefined) process.stdout.write(text);
    else writeFileSync(out, text);
  } catch (error) {
    console.error(`${NAME}: ${writeFailure(error)}`);
    return status === 0 ? 1 : status;
  }
  return status;
}

/** What is learned of all guests of a command. */
class Lesson {
  learned: Learned = NOTHING_LEARNED;
  hasRun = false;
  readonly #reports: SessionReport[] = [];
  /** Guests of which something was heard. */
  #known = 0;
  #stayed = 0;
  #wake: () => void = () => {};

  /** For the broker. */
  readonly options = {
    learned: (learned: Learned): void => {
      this.#known++;
      this.learned = mergeLearned(this.learned, learned);
    },
    sessionEnded: (report: SessionReport): void => {
      this.#reports.push(report);
      this.#wake();
    },
  };

  /** The command has ended: waits until its guests have left, those that leave soon. */
  async guestsGone(broker: Broker): Promise<void> {
    this.hasRun = true;
    if (broker.guestCount === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LEAVE_MS);
      this.#wake = () => {
        if (broker.guestCount > 0) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.#stayed = broker.guestCount;
  }

  /** Whether nobody used the GPU. */
  get isEmpty(): boolean {
    return this.#known === 0;
  }

  /** Why the policy may be less than what the command needs. */
  warnings(status: number, { shaders }: LearnFlags): string[] {
    const warnings: string[] = [];
    if (this.isEmpty) {
      warnings.push(
        this.#reports.length === 0
          ? 'the command did not use the GPU, so there is no policy to write'
          : 'nothing was heard of what the command used, so there is no policy to write',
      );
    } else if (status !== 0) {
      warnings.push(`the command ended with status ${status}: the policy is of what it had done until then`);
    }
    for (const { guest, reason, message } of this.#reports) {
      if (reason !== 'closed') warnings.push(`guest ${guest} broke off, so not all is known of it: ${message}`);
    }
    if (this.#stayed > 0) warnings.push(`${guests(this.#stayed)} had not left when the command had ended`);
    const { refusals, shaders: modules } = this.learned;
    if (refusals > 0) warnings.push(`${refusals} calls were refused, by the limits that hold without a policy`);
    if (shaders !== 'limits' && modules.modules > 0 && modules.sha256 === undefined)
      warnings.push('there were too many shader modules to list: the policy limits their cost instead');
    return warnings;
  }
}

function guests(count: number): string {
  return count === 1 ? '1 guest' : `${count} guests`;
}

function writeFailure(error: unknown): string {
  // Node's message has the file and the reason.
  return error instanceof Error && 'code' in error ? `cannot write the policy: ${error.message}` : failureText(error);
}
