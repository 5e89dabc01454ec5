import { describe, expect, it } from 'vitest';
import { Agreement } from '../pump/agreement.mjs';

const nonce = (digit: number): Buffer => Buffer.alloc(32, String(digit));

describe('what two threads agree on', () => {
  it('is that the answer to the nonce begins the session, and that no other nonce follows', () => {
    const says = new Agreement();
    const hears = new Agreement(says.memory);
    expect(says.renew(nonce(1))).toBe(true);
    expect(hears.nonce).toEqual(nonce(1));
    expect(hears.begin(hears.nonce)).toBe(true);
    // A repeat that was due before this side heard of the answer.
    expect(says.renew(nonce(2))).toBe(false);
    expect(hears.nonce).toEqual(nonce(1));
  });

  it('is that the answer to a nonce which was replaced meanwhile begins nothing', () => {
    const says = new Agreement();
    const hears = new Agreement(says.memory);
    says.renew(nonce(1));
    const found = hears.nonce;
    expect(says.renew(nonce(2))).toBe(true);
    expect(hears.begin(found)).toBe(false);
    expect(says.renew(nonce(3))).toBe(true);
    expect(hears.begin(nonce(3))).toBe(true);
  });
});
