import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionError, ProtocolError } from './errors.ts';
import {
  encodeHello,
  HelloReader,
  incompatibility,
  parseGuestHello,
  parseHostHello,
  type GuestHello,
  type HostHello,
} from './handshake.ts';
import { DEFAULT_LIMITS, MAX_HELLO_BYTES } from './limits.ts';

const guest: GuestHello = {
  agent: 'test 1.0',
  schemaRevision: 3,
  schemaHash: 'abc123',
  idlRevision: '@webref/idl 3.85.0',
  limits: { ...DEFAULT_LIMITS },
};
const host: HostHello = {
  ...guest,
  wgslLanguageFeatures: ['packed_4x8_integer_dot_product', 'pointer_composite_access'],
  preferredCanvasFormat: 'bgra8unorm',
};

function refusal(run: () => unknown): ProtocolError {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the handshake', () => {
  it('round trips, with what follows it, however it is cut', () => {
    const bytes = Buffer.concat([encodeHello(host), Buffer.from('what follows')]);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.byteLength), { maxLength: 20 }), (cuts) => {
        const reader = new HelloReader('host');
        const ends = [...cuts.toSorted((a, b) => a - b), bytes.byteLength];
        const behind: Uint8Array[] = [];
        let hello: HostHello | undefined;
        let start = 0;
        for (const end of ends) {
          const piece = bytes.subarray(start, end);
          start = end;
          if (hello !== undefined) {
            behind.push(piece);
            continue;
          }
          const result = reader.push(piece);
          if (result === undefined) continue;
          hello = parseHostHello(result.fields);
          behind.push(result.rest);
        }
        expect(hello).toEqual(host);
        expect(Buffer.concat(behind).toString()).toBe('what follows');
      }),
    );
  });

  it('carries a refusal, and a guest has none of the host fields', () => {
    const refused = new HelloReader('host').push(encodeHello({ ...host, refusal: 'no GPU' }));
    expect(parseHostHello(refused!.fields)).toEqual({ ...host, refusal: 'no GPU' });
    expect(parseGuestHello(new HelloReader('guest').push(encodeHello(guest))!.fields)).toEqual(guest);
  });

  it('is incomplete when cut at any byte, and says where the peer stopped', () => {
    const bytes = encodeHello(host);
    for (let length = 0; length < bytes.byteLength; length++) {
      const reader = new HelloReader('host');
      expect(reader.push(bytes.subarray(0, length))).toBeUndefined();
      const error = reader.endedEarly();
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error.message).toBe(
        length === 0
          ? 'the host closed the connection without a word'
          : 'the host closed the connection within its hello',
      );
    }
  });

  it('knows a stranger by the first byte that differs', () => {
    for (const [text, offset] of [
      ['GET / HTTP/1.1', 0],
      ['VSPX', 3],
      ['VS\0\0', 2],
    ] as const) {
      const reader = new HelloReader('guest');
      let error: ProtocolError | undefined;
      for (const [i, byte] of Buffer.from(text).entries()) {
        if (i < offset) reader.push(new Uint8Array([byte]));
        else error ??= refusal(() => reader.push(new Uint8Array([byte])));
      }
      expect([error?.reason, error?.offset]).toEqual(['bad-magic', offset]);
      expect(error?.message).toContain('the guest does not speak Vesper');
    }
  });

  it.each([0, 2, 0xffff_ffff])('names both wire versions when the peer speaks version %i', (version) => {
    const error = refusal(() => new HelloReader('host').push(encodeHello(host, version)));
    expect(error.reason).toBe('wire-version');
    expect(error.message).toContain(`the host speaks wire version ${version}, this side speaks 1;`);
  });

  it('throws nothing but ProtocolError on any change of any byte', () => {
    const bytes = encodeHello(host);
    const others: unknown[] = [];
    for (let i = 0; i < bytes.byteLength; i++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const changed = bytes.slice();
        changed[i]! ^= flip;
        try {
          const result = new HelloReader('host').push(changed);
          if (result !== undefined) parseHostHello(result.fields);
        } catch (error) {
          if (!(error instanceof ProtocolError)) others.push(error);
        }
      }
    }
    expect(others).toEqual([]);
  });

  it('refuses a hello frame over its limit before it arrives', () => {
    const bytes = encodeHello(host).slice(0, 12);
    new DataView(bytes.buffer).setUint32(8, MAX_HELLO_BYTES + 4, true);
    expect(refusal(() => new HelloReader('host').push(bytes)).reason).toBe('frame-too-large');
  });

  it('refuses an empty first frame', () => {
    const bytes = encodeHello(host).slice(0, 12);
    new DataView(bytes.buffer).setUint32(8, 4, true);
    expect(refusal(() => new HelloReader('host').push(bytes)).reason).toBe('bad-hello');
  });

  it.each([undefined, '', ' 1', '-1', '1.5', '0x10', '1e3', 'NaN', '9007199254740992', 'x'.repeat(60_000)])(
    'refuses "%.20s" as a number, in a short message',
    (value) => {
      const fields = new Map(new HelloReader('guest').push(encodeHello(guest))!.fields);
      if (value === undefined) fields.delete('maxFrameBytes');
      else fields.set('maxFrameBytes', value);
      const error = refusal(() => parseGuestHello(fields));
      expect(error.reason).toBe('bad-hello');
      expect(error.message).toContain('"maxFrameBytes"');
      expect(error.message.length).toBeLessThan(300);
    },
  );

  it('takes no line breaks, escape sequences or long texts from a peer into messages', () => {
    const nasty = `a\n\u001b[31m${'x'.repeat(10_000)}`;
    const fields = new HelloReader('guest').push(
      encodeHello({ ...guest, agent: nasty, schemaHash: nasty, idlRevision: nasty }),
    )!.fields;
    const hello = parseGuestHello(fields);
    for (const text of [hello.agent, hello.schemaHash, hello.idlRevision]) {
      expect(text).toMatch(/^a  \[31mx+$/);
      expect(text.length).toBe(200);
    }
  });

  it('leaves names that it does not know alone, even those of Object.prototype', () => {
    const fields = new Map(new HelloReader('guest').push(encodeHello(guest))!.fields);
    fields.set('__proto__', 'x').set('constructor', 'y').set('later', 'z');
    expect(parseGuestHello(fields)).toEqual(guest);
  });

  it('tells when two schemas cannot talk', () => {
    expect(incompatibility(guest, host)).toBeUndefined();
    expect(incompatibility({ ...guest, schemaRevision: 2, schemaHash: 'old' }, host)).toBeUndefined();
    expect(incompatibility({ ...guest, schemaRevision: 0 }, host)).toContain('revision of 0');
    const message = incompatibility({ ...guest, schemaHash: 'other' }, host);
    expect(message).toContain("the guest's is other (@webref/idl 3.85.0)");
    expect(message).toContain("the host's is abc123 (@webref/idl 3.85.0)");
  });
});
