import {
  encodeHello,
  HelloReader,
  MAX_HELLO_BYTES,
  parseGuestHello,
  ProtocolError,
  type GuestHello,
} from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';

const HELLO: GuestHello = {
  agent: 'a guest',
  schemaRevision: 1,
  schemaHash: '0123456789abcdef',
  idlRevision: 'an idl',
  limits: { maxFrameBytes: 1 << 20, maxStringBytes: 1 << 16, maxBulkBytes: 1 << 24 },
};

/** Reads a hello as the host does. @returns it, 'more' when bytes are missing, or why it was refused. */
function read(bytes: Uint8Array): GuestHello | 'more' | ProtocolError {
  try {
    const received = new HelloReader('guest').push(bytes);
    return received === undefined ? 'more' : parseGuestHello(received.fields);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
}

function reasonOf(verdict: ReturnType<typeof read>): string | undefined {
  return verdict instanceof ProtocolError ? verdict.reason : undefined;
}

describe('a hostile hello', () => {
  const good = encodeHello(HELLO);

  it('is read when it is whole, and waited for when it is cut anywhere', () => {
    expect(read(good)).toEqual(HELLO);
    for (let cut = 0; cut < good.byteLength; cut++) expect(read(good.subarray(0, cut)), `${cut} bytes`).toBe('more');
  });

  it('arrives in any pieces', () => {
    for (const size of [1, 3, 7, 8, 9, 12]) {
      const reader = new HelloReader('guest');
      let received: ReturnType<HelloReader['push']>;
      for (let at = 0; at < good.byteLength; at += size) received ??= reader.push(good.subarray(at, at + size));
      expect(received && parseGuestHello(received.fields), `pieces of ${size}`).toEqual(HELLO);
    }
  });

  it('with any one bit flipped is refused, waited for, or understood', () => {
    const verdicts = new Set<string>();
    for (let bit = 0; bit < good.byteLength * 8; bit++) {
      const bytes = good.slice();
      bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
      const verdict = read(bytes);
      // The magic and the version have no bit to spare.
      const preamble = bit < 32 ? 'bad-magic' : bit < 64 ? 'wire-version' : reasonOf(verdict);
      expect(reasonOf(verdict), `bit ${bit}`).toBe(preamble);
      verdicts.add(reasonOf(verdict) ?? (verdict === 'more' ? 'more' : 'understood'));
    }
    for (const wanted of ['bad-hello', 'bad-frame', 'frame-too-large', 'truncated', 'more', 'understood']) {
      expect([...verdicts], wanted).toContain(wanted);
    }
  });

  it.each(['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\u0016\u0003\u0001', 'SSH-2.0-OpenSSH', '\0\0\0\0', 'VSPQ', 'vspr'])(
    'of another protocol is known by its first bytes: %j',
    (text) => {
      const verdict = read(new TextEncoder().encode(text));
      expect(reasonOf(verdict)).toBe('bad-magic');
    },
  );

  it('is known as foreign by its first wrong byte: nothing more is waited for', () => {
    for (let at = 0; at < 4; at++) {
      const bytes = good.slice(0, at + 1);
      bytes[at] = bytes[at]! ^ 0x20;
      expect(reasonOf(read(bytes))).toBe('bad-magic');
    }
  });

  it('of any size costs no more than a small frame', () => {
    const before = process.memoryUsage().arrayBuffers;
    for (const length of [MAX_HELLO_BYTES + 4, 0x7fff_fffc, 0xffff_fffc]) {
      const bytes = good.slice(0, 12);
      new DataView(bytes.buffer).setUint32(8, length, true);
      expect(reasonOf(read(bytes)), `${length} bytes`).toBe('frame-too-large');
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  });

  it.each(['', '-1', '1.5', '1e3', '0x10', ' 1', '9007199254740993', 'Infinity', 'NaN', '١', '1\n'])(
    'with the number %j is refused',
    (text) => {
      for (const name of ['schemaRevision', 'maxFrameBytes', 'maxStringBytes', 'maxBulkBytes']) {
        const fields = new Map(
          Object.entries({ schemaRevision: '1', maxFrameBytes: '1', maxStringBytes: '1', maxBulkBytes: '1' }),
        );
        fields.set(name, text);
        expect(() => parseGuestHello(fields), name).toThrow(ProtocolError);
        fields.delete(name);
        expect(() => parseGuestHello(fields), `no ${name}`).toThrow(/bad-hello/);
      }
    },
  );

  it('cannot put escape sequences or long texts into a log', () => {
    const verdict = read(encodeHello({ ...HELLO, agent: `\u001b[31m${'x'.repeat(5000)}\n` }));
    if (verdict === 'more' || verdict instanceof ProtocolError) throw new Error('not read');
    expect(verdict.agent.length).toBeLessThanOrEqual(200);
    expect(verdict.agent).not.toMatch(/\p{Cc}/u);
  });
});
