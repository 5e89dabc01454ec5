import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { BufferPool } from '@vesper-gpu/wire';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { pattern, Received, turns } from '../../test/received.ts';
import type { ThreadDoes } from '../../test/ring-thread.ts';
import { BELL, formatMemory, HEAD, memoryBytes, READER_WAITS, ringsIn, TAIL } from './layout.ts';
import { ringChannel, ringTransport, type RingPort } from './ring-channel.ts';
import { RingError } from './ring-error.ts';
import { RingReader } from './ring-reader.ts';
import { RingWriter } from './ring-writer.ts';
import { SyncRing } from './sync-ring.ts';

const CAPACITY = 4096;

function ends(capacity = CAPACITY) {
  const memory = new SharedArrayBuffer(memoryBytes(capacity));
  formatMemory(memory);
  const [ring] = ringsIn(memory);
  return { ring, writer: new RingWriter(ring), reader: new RingReader(ring) };
}

const threads: Worker[] = [];
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.terminate();
});

/** Starts the other end in a thread. */
async function inThread(port: RingPort, does: ThreadDoes): Promise<Worker> {
  const file = JSON.stringify(new URL('../../test/ring-thread.ts', import.meta.url).href);
  // In a thread, node 20 takes no loader from its arguments.
  const thread = new Worker(`import('tsx/esm/api').then(({ tsImport }) => tsImport(${file}, ${file}));`, {
    eval: true,
    workerData: { port, does },
    transferList: [port.port],
    execArgv: ['--conditions=vesper-source'],
  });
  threads.push(thread);
  await once(thread, 'message');
  return thread;
}

describe('a ring', () => {
  it('gives what was put into it, in order, however it is cut', () => {
    const steps = fc.array(
      fc.record({ write: fc.oneof(fc.nat(50), fc.nat(3 * CAPACITY)), read: fc.oneof(fc.nat(50), fc.nat(CAPACITY)) }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, (steps) => {
        const { writer, reader } = ends();
        const sent = pattern(steps.length * 3 * CAPACITY);
        let [written, read] = [0, 0];
        for (const step of steps) {
          const free = CAPACITY - (written - read);
          expect(writer.free()).toBe(free);
          const count = writer.write(sent.subarray(written, written + step.write));
          expect(count).toBe(Math.min(step.write, free));
          written += count;
          expect(reader.available()).toBe(written - read);
          const chunk = reader.peek(step.read) ?? new Uint8Array();
          // It may end at the end of the memory, and then goes on from its start.
          expect(chunk.byteLength > 0 || step.read === 0 || written === read).toBe(true);
          expect(Buffer.compare(chunk, sent.subarray(read, read + chunk.byteLength))).toBe(0);
          reader.consume(chunk.byteLength);
          read += chunk.byteLength;
        }
      }),
    );
  });

  it('wraps its counters and its memory within the first bytes', () => {
    const { ring, writer, reader } = ends();
    expect(writer.write(pattern(CAPACITY))).toBe(CAPACITY);
    expect([ring.words[HEAD], ring.words[TAIL]]).toEqual([-1024, CAPACITY - 1024]);
    expect(reader.peek(CAPACITY)?.byteLength).toBe(1024);
    reader.consume(1024);
    expect(reader.peek(CAPACITY)?.byteLength).toBe(CAPACITY - 1024);
  });

  it('asks to be woken only where there is nothing to do, and is told once', () => {
    const { ring, writer, reader } = ends();
    expect(writer.sleep()).toBe(false);
    expect(reader.sleep()).toBe(true);
    writer.write(pattern(CAPACITY));
    expect([writer.takeReaderWaits(), writer.takeReaderWaits()]).toEqual([true, false]);
    expect(reader.sleep()).toBe(false);
    expect(ring.words[READER_WAITS]).toBe(0);
    expect(writer.sleep()).toBe(true);
    reader.available();
    reader.consume(CAPACITY / 2 - 1);
    expect(reader.takeWriterWaits()).toBe(false);
    reader.consume(1);
    expect([reader.takeWriterWaits(), reader.takeWriterWaits()]).toEqual([true, false]);
  });

  it.each([0, 4095, 6000, 2 ** 29, -4096, Number.NaN])('cannot have a capacity of %d', (capacity) => {
    expect(() => ringChannel(capacity)).toThrow(RangeError);
  });

  it('is made of memory of its size, which nobody can let grow', () => {
    expect(() => ringsIn(new SharedArrayBuffer(5000))).toThrow(RingError);
    const Growable = SharedArrayBuffer as unknown as new (length: number, options: object) => SharedArrayBuffer;
    const growable = new Growable(memoryBytes(CAPACITY), { maxByteLength: 1 << 20 });
    expect(() => ringsIn(growable)).toThrow(/growable memory/);
  });
});

describe('the counters of a hostile side', () => {
  /** Where counters stand behind 1000 bytes of which 400 were read. */
  const [TAIL_NOW, HEAD_NOW] = [-24, -624];
  const any = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -6000, max: 6000 }));

  const outcome = (act: () => number): number | 'refused' => {
    try {
      return act();
    } catch (error) {
      if (error instanceof RingError) return 'refused';
      throw error;
    }
  };

  it('are believed by a reader where the bytes can be there, and never elsewhere', () => {
    fc.assert(
      fc.property(any, (tail) => {
        const { ring, writer, reader } = ends();
        writer.write(pattern(1000));
        reader.available();
        reader.consume(400);
        Atomics.store(ring.words, TAIL, tail);
        // Not back, and not beyond what there is room for.
        const isTrue = tail >= TAIL_NOW && tail <= HEAD_NOW + CAPACITY;
        expect(outcome(() => reader.available())).toBe(isTrue ? tail - HEAD_NOW : 'refused');
      }),
    );
  });

  it('are believed by a writer where the bytes were there to be read, and never elsewhere', () => {
    fc.assert(
      fc.property(any, (head) => {
        const { ring, writer, reader } = ends();
        writer.write(pattern(1000));
        reader.available();
        reader.consume(400);
        writer.free();
        Atomics.store(ring.words, HEAD, head);
        const isTrue = head >= HEAD_NOW && head <= TAIL_NOW;
        expect(outcome(() => writer.free())).toBe(isTrue ? CAPACITY - (TAIL_NOW - head) : 'refused');
      }),
    );
  });

  it.each([
    ['tail', TAIL, /^bad-ring: the writer claims/],
    ['head', HEAD, /^bad-ring: the reader claims/],
  ] as const)('end the connection: the %s', async (_, word, message) => {
    const { port1, port2 } = ringChannel();
    const host = ringTransport(port1);
    const atHost = new Received(host);
    const atPeer = new Received(ringTransport(port2));
    const [out, into] = ringsIn(port1.memory);
    const { words } = word === TAIL ? into : out;
    Atomics.store(words, word, 1 << 30);
    host.send(pattern(10));
    Atomics.add(into.words, BELL, 1);
    Atomics.notify(into.words, BELL);
    const error = await atHost.closedOnce;
    expect(error).toBeInstanceOf(RingError);
    expect(error?.message).toMatch(message);
    expect(host.send(pattern(10))).toBe(true);
    await atPeer.closedOnce;
    await turns();
    expect(atHost.closings).toHaveLength(1);
    expect(atHost.byteLength).toBe(0);
  });
});

describe('a ring between threads', () => {
  it.each(['echo', 'echo, blocking'] as const)('carries whatever is sent, and back (%s)', async (does) => {
    for (const capacity of [CAPACITY, 1 << 20]) {
      const { port1, port2 } = ringChannel(capacity);
      await inThread(port2, does);
      const transport = ringTransport(port1);
      const received = new Received(transport);
      const sizes = fc.sample(fc.oneof(fc.nat(100), fc.nat(50_000)), { numRuns: 100, seed: 1 });
      for (const [i, size] of sizes.entries()) {
        transport.send(pattern(size, i));
        // Now and then it is waited for, so that both sides sleep.
        if (i % 5 === 0) await received.atLeast(sizes.slice(0, i + 1).reduce((sum, size) => sum + size, 0));
      }
      const sent = Buffer.concat(sizes.map((size, i) => pattern(size, i)));
      await received.atLeast(sent.byteLength);
      expect(received.content.equals(sent)).toBe(true);
      transport.close();
      expect(await received.closedOnce).toBeUndefined();
    }
  });

  it('takes an end once: a second transport would write over what the first has written', async () => {
    const { port1, port2 } = ringChannel();
    const [first, other] = [ringTransport(port1), ringTransport(port2)];
    expect(() => ringTransport(port1)).toThrow('this end of the channel is in use');
    expect(() => new SyncRing(port2)).toThrow('this end of the channel is in use');
    const received = new Received(other);
    first.send(pattern(10));
    await received.atLeast(10);
    first.close();
    await received.closedOnce;
  });

  it('ends where there is no memory for what has no room, and nothing is sent behind half of something', async () => {
    const { port1, port2 } = ringChannel(1 << 16);
    const [sender, reader] = [ringTransport(port1), ringTransport(port2)];
    const atSender = new Received(sender);
    const [whole, cut] = [pattern(1000), pattern(300_000)];
    sender.send(whole);
    const take = vi.spyOn(BufferPool.prototype, 'take').mockImplementation(() => {
      throw new RangeError('Array buffer allocation failed');
    });
    sender.send(cut);
    take.mockRestore();
    sender.send(pattern(8));
    const atReader = new Received(reader);
    await atReader.closedOnce;
    expect(atReader.content.equals(Buffer.concat([whole, cut]).subarray(0, 1 << 16))).toBe(true);
    expect(String(await atSender.closedOnce)).toBe('RangeError: Array buffer allocation failed');
  });

  it('leaves each array to who sent it, whatever room there was', async () => {
    const { port1, port2 } = ringChannel(1 << 16);
    const [sender, reader] = [ringTransport(port1), ringTransport(port2)];
    const sizes = [1000, 64_000, 300_000, 100, 300_000, 300_000, 100];
    const expected = Buffer.concat(sizes.map((size, i) => pattern(size, i)));
    for (const [i, size] of sizes.entries()) {
      const array = pattern(size, i);
      sender.send(array);
      array.fill(0);
    }
    const received = new Received(reader);
    await received.atLeast(expected.byteLength);
    expect(received.content.equals(expected)).toBe(true);
    // Memory that copies were in serves again, once they are gone.
    const array = pattern(500_000, 9);
    sender.send(array);
    array.fill(0);
    await received.atLeast(expected.byteLength + array.byteLength);
    expect(received.content.subarray(expected.byteLength).equals(pattern(500_000, 9))).toBe(true);
    sender.close();
    await received.closedOnce;
  });

  it('can be used by two threads that block', async () => {
    const { port1, port2 } = ringChannel(CAPACITY);
    await inThread(port2, 'echo, blocking');
    const ring = new SyncRing(port1);
    const sent = pattern(20_000);
    const back: Buffer[] = [];
    const target = new Uint8Array(700);
    for (let at = 0; at < sent.byteLength; at += 1000) {
      ring.write(sent.subarray(at, at + 1000));
      for (let missing = 1000; missing > 0;) {
        const count = ring.read(target.subarray(0, missing));
        back.push(Buffer.from(target.subarray(0, count)));
        missing -= count;
      }
    }
    expect(Buffer.concat(back).equals(sent)).toBe(true);
    ring.end();
    expect(ring.read(target)).toBe(0);
  });

  it('ends when the other thread does, behind what it has sent', async () => {
    const { port1, port2 } = ringChannel();
    await inThread(port2, 'exit at the first byte');
    const transport = ringTransport(port1);
    const received = new Received(transport);
    transport.send(pattern(1));
    expect(await received.closedOnce).toBeUndefined();
    expect(received.content.equals(Buffer.alloc(1000, 7))).toBe(true);
    expect(transport.send(pattern(1))).toBe(true);
  });

  it('keeps a thread only as long as it is told to', async () => {
    const { port1, port2 } = ringChannel();
    const thread = await inThread(port2, 'let the thread end');
    const [received] = await Promise.all([new Received(ringTransport(port1)).closedOnce, once(thread, 'exit')]);
    expect(received).toBeUndefined();
  });

  it('ends when a thread is terminated while this one waits for bytes', async () => {
    const { port1, port2 } = ringChannel();
    const thread = await inThread(port2, 'echo');
    const received = new Received(ringTransport(port1));
    await thread.terminate();
    expect(await received.closedOnce).toBeUndefined();
  });

  it('closes in bounded time where the other side never stops writing', async () => {
    const { port1, port2 } = ringChannel();
    await inThread(port2, 'write for ever');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const transport = ringTransport(port1);
      const received = new Received(transport);
      await received.atLeast(1 << 20);
      transport.close();
      await turns();
      expect(received.closings).toEqual([]);
      vi.advanceTimersByTime(5000);
      expect(await received.closedOnce).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });

  it('lets go of a side that waits for room, and reads nothing meanwhile, when the other thread is terminated', async () => {
    const { port1, port2 } = ringChannel(CAPACITY);
    const thread = await inThread(port2, 'fill and sleep');
    const transport = ringTransport(port1);
    const received = new Received();
    transport.start({
      bytes: (chunk) => received.bytes(chunk),
      drained: () => transport.resume(),
      closed: (error) => received.closed(error),
    });
    transport.pause();
    for (let i = 0; transport.send(pattern(1 << 20, i)); i++) await turns(1);
    await thread.terminate();
    expect(await received.closedOnce).toBeUndefined();
    // What had been published is whole.
    expect(received.byteLength).toBe(CAPACITY);
  });
});
