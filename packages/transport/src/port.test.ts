import { once } from 'node:events';
import type { Socket } from 'node:net';
import { ConnectionError } from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';
import { control, escape, MARK, NONCE_BYTES, TAG } from '../pump/port-marks.mjs';
import { nonceFrom, socketPair } from '../test/pairs.ts';
import { pattern, Received, turns } from '../test/received.ts';
import { portTransport } from './port.ts';
import { guestPumpTransport } from './pump.ts';
import { socketTransport } from './socket.ts';

const NONCE = Uint8Array.from({ length: NONCE_BYTES }, (_, i) => i + 1);

/** The host's end of a port, and the raw other end. */
async function host(isBegun: boolean): Promise<{ received: Received; guest: Socket }> {
  const [guest, socket] = await socketPair('unix');
  return { received: new Received(portTransport(socketTransport(socket), isBegun)), guest };
}

describe("the host's end of a port", () => {
  it('answers the beginning of a session, as often as it is repeated', async () => {
    const { received, guest } = await host(false);
    const second = NONCE.map((byte) => byte + 100);
    guest.write(Buffer.concat([control(TAG.start, NONCE), control(TAG.start, second), Buffer.from('hello')]));
    await received.atLeast(5);
    expect(received.content.toString()).toBe('hello');
    const answer = Buffer.concat([NONCE, second]);
    while (guest.readableLength < answer.byteLength) await once(guest, 'readable');
    expect(guest.read()).toEqual(answer);
    guest.destroy();
  });

  it.each([
    ['ends its session', control(TAG.end)],
    ['begins another, as after a reset', control(TAG.start, NONCE)],
  ])('ends, and closes what leads to the guest, when the guest %s', async (_, turn) => {
    const { received, guest } = await host(true);
    guest.write(Buffer.concat([...escape(Buffer.from(pattern(1000))), turn, Buffer.from('of no more account')]));
    guest.resume();
    expect(await received.closedOnce).toBeUndefined();
    expect(received.content.equals(pattern(1000))).toBe(true);
    await once(guest, 'end');
    await turns();
    expect(received.closings).toHaveLength(1);
    guest.destroy();
  });

  it('ends with an error when there is a mark that is none', async () => {
    const { received, guest } = await host(true);
    guest.write(control(77));
    expect((await received.closedOnce)?.message).toContain('the tag 77');
    guest.destroy();
  });

  it('leaves the bytes of a guest that marks nothing as they are', async () => {
    const { received, guest } = await host(false);
    const sent = Buffer.concat([Buffer.from('VSPR'), control(TAG.end), MARK, pattern(100)]);
    guest.write(sent);
    await received.atLeast(sent.byteLength);
    expect(received.content.equals(sent)).toBe(true);
    guest.destroy();
    expect(await received.closedOnce).toBeUndefined();
  });
});

describe("the guest's end of a port", () => {
  /** Begins a session on a port that has a raw socket for its other side. */
  async function begin(timeoutMs = 20_000) {
    const [device, other] = await socketPair('unix');
    const opening = guestPumpTransport(device, 'dev:test', timeoutMs);
    device.destroy();
    return { opening, other };
  }

  it('drops what the port holds of an earlier session', async () => {
    const { opening, other } = await begin();
    const nonce = await nonceFrom(other);
    other.write(Buffer.concat([pattern(100_000), nonce.subarray(0, 7), nonce, Buffer.from('new')]));
    const received = new Received(await opening);
    await received.atLeast(3);
    expect(received.content.toString()).toBe('new');
    other.destroy();
    expect(await received.closedOnce).toBeUndefined();
  });

  it('begins again when there is no answer, and takes only that to the latest beginning', async () => {
    const { opening, other } = await begin();
    const nonces = [await nonceFrom(other), await nonceFrom(other)];
    expect(nonces[0]).not.toEqual(nonces[1]);
    other.write(Buffer.concat([...nonces, Buffer.from('new')]));
    const received = new Received(await opening);
    await received.atLeast(3);
    expect(received.content.toString()).toBe('new');
    other.destroy();
    await received.closedOnce;
  });

  it('ends its session when it is closed', async () => {
    const { opening, other } = await begin();
    other.write(await nonceFrom(other));
    const transport = await opening;
    const received = new Received(transport);
    transport.send(Uint8Array.of(1, 2, 3));
    transport.close();
    const expected = Buffer.concat([Buffer.of(1, 2, 3), control(TAG.end)]);
    const chunks: Buffer[] = [];
    for await (const chunk of other) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks)).toEqual(expected);
    expect(await received.closedOnce).toBeUndefined();
  });

  it('says that nobody answers, and what to do', async () => {
    const { opening, other } = await begin(300);
    const error: unknown = await opening.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConnectionError);
    expect((error as Error).message).toMatch(
      /^cannot begin a session at dev:test: .*no Vesper host answers on the other side; .*vesper serve --listen.*reconnect=1/,
    );
    other.destroy();
  });
});
