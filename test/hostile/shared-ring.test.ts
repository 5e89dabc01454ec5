import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { connect, type GuestConnection } from '@vesper-gpu/guest';
import { serveGuest, type Session } from '@vesper-gpu/host';
import { encodeObjectBaseLabel, encodeQueueWriteBuffer } from '@vesper-gpu/protocol/guest';
import { ringChannel, ringTransport } from '@vesper-gpu/transport/ring';
import { WireWriter, type Transport } from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';
import { NullGpu } from './null-gpu.ts';

/** In bytes: small, so that what the thread harms is soon read. */
const CAPACITY = 1 << 14;
const CONTROL_BYTES = 4096;

interface Connected {
  readonly backend: NullGpu;
  readonly session: Session;
  readonly connection: GuestConnection;
  readonly guestEnd: Transport;
  readonly device: GPUDevice;
  /** The ring that carries what the guest sends. */
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
}

/** A guest with a device, and a host on a null backend, with shared memory between them. */
async function connected(): Promise<Connected> {
  const { port1, port2 } = ringChannel(CAPACITY);
  const backend = new NullGpu();
  const session = serveGuest(ringTransport(port2), { gpu: backend.api });
  const guestEnd = ringTransport(port1);
  const connection = await connect(guestEnd);
  const adapter = await connection.gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  return {
    backend,
    session,
    connection,
    guestEnd,
    device,
    control: new Int32Array(port1.memory, 0, CONTROL_BYTES / 8),
    bytes: new Uint8Array(port1.memory, CONTROL_BYTES, CAPACITY),
  };
}

/** What is wrong with the arguments of a call. */
function wrongWith(args: readonly unknown[]): string | undefined {
  for (const value of args.flatMap((one) => (ArrayBuffer.isView(one) ? [one] : Object.values(Object(one) as object)))) {
    if (ArrayBuffer.isView(value) && !(value.buffer instanceof ArrayBuffer))
      return 'the backend was given shared memory';
  }
  return undefined;
}

describe('a ring that the guest rewrites while the host decodes', () => {
  it('does not change a frame that is being executed', async () => {
    const { backend, guestEnd, device, connection, bytes } = await connected();
    const writer = new WireWriter();
    const [queue, buffer] = [(1 << 22) | 2, (1 << 22) | 3];
    device.createBuffer({ size: 4096, usage: 8 });
    await device.queue.onSubmittedWorkDone();
    const data = Uint8Array.from({ length: 3000 }, (_, i) => i);
    encodeObjectBaseLabel(writer, queue, 'one');
    encodeQueueWriteBuffer(writer, queue, buffer, 0, data);
    encodeObjectBaseLabel(writer, queue, 'two');
    const seen: unknown[] = [];
    backend.fail = (name, args) => {
      // Everything that this guest has ever sent, and all that is still to be decoded.
      bytes.fill(0xff);
      if (name === 'label') seen.push(args[0]);
      if (name === 'writeBuffer') seen.push(Array.from(args.find((one) => ArrayBuffer.isView(one)) as Uint8Array));
    };
    guestEnd.send(writer.takeFrame());
    await expect.poll(() => seen.length).toBe(3);
    expect(seen).toEqual(['one', [...data], 'two']);
    backend.fail = undefined;
    await device.queue.onSubmittedWorkDone();
    await connection.close();
  });

  it.each([
    ['bytes', 0],
    ['counters', 1],
  ] as const)('by a thread that never stops, costs the session and nothing else: %s', async (what, harms) => {
    const refusals: string[] = [];
    const wrong: string[] = [];
    let served = 0;
    const giveUpAt = Date.now() + 40_000;
    // Both happened: something was executed, and something was refused.
    while ((refusals.length < 3 || served === 0) && Date.now() < giveUpAt) {
      const { backend, session, device, control, bytes } = await connected();
      backend.fail = (_, args) => {
        const found = wrongWith(args);
        if (found !== undefined) wrong.push(found);
      };
      const stop = new Int32Array(new SharedArrayBuffer(8));
      const thread = new Worker(REWRITER, { eval: true, workerData: { control, bytes, stop, harms } });
      await once(thread, 'online');
      let isOver = false;
      const over = session.ended.then(({ reason, message }) => {
        isOver = true;
        if (reason === 'protocol') refusals.push(message);
        // Else the thread did no harm that was seen, and it was ended here.
        else if (reason !== 'closed') wrong.push(`the session ended by ${reason}: ${message}`);
      });
      const buffer = device.createBuffer({ size: 4096, usage: 8, label: 'a buffer' });
      const data = new Uint8Array(1000);
      for (let i = 0; i < 5000 && !isOver; i++) {
        device.queue.writeBuffer(buffer, 0, data, 0, 4 * (1 + (i % 200)));
        // A harmed length leaves the host to wait for the rest of a frame: more is sent, until it is over.
        await new Promise((resolve) => setImmediate(resolve));
        if (backend.calls.at(-1) === 'writeBuffer') served++;
      }
      Atomics.store(stop, 0, 1);
      await once(thread, 'exit');
      session.close();
      await over;
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(served).toBeGreaterThan(0);
    const expected = what === 'counters' ? /^bad-ring: / : /^[a-z-]+: /;
    expect(refusals.filter((message) => expected.test(message)).length, refusals.join('\n')).toBeGreaterThan(0);
  });
});

/** Harms one place after the other for a moment, as long as it may. */
const REWRITER = `
  const { workerData: { control, bytes, stop, harms } } = require('node:worker_threads');
  const { length } = bytes;
  const [TAIL, HEAD] = [0, 16];
  for (let turn = 1; Atomics.load(stop, 0) === 0; turn = (Math.imul(turn, 1664525) + 1013904223) | 0) {
    if (harms === 0) {
      // What was written and is not read yet.
      const head = Atomics.load(control, HEAD);
      const unread = Atomics.load(control, TAIL) - head;
      if (unread <= 0) continue;
      const at = (head + ((turn >>> 8) % unread)) & (length - 1);
      const was = bytes[at];
      bytes[at] = turn;
      for (let i = 0; i < 20; i++) Atomics.load(stop, 0);
      bytes[at] = was;
    } else if ((turn >>> 24) === 0) {
      const was = Atomics.load(control, TAIL);
      Atomics.compareExchange(control, TAIL, was, was + (turn & 0xffff) - 0x8000);
    }
  }
`;
