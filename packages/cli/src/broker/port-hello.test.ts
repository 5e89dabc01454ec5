import { portMarks } from '@vesper-gpu/transport';
import { HelloReader, parseHostHello } from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';
import { eventually, guestHello, TestBroker, type Client } from '../../test/test-broker.ts';

const { control, escape, NONCE_BYTES, TAG } = portMarks;

/** A nonce that is recognized. */
function nonce(digit: number): Buffer {
  return Buffer.alloc(NONCE_BYTES, String(digit));
}

function start(digit: number): Buffer {
  return control(TAG.start, nonce(digit));
}

/** A guest that began a session on a port and was let in by an executor. */
async function servedGuest(test: TestBroker, before: Uint8Array = Buffer.alloc(0)): Promise<Client> {
  const client = await test.connect();
  client.socket.write(Buffer.concat([before, start(1), ...escape(Buffer.from(guestHello()))]));
  await client.received(NONCE_BYTES + before.byteLength + 100);
  return client;
}

/** What the host said behind its last answer to a beginning. */
function helloIn(bytes: Buffer, digit: number) {
  const at = bytes.indexOf(nonce(digit));
  expect(at).not.toBe(-1);
  const hello = new HelloReader('host').push(bytes.subarray(at + NONCE_BYTES));
  return hello && parseHostHello(hello.fields);
}

/** Resolves once the first guest has left. */
function left(test: TestBroker) {
  return eventually('the end of a session', () => test.reports[0]);
}

describe('a guest on a port that outlives sessions', () => {
  it('is served when it has begun, however often and however far it came before', async () => {
    const test = await TestBroker.startReal();
    const half = Buffer.from(guestHello()).subarray(0, 50);
    const client = await servedGuest(test, Buffer.concat([start(3), half, start(2), half.subarray(0, 9)]));
    expect(helloIn(client.bytes, 1)).toMatchObject({ agent: 'vesper serve' });
    expect(client.bytes.subarray(0, NONCE_BYTES * 3)).toEqual(Buffer.concat([nonce(3), nonce(2), nonce(1)]));
    client.socket.destroy();
    expect(await left(test)).toMatchObject({ reason: 'closed' });
  });

  it.each([
    ['ends its session', control(TAG.end)],
    ['begins another, as a machine does that was reset', start(9)],
  ])('leaves, and is disconnected, when it %s', async (_, turn) => {
    const test = await TestBroker.startReal();
    const client = await servedGuest(test);
    client.socket.write(turn);
    await client.closed;
    expect(await left(test)).toMatchObject({ reason: 'closed', message: 'the guest closed the connection' });
    expect(test.broker.guestCount).toBe(0);

    const next = await servedGuest(test);
    expect(helloIn(next.bytes, 1)?.refusal).toBeUndefined();
  });

  it('leaves when it begins another session within a frame', async () => {
    const test = await TestBroker.startReal();
    const client = await servedGuest(test);
    const frame = Buffer.alloc(1000);
    frame.writeUInt32LE(4000);
    client.socket.write(Buffer.concat([frame, start(9)]));
    await client.closed;
    expect(await left(test)).toMatchObject({ message: 'truncated: the guest left within a frame' });
  });

  it('may send its first frames with its hello', async () => {
    const test = await TestBroker.startReal();
    const client = await test.connect();
    // An empty frame, cut off within a mark that stands for the end.
    const frame = Buffer.from([4, 0, 0, 0]);
    const end = control(TAG.end);
    client.socket.write(Buffer.concat([start(1), guestHello(), frame, frame, end.subarray(0, 9)]));
    await client.received(NONCE_BYTES + 100);
    expect(test.reports).toEqual([]);
    client.socket.write(end.subarray(9));
    expect(await left(test)).toMatchObject({ reason: 'closed' });
  });

  it.each([
    ['that ends at once', control(TAG.end), /^refused: truncated: the guest ended its session before it was served/],
    ['with an unknown mark', control(66), /^refused: bad-magic: a mark on the port with the tag 66/],
    [
      'with garbage for a hello',
      Buffer.concat([start(1), Buffer.from('GET / HTTP/1.1')]),
      /^refused: bad-magic: the guest does not speak Vesper/,
    ],
    [
      'of marks that say nothing',
      Buffer.concat(Array.from({ length: 20_000 }, () => control(TAG.nothing))),
      /^refused: limit: \d+ bytes, and no hello in them/,
    ],
    [
      'of beginnings that are cut off',
      Buffer.concat(Array.from({ length: 20_000 }, () => start(1).subarray(0, 20))),
      /^refused: limit: \d+ bytes, and no hello in them/,
    ],
    [
      'that begins without an end',
      Buffer.concat(Array.from({ length: 100 }, () => start(1))),
      /^refused: refused: the guest began its session anew before it was served/,
    ],
  ])('is refused %s', async (_, bytes, message) => {
    const test = await TestBroker.start();
    const client = await test.connect();
    client.socket.write(bytes);
    await client.closed;
    await test.logged(message);
    expect(test.broker.guestCount).toBe(0);
    expect((await test.guest()).bytes.toString()).toBe('ping');
  });

  it('may be silent for long at a Unix socket, and has no longer than others once it has spoken', async () => {
    const test = await TestBroker.start('unix', { helloTimeoutMs: 50 });
    const silent = await test.connect();
    const speaking = await test.connect();
    speaking.socket.write(start(1));
    await speaking.closed;
    await test.logged(/^refused: the guest sent no complete hello within 0\.05 s: 49 bytes came/);
    expect(silent.socket.destroyed).toBe(false);
    silent.socket.write(Buffer.concat([guestHello(), Buffer.from('ping')]));
    expect((await silent.received(4)).toString()).toBe('ping');
  });
});
