import { replayHost, type Replayed, type Reproducer } from '@vesper-gpu/cli';
import { NullGpu } from '../hostile/null-gpu.ts';
import { HostSession } from './host-session.ts';

/** Plays a reproducer in this process: a guest's to a host on the null backend, a host's to a guest. */
export async function playToNull(reproducer: Reproducer): Promise<Replayed> {
  if (reproducer.from === 'host') return replayHost(reproducer);
  const session = new HostSession({ gpu: new NullGpu().api }, new Uint8Array(0));
  let sent = 0;
  let wrong: string | undefined;
  for (const [atByte] of [...reproducer.waits, [reproducer.bytes.byteLength] as const]) {
    const bytes = Uint8Array.from(reproducer.bytes.subarray(sent, atByte));
    wrong ??= await session.step({ bytes, replies: 0 });
    sent = Math.max(sent, atByte);
    if (wrong !== undefined || session.end !== undefined) break;
  }
  wrong ??= await session.leave();
  return { isContained: wrong === undefined, message: wrong ?? session.end?.message ?? 'alive' };
}
