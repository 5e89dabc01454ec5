import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { expectValidationError } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';
import { microtask } from './fixture/microtask.ts';

// client-semantics.md, section 4: events.

const guest = useGuest();
let device: GPUDevice;

beforeEach(async () => {
  device = await guest.newDevice();
  // The line that an error nobody took care of is worth.
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  device.destroy();
  vi.restoreAllMocks();
});

const fail = (label = ''): GPUBuffer => device.createBuffer({ size: 4, usage: 0, label });
const nextError = (): Promise<GPUUncapturedErrorEvent> =>
  new Promise((resolve) => device.addEventListener('uncapturederror', resolve, { once: true }));

/** @webgpu/types leaves out what the dictionary inherits of EventInit. */
interface FullInit extends GPUUncapturedErrorEventInit {
  cancelable: boolean;
}
const cancelable = (error: GPUError): FullInit => ({ error, cancelable: true });

describe('uncapturederror', () => {
  it('is an event at the device with the error, cancelable, in a task of its own', async () => {
    const arrived = nextError();
    let seen = false;
    void arrived.then(() => (seen = true));
    fail('mine');
    await microtask();
    expect(seen).toBe(false);
    const event = await arrived;
    expect(event).toBeInstanceOf(GPUUncapturedErrorEvent);
    expect([event.type, event.target, event.cancelable, event.bubbles]).toEqual([
      'uncapturederror',
      device,
      true,
      false,
    ]);
    expect(event.error).toBeInstanceOf(GPUValidationError);
    expect(event.error.message).toContain('mine');
    expect(event.error).toBe(event.error);
  });

  it('is not for errors that a scope takes, and is for those whose scope is of another kind', async () => {
    const seen: string[] = [];
    device.addEventListener('uncapturederror', ({ error }) => seen.push(error.message));
    await expectValidationError(device, () => fail('captured'));
    device.pushErrorScope('out-of-memory');
    fail('loose');
    await device.popErrorScope();
    await device.queue.onSubmittedWorkDone();
    expect(seen).toHaveLength(1);
    expect(seen[0]).toContain('loose');
  });

  it('comes in the order of the errors, before what is asked later is answered', async () => {
    const seen: string[] = [];
    device.addEventListener('uncapturederror', ({ error }) =>
      seen.push(/"(\w+)"/.exec(error.message)?.[1] ?? error.message),
    );
    for (const label of ['a', 'b', 'c']) fail(label);
    await device.queue.onSubmittedWorkDone();
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('takes listeners of every kind: functions, objects, once, removed ones', async () => {
    const seen: string[] = [];
    const removed = (): void => void seen.push('removed');
    device.addEventListener('uncapturederror', { handleEvent: () => void seen.push('object') });
    device.addEventListener('uncapturederror', () => seen.push('once'), { once: true });
    device.addEventListener('uncapturederror', removed);
    device.removeEventListener('uncapturederror', removed);
    fail();
    await device.queue.onSubmittedWorkDone();
    fail();
    await device.queue.onSubmittedWorkDone();
    expect(seen).toEqual(['object', 'once', 'object']);
  });

  it('can be dispatched by the program', () => {
    const error = new GPUInternalError('made up');
    const seen: GPUError[] = [];
    device.onuncapturederror = (event) => seen.push(event.error);
    expect(device.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error }))).toBe(true);
    expect(seen).toEqual([error]);
    device.addEventListener('uncapturederror', (event) => event.preventDefault());
    expect(device.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', cancelable(error)))).toBe(false);
  });

  it('that nobody cancels is written to the console', async () => {
    fail('unseen');
    await device.queue.onSubmittedWorkDone();
    expect(console.warn).toHaveBeenCalledTimes(1);
    device.addEventListener('uncapturederror', (event) => event.preventDefault());
    fail();
    await device.queue.onSubmittedWorkDone();
    expect(console.warn).toHaveBeenCalledTimes(1);
  });

  it('goes on using the methods of EventTarget when a program has replaced its own and put them back', () => {
    const prototype = GPUDevice.prototype as unknown as Record<string, unknown>;
    const original = prototype['addEventListener'];
    prototype['addEventListener'] = () => 'replaced';
    expect(device.addEventListener('x', () => {})).toBe('replaced');
    prototype['addEventListener'] = original;
    const spy = vi.spyOn(EventTarget.prototype, 'addEventListener');
    const listener = (): void => {};
    device.addEventListener('uncapturederror', listener);
    expect(spy).toHaveBeenCalledWith('uncapturederror', listener);
    spy.mockRestore();
    expect(device.addEventListener.length).toBe(EventTarget.prototype.addEventListener.length);
  });

  it('uses the inherited methods of EventTarget', () => {
    const spy = vi.spyOn(EventTarget.prototype, 'addEventListener');
    const listener = (): void => {};
    device.addEventListener('uncapturederror', listener);
    expect(spy).toHaveBeenCalledWith('uncapturederror', listener);
  });
});

describe('onuncapturederror', () => {
  const dispatch = (): void =>
    void device.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error: new GPUValidationError('') }));

  it('keeps its place among the listeners when it is replaced, and loses it when it is null in between', () => {
    const seen: string[] = [];
    const note = (text: string) => (): void => void seen.push(text);
    device.addEventListener('uncapturederror', note('first'));
    device.onuncapturederror = note('handler');
    device.addEventListener('uncapturederror', note('last'));
    device.onuncapturederror = note('replaced');
    dispatch();
    device.onuncapturederror = null;
    dispatch();
    device.onuncapturederror = note('again');
    dispatch();
    expect(seen).toEqual(['first', 'replaced', 'last', 'first', 'last', 'first', 'last', 'again']);
  });

  it('gives back what was set; what cannot be called becomes null', () => {
    const handler = (): void => {};
    expect(device.onuncapturederror).toBeNull();
    device.onuncapturederror = handler;
    expect(device.onuncapturederror).toBe(handler);
    // Dawn for Node throws.
    for (const value of [5, 'x', undefined, true]) {
      device.onuncapturederror = value as unknown as null;
      expect(device.onuncapturederror).toBeNull();
    }
    dispatch();
  });

  it('is called with the device as this, and cancels by returning false', () => {
    const selves: unknown[] = [];
    device.onuncapturederror = function (this: unknown) {
      selves.push(this);
      return false;
    } as GPUDevice['onuncapturederror'];
    const event = new GPUUncapturedErrorEvent('uncapturederror', cancelable(new GPUValidationError('')));
    expect(device.dispatchEvent(event)).toBe(false);
    expect(selves).toEqual([device]);
  });
});
