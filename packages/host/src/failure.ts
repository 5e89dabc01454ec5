import type { VesperFailureValue } from '@vesper-gpu/protocol/host';
import { MAX_MESSAGE_LENGTH } from '@vesper-gpu/wire';
import type { AdapterView } from './policy/adapter-view.ts';
import { Refusal } from './policy/refusal.ts';

/** The part of a backend's message that is sent on. */
export function cutMessage(message: string): string {
  return message.slice(0, MAX_MESSAGE_LENGTH);
}

/**
 * What the guest is told of an exception of the backend.
 * @param isPipeline whether a pipeline was asked for.
 * @param view says what may be told of the adapter.
 */
export function failureOf(error: unknown, isPipeline: boolean, view: AdapterView): VesperFailureValue {
  if (error instanceof Refusal) return error.toFailure(isPipeline);
  const { name, message, reason } = error as { name?: unknown; message?: unknown; reason?: unknown };
  return {
    name: typeof name === 'string' ? name.slice(0, 100) : 'Error',
    message: cutMessage(view.ofMessage(typeof message === 'string' ? message : String(error))),
    ...(reason === 'validation' || reason === 'internal' ? { reason } : {}),
  };
}
