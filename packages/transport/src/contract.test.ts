import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairKinds } from '../test/pairs.ts';
import { pattern, receive, Received, turns } from '../test/received.ts';
import { HIGH_WATER_BYTES } from './water-marks.ts';

describe.each(pairKinds)('a transport: $name', ({ open, runs, halfCloses }) => {
  it('delivers what was sent, in order, both ways, however it was cut', async () => {
    const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(200_000)), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (there, back) => {
        const [a, b] = await open();
        const [atA, atB] = [new Received(a), new Received(b)];
        for (const [i, size] of there.entries()) a.send(pattern(size, i));
        for (const [i, size] of back.entries()) b.send(pattern(size, i + 1000));
        const sentThere = Buffer.concat(there.map((size, i) => pattern(size, i)));
        const sentBack = Buffer.concat(back.map((size, i) => pattern(size, i + 1000)));
        await Promise.all([atB.atLeast(sentThere.byteLength), atA.atLeast(sentBack.byteLength)]);
        expect(atB.content.equals(sentThere)).toBe(true);
        expect(atA.content.equals(sentBack)).toBe(true);
        a.close();
        expect(await Promise.all([atA.closedOnce, atB.closedOnce])).toEqual([undefined, undefined]);
      }),
      { numRuns: runs },
    );
  });

  it('keeps what comes before start, and delivers nothing before', async () => {
    const [a, b] = await open();
    const sent = pattern(100_000);
    receive(a);
    a.send(sent.slice());
    await turns();
    const atB = new Received(b);
    expect(atB.byteLength).toBe(0);
    await atB.atLeast(sent.byteLength);
    expect(atB.content.equals(sent)).toBe(true);
    expect(() => b.start(atB)).toThrow('only once');
    a.close();
    await atB.closedOnce;
  });

  it('puts the sender under back-pressure while the reader pauses, then releases it', async () => {
    const [a, b] = await open();
    const [atA, atB] = [new Received(a), new Received(b)];
    b.pause();
    let sent = 0;
    while (a.send(pattern(1 << 20, sent))) {
      sent += 1 << 20;
      await turns(2);
      expect(sent).toBeLessThan(64 << 20);
    }
    sent += 1 << 20;
    expect(sent).toBeGreaterThan(HIGH_WATER_BYTES);
    await turns();
    expect(atB.byteLength).toBe(0);
    expect(atA.drainedCalls).toBe(0);
    b.resume();
    await atA.drainedOnce();
    await atB.atLeast(sent);
    expect(atB.byteLength).toBe(sent);
    expect(atA.drainedCalls).toBe(1);
    expect(a.send(pattern(10))).toBe(true);
    a.close();
    await atB.closedOnce;
  });

  it('delivers nothing while paused from within a handler', async () => {
    const [a, b] = await open();
    receive(a);
    const atB = new Received();
    atB.onBytes = () => b.pause();
    b.start(atB);
    const total = 3 << 20;
    for (let i = 0; i < 3; i++) a.send(pattern(1 << 20, i));
    await atB.atLeast(1);
    for (let rounds = 0; atB.byteLength < total; rounds++) {
      const { byteLength, calls } = atB;
      await turns(5);
      expect(atB.calls).toBe(calls);
      b.resume();
      await atB.atLeast(byteLength + 1);
    }
    a.close();
    b.resume();
    await atB.closedOnce;
  });

  it('calls each handler in a task of its own', async () => {
    const [a, b] = await open();
    receive(a);
    const atB = new Received();
    let running = 0;
    let nested = 0;
    atB.onBytes = () => {
      nested = Math.max(nested, running++);
      // Some reactions deep, as in a program that awaits.
      void Promise.resolve().then(async () => {
        await Promise.resolve();
        await Promise.resolve();
        running--;
      });
    };
    // Much is buffered before the start, and comes at once.
    for (let i = 0; i < 200; i++) a.send(pattern(10_000, i));
    await turns();
    b.start(atB);
    await atB.atLeast(2_000_000);
    // Small pieces that arrive while reading is paused come at once as well.
    b.pause();
    for (let i = 0; i < 10; i++) {
      a.send(pattern(100, i));
      await turns(5);
    }
    b.resume();
    await atB.atLeast(2_001_000);
    expect(atB.calls).toBeGreaterThan(1);
    expect(nested).toBe(0);
    a.close();
    await atB.closedOnce;
  });

  it('has copied what it sends where it says so, more than there is room for too', async () => {
    const [a, b] = await open();
    const [atA, atB] = [new Received(a), new Received(b)];
    const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(200_000), fc.integer({ min: 1 << 20, max: 6 << 20 })), {
      maxLength: 8,
    });
    let sentBytes = 0;
    await fc.assert(
      fc.asyncProperty(sizes, fc.boolean(), async (lengths, pauses) => {
        if (pauses) b.pause();
        const sent = lengths.map((size, i) => pattern(size, i));
        for (const bytes of sent) {
          const given = bytes.slice();
          a.send(given);
          if (a.copiesOnSend) given.fill(0xee);
        }
        if (pauses) await turns();
        b.resume();
        const before = sentBytes;
        sentBytes += sent.reduce((sum, { byteLength }) => sum + byteLength, 0);
        await atB.atLeast(sentBytes);
        expect(atB.content.subarray(before).equals(Buffer.concat(sent))).toBe(true);
      }),
      { numRuns: Math.ceil(runs / 2) },
    );
    a.close();
    await Promise.all([atA.closedOnce, atB.closedOnce]);
  });

  it('sends what is queued before it closes, and tells each side once', async () => {
    const [a, b] = await open();
    const [atA, atB] = [new Received(a), new Received(b)];
    const sent = pattern(3_000_000);
    a.send(sent.slice());
    a.close();
    a.close();
    expect(a.send(pattern(10))).toBe(true);
    expect(await atA.closedOnce).toBeUndefined();
    expect(await atB.closedOnce).toBeUndefined();
    expect(atB.content.equals(sent)).toBe(true);
    expect(b.send(pattern(10))).toBe(true);
    b.close();
    await turns();
    expect(atA.closings).toEqual([undefined]);
    expect(atB.closings).toEqual([undefined]);
    expect(atA.byteLength).toBe(0);
  });

  it('closes while the other side goes on sending', async () => {
    const [a, b] = await open();
    const [atA, atB] = [new Received(a), new Received(b)];
    a.pause();
    for (let i = 0; i < 8; i++) b.send(pattern(1 << 20, i));
    await turns();
    const before = atA.byteLength;
    a.send(pattern(1000));
    a.close();
    expect(await atA.closedOnce).toBeUndefined();
    const atBEnded = await atB.closedOnce;
    // A device has no end of one direction: its other side may lose what was queued for it.
    expect(halfCloses ? [atBEnded, atB.byteLength] : []).toEqual(halfCloses ? [undefined, 1000] : []);
    expect(atA.byteLength).toBe(before);
  });

  it('lets go of a sender that waits, and reads nothing meanwhile, when the other side closes', async () => {
    const [a, b] = await open();
    const atA = new Received(a);
    const atB = new Received();
    // As a host does.
    b.start({ bytes: (chunk) => atB.bytes(chunk), drained: () => b.resume(), closed: (error) => atB.closed(error) });
    a.pause();
    for (let i = 0; b.send(pattern(1 << 20, i)); i++) await turns(2);
    b.pause();
    a.close();
    expect(await atA.closedOnce).toBeUndefined();
    await atB.closedOnce;
    expect(atB.closings.length).toBe(1);
  });

  it('reports a close that came before start', async () => {
    const [a, b] = await open();
    a.close();
    b.close();
    await turns();
    const [atA, atB] = [new Received(a), new Received(b)];
    expect([atA.closings, atB.closings]).toEqual([[], []]);
    expect(await atA.closedOnce).toBeUndefined();
    expect(await atB.closedOnce).toBeUndefined();
    expect([atA.closings, atB.closings]).toEqual([[undefined], [undefined]]);
  });
});
