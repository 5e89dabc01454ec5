import { connect } from '@vesper-gpu/guest';
import { expect, it } from 'vitest';
import { NullGpu } from '../hostile/null-gpu.ts';
import { serve } from './pair.ts';

/** A backend that fails in a way that no call of the guest is to blame for. */
class BrokenGpu extends NullGpu {
  override async requestAdapter(...args: unknown[]): ReturnType<NullGpu['requestAdapter']> {
    const adapter = await super.requestAdapter(...args);
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (...descriptors) => {
      const device = await requestDevice(...descriptors);
      const lost = Promise.reject(new Error('a secret of the host'));
      Object.defineProperty(device, 'lost', { value: lost });
      return device;
    };
    return adapter;
  }
}

it('a guest learns that its host failed, and not how', async () => {
  const { guestEnd, session } = serve({}, new BrokenGpu());
  const { gpu } = await connect(guestEnd);
  const adapter = await gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  expect(await session.ended).toMatchObject({ reason: 'fault', message: 'a secret of the host' });
  const { message } = await device.lost;
  expect(message).toMatch(/the host failed; its log says why/);
  expect(message).not.toMatch(/secret/);
});
