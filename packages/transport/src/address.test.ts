import { ConnectionError } from '@vesper-gpu/wire';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from './address.ts';

describe('parseAddress', () => {
  it.each([
    ['unix:/run/vesper', { kind: 'unix', path: '/run/vesper' }],
    ['unix:relative:with:colons', { kind: 'unix', path: 'relative:with:colons' }],
    ['shm:/run/vesper', { kind: 'shm', path: '/run/vesper' }],
    ['tcp:localhost:0', { kind: 'tcp', host: 'localhost', port: 0 }],
    ['tcp:192.0.2.1:65535', { kind: 'tcp', host: '192.0.2.1', port: 65_535 }],
    ['tcp:[2001:db8::1]:7000', { kind: 'tcp', host: '2001:db8::1', port: 7000 }],
    ['dev:/dev/vport0p1', { kind: 'dev', path: '/dev/vport0p1' }],
  ])('reads %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
    expect(formatAddress(parseAddress(text))).toBe(text);
  });

  it.each([
    '',
    'unix',
    'unix:',
    'dev:',
    'shm:',
    'tcp:',
    '/run/vesper',
    'http://example.com',
    'tcp:localhost',
    'tcp::7000',
    'tcp:localhost:',
    'tcp:localhost:x',
    'tcp:localhost:-1',
    'tcp:2001:db8::1:7000',
    'tcp:[]:7000',
    'UNIX:/x',
    'unix:/a\0b',
  ])('refuses "%s", naming it and the accepted forms', (text) => {
    expect(() => parseAddress(text)).toThrow(ConnectionError);
    expect(() => parseAddress(text)).toThrow(
      `"${text}" is no address of a Vesper host: give unix:PATH, shm:PATH, tcp:HOST:PORT (an IPv6 HOST in brackets) or dev:PATH`,
    );
  });

  it('says what is wrong with a port or a path', () => {
    expect(() => parseAddress('tcp:localhost:65536')).toThrow('port 65536 is above 65535');
    expect(() => parseAddress(`unix:/${'x'.repeat(103)}`)).toThrow('can take 103 bytes, and this one takes 104');
    expect(() => parseAddress(`shm:/${'x'.repeat(103)}`)).toThrow('can take 103 bytes, and this one takes 104');
    expect(() => parseAddress(`unix:/${'é'.repeat(52)}`)).toThrow('this one takes 105');
  });

  it('throws nothing but ConnectionError, and reads back what it accepts', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string().map((s) => `tcp:${s}`),
      fc.string().map((s) => `unix:${s}`),
    );
    const result = fc.check(
      fc.property(text, (address) => {
        let again: string | undefined;
        try {
          again = formatAddress(parseAddress(address));
        } catch (error) {
          return error instanceof ConnectionError && error.message.includes(address);
        }
        return formatAddress(parseAddress(again)) === again;
      }),
    );
    expect(result.counterexample).toBeNull();
  });
});
