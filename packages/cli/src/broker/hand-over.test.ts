import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fakeDriver, guestHello, TestBroker, type Client } from '../../test/test-broker.ts';

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function pattern(byteLength: number): Buffer {
  const bytes = Buffer.alloc(byteLength);
  for (let i = 0; i < byteLength; i++) bytes[i] = (i * 7919) >>> 5;
  return bytes;
}

/** Writes in pieces, each in a task of its own. */
async function dribble(client: Client, bytes: Uint8Array, sizeOf: () => number): Promise<void> {
  for (let offset = 0; offset < bytes.byteLength;) {
    const size = sizeOf();
    client.socket.write(bytes.subarray(offset, offset + size));
    offset += size;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Digest of what came back, once it is as long as `data`. */
async function echoOf(client: Client, data: Uint8Array): Promise<string> {
  return sha(await client.received(data.byteLength));
}

describe.each(['unix', 'tcp'] as const)('a connection over %s reaches its executor whole', (kind) => {
  it('when hello and data come in one chunk', async () => {
    const test = await TestBroker.start(kind);
    const client = await test.connect();
    const data = pattern(1000);
    client.socket.write(Buffer.concat([guestHello(), data]));
    expect(await echoOf(client, data)).toBe(sha(data));
    client.socket.end();
    const entry = await test.logged(/guest 1 left/);
    expect(entry).toMatchObject({ reason: 'closed', receivedBytes: 1000, sentBytes: 1000 });
    expect(test.reports).toHaveLength(1);
  });

  it('when the hello comes byte by byte, and data in small pieces', async () => {
    const test = await TestBroker.start(kind);
    const client = await test.connect();
    const data = pattern(5000);
    let sent = 0;
    const hello = guestHello();
    await dribble(client, Buffer.concat([hello, data]), () => (sent++ < hello.byteLength + 10 ? 1 : 37));
    expect(await echoOf(client, data)).toBe(sha(data));
  });

  it('when the executor is still loading while MBs pour in', async () => {
    const test = await TestBroker.start(kind, { chosenDriver: fakeDriver(300) });
    const client = await test.connect();
    const data = pattern(8_000_000);
    client.socket.write(Buffer.concat([guestHello(), data]));
    expect(await echoOf(client, data)).toBe(sha(data));
  });

  it('when pieces of random sizes arrive around the moment of the hand-over', async () => {
    const test = await TestBroker.start(kind, { chosenDriver: fakeDriver(20) });
    // A fixed seed: each run does the same.
    let state = 7;
    const random = (limit: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return 1 + ((state >>> 8) % limit);
    };
    for (let round = 0; round < 8; round++) {
      const client = await test.connect();
      const data = pattern(1_500_000 + round);
      await dribble(client, Buffer.concat([guestHello(), data]), () => random(40_000));
      expect(await echoOf(client, data)).toBe(sha(data));
      client.socket.destroy();
    }
  });
});

describe('a guest that leaves while it waits for its executor', () => {
  it('costs the others nothing', async () => {
    const test = await TestBroker.start('unix', { chosenDriver: fakeDriver(300) });
    const client = await test.connect();
    client.socket.write(guestHello());
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.socket.destroy();
    await test.logged(/guest 1 left/);
    const next = await test.guest();
    expect(next.bytes.toString()).toBe('ping');
    expect(test.log.filter(({ level }) => Number(level) > 30)).toEqual([]);
  });
});
