import { connect } from 'node:net';
import { HelloReader, parseHostHello, WIRE_VERSION } from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';
import { afterwards, guestHello, TestBroker } from '../../test/test-broker.ts';
import { MAX_REFUSALS, MAX_VISITORS, MAX_VISITORS_OF_PEER } from './reception.ts';

/** The reason that the broker gave in its hello, or that it said nothing at all. */
function refusalIn(bytes: Uint8Array): string | undefined {
  if (bytes.byteLength === 0) return 'nothing';
  const hello = new HelloReader('host').push(bytes);
  return hello && parseHostHello(hello.fields).refusal;
}

/** A preamble of this version and whatever comes behind it. */
function behindPreamble(...rest: number[]): Uint8Array {
  return Buffer.concat([guestHello().subarray(0, 8), Buffer.from(rest)]);
}

interface Case {
  name: string;
  bytes: Uint8Array;
  log: RegExp;
  refusal: RegExp;
}

const cases: Case[] = [
  {
    name: 'a peer that is no Vesper',
    bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    log: /^refused: bad-magic: the guest does not speak Vesper/,
    refusal: /^nothing$/,
  },
  {
    name: 'a newer wire version',
    bytes: guestHello({}, WIRE_VERSION + 1),
    log: /wire version 2, this side speaks 1/,
    refusal: /the guest speaks wire version 2, this side speaks 1/,
  },
  {
    name: 'an older wire version',
    bytes: guestHello({}, 0),
    log: /wire version 0, this side speaks 1/,
    refusal: /wire version 0, this side speaks 1/,
  },
  {
    name: 'a frame of an impossible length',
    bytes: behindPreamble(3, 0, 0, 0),
    log: /^refused: bad-frame: a frame of 3 bytes/,
    refusal: /a frame of 3 bytes/,
  },
  {
    name: 'a hello that is too large',
    bytes: behindPreamble(0, 0, 0, 0x40),
    log: /^refused: frame-too-large: .*limit 65536/,
    refusal: /limit 65536/,
  },
  {
    name: 'garbage in a frame',
    bytes: behindPreamble(12, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
    log: /^refused: (?!internal).+/,
    refusal: /.+/,
  },
  {
    name: 'another schema of the same revision',
    bytes: guestHello({ schemaHash: 'feedfeedfeedfeed' }),
    log: /^refused: refused: .*feedfeedfeedfeed.*one lock file/,
    refusal: /feedfeedfeedfeed/,
  },
];

describe('a guest is refused without an executor', () => {
  it.each(cases)('$name', async ({ bytes, log, refusal }) => {
    const test = await TestBroker.start();
    const client = await test.connect();
    client.socket.write(bytes);
    await client.closed;
    await test.logged(log);
    expect(refusalIn(client.bytes)).toMatch(refusal);
    expect(test.broker.guestCount).toBe(0);

    const next = await test.guest();
    expect(next.bytes.toString()).toBe('ping');
    expect(test.log.filter(({ msg }) => /connected/.test(msg))).toMatchObject([{ guest: 1 }]);
  });

  it('when it says nothing in time', async () => {
    const test = await TestBroker.start('tcp', { helloTimeoutMs: 100 });
    const client = await test.connect();
    await client.closed;
    expect(client.bytes).toHaveLength(0);
    await test.logged(/^refused: the guest sent no complete hello within 0\.1 s: 0 bytes came/);
  });

  it('when it sends its hello too slowly', async () => {
    const test = await TestBroker.start('unix', { helloTimeoutMs: 150 });
    const client = await test.connect();
    const hello = guestHello();
    for (let i = 0; i < 20; i++) {
      client.socket.write(hello.subarray(i, i + 1));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await client.closed;
    expect(refusalIn(client.bytes)).toMatch(/no complete hello within 0\.15 s/);
  });

  it.each([
    ['leaves at once', 0, /^refused: the guest closed the connection without a word/],
    ['leaves within its hello', 30, /^refused: the guest closed the connection within its hello/],
  ])('when it %s', async (_, byteLength, log) => {
    const test = await TestBroker.start();
    const client = await test.connect();
    client.socket.end(guestHello().subarray(0, byteLength));
    await test.logged(log);
    await client.closed;
    expect(test.broker.guestCount).toBe(0);
  });
});

describe('a flood of connections that say nothing', () => {
  it('keeps nobody out: those that were silent for the longest make room, and none that has begun to speak', async () => {
    const test = await TestBroker.start('unix');
    const slow = [];
    for (let i = 0; i < 20; i++) slow.push(await test.connect());
    for (const { socket } of slow) socket.write(guestHello().subarray(0, 5));
    const silent = [];
    for (let i = 20; i < MAX_VISITORS; i++) silent.push(await test.connect());
    for (let i = 0; i < 3; i++) expect((await test.guest()).bytes.toString()).toBe('ping');
    // Each was a visitor itself for a moment, and with the first the reception was full.
    await silent[0]!.closed;
    const entry = await test.logged(/^refused: \d+ connections that said nothing made room for others/);
    expect(Number(entry['connections'])).toBeGreaterThanOrEqual(1);
    expect(silent.filter(({ socket }) => !socket.destroyed).length).toBeGreaterThanOrEqual(MAX_VISITORS - 20 - 3);
    expect(slow.filter(({ socket }) => socket.destroyed)).toEqual([]);
    expect(silent.at(-1)!.socket.destroyed).toBe(false);
  });

  it('from one address costs that address alone', async () => {
    const test = await TestBroker.start('tcp');
    const silent = [];
    for (let i = 0; i < MAX_VISITORS_OF_PEER + 10; i++) silent.push(await test.connect());
    await Promise.all(silent.slice(0, 10).map((client) => client.closed));
    expect(silent.slice(10).filter(({ socket }) => socket.destroyed)).toEqual([]);
    expect((await test.guest()).bytes.toString()).toBe('ping');
  });

  it('is one line a second in the log', async () => {
    const test = await TestBroker.start('unix');
    const clients = [];
    for (let i = 0; i < MAX_VISITORS + 100; i++) clients.push(await test.connect());
    await Promise.all(clients.slice(0, 100).map((client) => client.closed));
    const entry = await test.logged(/^refused: \d+ connections/);
    const lines = test.log.filter(({ msg }) => msg.startsWith('refused'));
    expect(lines.length).toBeLessThan(10);
    expect(Number(entry['connections'])).toBeGreaterThan(0);
  });
});

describe('a flood of connections that are refused and stay', () => {
  it('is told why as far as there is room, and keeps nobody out', async () => {
    const test = await TestBroker.start('unix');
    const path = test.broker.addresses[0]!.slice('unix:'.length);
    const heard = await Promise.all(
      Array.from({ length: 2 * MAX_REFUSALS }, async () => {
        // Its own direction stays open: the broker waits some seconds for its end.
        const socket = connect({ path, allowHalfOpen: true });
        afterwards(() => void socket.destroy());
        let bytes = 0;
        socket.on('data', (chunk) => (bytes += chunk.byteLength)).on('error', () => {});
        const over = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
        socket.write(guestHello({}, WIRE_VERSION + 1));
        await over;
        return bytes;
      }),
    );
    expect(heard.filter((bytes) => bytes > 0).length).toBeGreaterThanOrEqual(MAX_REFUSALS);
    expect(heard).toContain(0);
    expect((await test.guest()).bytes.toString()).toBe('ping');
  });
});
