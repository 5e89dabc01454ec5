import { connect } from '@vesper-gpu/guest';
import { inProcessPair } from '@vesper-gpu/transport/in-process';
import { encodeHello, MAX_HELLO_BYTES, WIRE_VERSION } from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';
import { frameOf, HELLO, helloBytes, HOST_HELLO, RawEnd, serve } from './pair.ts';

/** Sends bytes to a host instead of a guest's stream. */
function greetWith(bytes: Uint8Array<ArrayBuffer>): {
  ended: ReturnType<typeof serve>['session']['ended'];
  raw: RawEnd;
} {
  const { session, guestEnd } = serve();
  const raw = new RawEnd(guestEnd);
  raw.send(bytes);
  return { ended: session.ended, raw };
}

function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(value);
}

describe('a host', () => {
  it.each([
    ['of a web browser', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['of zeros', '\0'.repeat(64)],
    ['that nearly is one', 'VSPX'],
  ])('ends the session of a hello %s, and says nothing to a peer that is no Vesper', async (_, hello) => {
    const { ended, raw } = greetWith(text(hello));
    const end = await ended;
    expect(end.reason).toBe('protocol');
    expect(end.message).toMatch(/bad-magic.*does not speak Vesper/);
    await raw.closed;
    expect(raw.receivedBytes.byteLength).toBe(0);
  });

  it.each([WIRE_VERSION - 1, WIRE_VERSION + 1, 0xffff_ffff])(
    'ends the session of a guest of wire version %i, and tells it its own',
    async (version) => {
      const { ended, raw } = greetWith(helloBytes(HELLO, version));
      const end = await ended;
      expect(end.reason).toBe('protocol');
      expect(end.message).toContain(`wire version ${version}`);
      expect(end.message).toContain(`this side speaks ${WIRE_VERSION}`);
      await raw.closed;
      expect(raw.hostHello()?.schemaRevision).toBe(HELLO.schemaRevision);
    },
  );

  it('ends the session of a guest with another schema of the same revision, and names both', async () => {
    const other = { ...HELLO, schemaHash: 'feedfacecafebeef', idlRevision: 'another idl' };
    const { ended, raw } = greetWith(helloBytes(other));
    const end = await ended;
    expect(end.reason).toBe('protocol');
    for (const named of [HELLO.schemaHash, HELLO.idlRevision, 'feedfacecafebeef', 'another idl']) {
      expect(end.message).toContain(named);
      await raw.closed;
      expect(raw.hostHello()?.refusal).toContain(named);
    }
  });

  it('serves a guest of another revision: what is older is understood', async () => {
    const { session, guestEnd } = serve();
    const raw = new RawEnd(guestEnd);
    raw.send(helloBytes({ ...HELLO, schemaRevision: HELLO.schemaRevision + 1, schemaHash: 'newer' }));
    raw.close();
    expect(await session.ended).toMatchObject({ reason: 'closed' });
  });

  it('tells a guest what is wrong with its hello', async () => {
    const hello = { ...HELLO, limits: { ...HELLO.limits, maxFrameBytes: Number.NaN } };
    const { ended, raw } = greetWith(helloBytes(hello));
    expect((await ended).message).toMatch(/bad-hello: "maxFrameBytes" is "NaN"/);
    await raw.closed;
    expect(raw.hostHello()?.refusal).toMatch(/"maxFrameBytes" is "NaN"/);
  });

  it('ends the session of a hello that is too large, or is none', async () => {
    const large = helloBytes().slice(0, 12);
    new DataView(large.buffer).setUint32(8, MAX_HELLO_BYTES + 4, true);
    expect((await greetWith(large).ended).message).toMatch(/frame-too-large/);
    const none = new Uint8Array([...helloBytes().slice(0, 8), ...frameOf(7 | (2 << 16), 0)]);
    expect((await greetWith(none).ended).message).toMatch(/bad-hello: no hello record/);
    const empty = new Uint8Array([...helloBytes().slice(0, 8), ...frameOf()]);
    expect((await greetWith(empty).ended).message).toMatch(/bad-hello/);
  });

  it('says that a hello was cut, wherever it was', async () => {
    const hello = helloBytes();
    for (const cut of [0, 1, 4, 7, 8, 11, 12, 40, hello.byteLength - 1]) {
      const { session, guestEnd } = serve();
      const raw = new RawEnd(guestEnd);
      if (cut > 0) raw.send(hello.slice(0, cut));
      raw.close();
      const end = await session.ended;
      expect([cut, end.reason], end.message).toEqual([cut, 'protocol']);
      expect(end.message).toMatch(cut === 0 ? /without a word/ : /within its hello/);
    }
  });

  it('destroys nothing that it never made, and can be closed before the hello', async () => {
    const { session, backend } = serve();
    session.close();
    session.close();
    expect(await session.ended).toMatchObject({ reason: 'closed' });
    expect(backend.calls).toEqual([]);
  });
});

describe('a guest', () => {
  /** Connects to bytes instead of a host. */
  function connectTo(bytes: Uint8Array<ArrayBuffer>, thenCloses = false): Promise<unknown> {
    const [guestEnd, hostEnd] = inProcessPair();
    const raw = new RawEnd(hostEnd);
    raw.send(bytes);
    if (thenCloses) raw.close();
    return connect(guestEnd);
  }

  it('rejects a host that is none', async () => {
    await expect(connectTo(text('SSH-2.0-OpenSSH_9.6\r\n'))).rejects.toThrow(
      /bad-magic: the host does not speak Vesper/,
    );
  });

  it.each([WIRE_VERSION - 1, WIRE_VERSION + 1])(
    'rejects a host of wire version %i, and names both',
    async (version) => {
      const connecting = connectTo(encodeHello(HOST_HELLO, version));
      await expect(connecting).rejects.toThrow(
        `the host speaks wire version ${version}, this side speaks ${WIRE_VERSION}`,
      );
    },
  );

  it('rejects a host with another schema of its revision, and names both', async () => {
    const connecting = connectTo(encodeHello({ ...HOST_HELLO, schemaHash: 'feedfacecafebeef' }));
    await expect(connecting).rejects.toThrow(new RegExp(`feedfacecafebeef|${HOST_HELLO.schemaHash}`));
  });

  it('rejects with the reason when the host refuses', async () => {
    const connecting = connectTo(encodeHello({ ...HOST_HELLO, refusal: 'no more than 3 guests' }), true);
    await expect(connecting).rejects.toThrow(/refuses: no more than 3 guests/);
  });

  it('rejects when the host leaves, before or within its hello', async () => {
    await expect(connectTo(new Uint8Array(0), true)).rejects.toThrow(/without a word/);
    await expect(connectTo(encodeHello(HOST_HELLO).slice(0, 20), true)).rejects.toThrow(/within its hello/);
  });

  it('rejects a hello that is malformed', async () => {
    const hello = { ...HOST_HELLO, limits: { ...HOST_HELLO.limits, maxBulkBytes: -1 } };
    await expect(connectTo(encodeHello(hello))).rejects.toThrow(/bad-hello: "maxBulkBytes" is "-1"/);
  });
});
