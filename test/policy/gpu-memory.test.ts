import { DEFAULT_POLICY } from '@vesper-gpu/host';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Guard } from '../../packages/host/src/policy/guard.ts';
import { GPUMemory } from '../../packages/host/src/policy/gpu-memory.ts';
import type { Handlers } from '@vesper-gpu/protocol/host';

/** Handlers of which each makes an object of its own, as a backend does. */
function fakeHandlers(): Handlers {
  const make = (): object => ({});
  const calls = (...names: string[]): Record<string, () => object> =>
    Object.fromEntries(names.map((name) => [name, make]));
  return {
    adapter: { requestDevice: async () => ({}) },
    device: calls(
      'createBuffer',
      'createTexture',
      'createQuerySet',
      'createBindGroup',
      'createCommandEncoder',
      'createRenderBundleEncoder',
    ),
    texture: calls('createView', 'destroy'),
    buffer: calls('destroy'),
    querySet: calls('destroy'),
    commandEncoder: calls('finish'),
    renderBundleEncoder: calls('finish'),
    queue: calls('submit'),
  } as unknown as Handlers;
}

/** A session's memory and the calls that change it. */
class Session {
  readonly device = {};
  readonly memory: GPUMemory;
  readonly #handlers = fakeHandlers() as unknown as Record<string, Record<string, (...args: unknown[]) => object>>;

  constructor(limitBytes = Infinity) {
    this.memory = new GPUMemory(new Guard(this.#handlers as unknown as Handlers, () => {}), limitBytes);
  }

  get used(): number {
    return this.memory.ledger.usedBytes;
  }

  buffer(size: number): object {
    return this.#handlers['device']!['createBuffer']!(this.device, { size, usage: 0 });
  }

  texture(): object {
    return this.#handlers['device']!['createTexture']!(this.device, { size: [1, 1, 1], format: 'r32uint', usage: 0 });
  }

  view(texture: object): object {
    return this.#handlers['texture']!['createView']!(texture, {});
  }

  bindGroup(...resources: object[]): object {
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    return this.#handlers['device']!['createBindGroup']!(this.device, { layout: {}, entries });
  }

  encoder(): object {
    return this.#handlers['device']!['createCommandEncoder']!(this.device, {});
  }

  finish(encoder: object): object {
    return this.#handlers['commandEncoder']!['finish']!(encoder, {});
  }

  bundle(): object {
    const encoder = this.#handlers['device']!['createRenderBundleEncoder']!(this.device, {});
    const bundle = this.#handlers['renderBundleEncoder']!['finish']!(encoder, {});
    this.release(encoder);
    return bundle;
  }

  submit(...commandBuffers: object[]): void {
    this.#handlers['queue']!['submit']!({}, commandBuffers);
  }

  destroy(buffer: object): void {
    this.#handlers['buffer']!['destroy']!(buffer);
  }

  release(...objects: object[]): void {
    for (const object of objects) this.memory.released(object);
  }
}

describe('memory that is released', () => {
  it('stays charged while a view, or a bind group of it, lives', () => {
    const session = new Session();
    const texture = session.texture();
    const view = session.view(texture);
    const bindGroup = session.bindGroup(view, { buffer: session.buffer(100) });
    expect(session.used).toBe(104);
    session.release(texture, view);
    expect(session.used).toBe(104);
    session.release(bindGroup);
    expect(session.used, 'the buffer was never released').toBe(100);
  });

  it('stays charged while an encoder of that time may use it', () => {
    const session = new Session();
    const buffer = session.buffer(64);
    const encoder = session.encoder();
    session.release(buffer);
    expect(session.used).toBe(64);
    const commandBuffer = session.finish(encoder);
    const later = session.encoder();
    session.release(encoder);
    expect(session.used).toBe(64);
    session.submit(commandBuffer);
    expect(session.used, 'what began later cannot know it').toBe(0);
    session.release(later, commandBuffer);
    expect(session.used).toBe(0);
  });

  it('stays charged while a render bundle lives that was finished later, and for no other', () => {
    const session = new Session();
    const before = session.buffer(64);
    const bundle = session.bundle();
    const behind = session.buffer(100);
    session.release(before, behind);
    expect(session.used).toBe(64);
    session.release(bundle);
    expect(session.used).toBe(0);
  });

  it('is free at once when it is destroyed, whoever knows it', () => {
    const session = new Session();
    const buffer = session.buffer(64);
    session.bindGroup(buffer);
    session.encoder();
    session.destroy(buffer);
    expect(session.used).toBe(0);
    session.release(buffer);
    expect(session.used).toBe(0);
  });

  it('goes with its device', () => {
    const session = new Session();
    const buffer = session.buffer(64);
    session.bindGroup(buffer);
    session.encoder();
    session.release(buffer);
    expect(session.used).toBe(64);
    session.memory.deviceGone(session.device);
    expect(session.used).toBe(0);
  });

  it('is all free once everything is released, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 60 }), (choices) => {
        const session = new Session();
        const live: object[] = [];
        let bytes = 0;
        const pick = (choice: number): object => live[choice % live.length]!;
        for (const choice of choices) {
          const kind = choice % 8;
          if (kind === 0) live.push(session.buffer(4));
          else if (kind === 1) live.push(session.texture());
          else if (kind === 2 && live.length > 0) live.push(session.view(pick(choice >> 3)));
          else if (kind === 3 && live.length > 0) live.push(session.bindGroup(pick(choice >> 3), pick(choice >> 5)));
          else if (kind === 4) live.push(session.encoder());
          else if (kind === 5 && live.length > 0) live.push(session.finish(pick(choice >> 3)));
          else if (kind === 6 && live.length > 0) session.release(...live.splice((choice >> 3) % live.length, 1));
          else if (kind === 7) live.push(session.bundle());
          bytes += kind < 2 ? 4 : 0;
          expect(session.used).toBeLessThanOrEqual(bytes);
        }
        session.release(...live);
        expect(session.used).toBe(0);
      }),
    );
  });
});

it('what a policy without limit allows has an account all the same', () => {
  expect(DEFAULT_POLICY.budget.gpuMemory).toBeUndefined();
  const session = new Session();
  session.buffer(1 << 30);
  expect(session.used).toBe(1 << 30);
});
