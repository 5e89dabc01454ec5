import { connect, type GuestConnection } from '@vesper-gpu/guest';
import { DEFAULT_POLICY, type Policy } from '@vesper-gpu/host';
import { openTransport } from '@vesper-gpu/transport';
import { describe, expect, it } from 'vitest';
import { requireBuilt } from '../../test/command.ts';
import { afterwards, TestBroker } from '../../test/test-broker.ts';
import { Delegations, type Delegator } from './delegations.ts';

requireBuilt();

const MiB = 1 << 20;
const UNIFORM = 64;
const POLICY: Policy = { ...DEFAULT_POLICY, role: 'tenant', budget: { gpuMemory: 64 * MiB, hangMs: 20_000 } };

async function guest(test: TestBroker, capability?: string): Promise<GuestConnection> {
  const options = capability === undefined ? {} : { capability };
  const connection = await connect(await openTransport(test.broker.addresses[0]!), options);
  afterwards(() => connection.close());
  return connection;
}

async function deviceOf({ gpu }: GuestConnection): Promise<GPUDevice> {
  return (await gpu.requestAdapter())!.requestDevice();
}

/** Whether a buffer of so many bytes can be had; it is destroyed again. */
async function fits(device: GPUDevice, size: number): Promise<boolean> {
  device.pushErrorScope('out-of-memory');
  device.createBuffer({ size, usage: UNIFORM }).destroy();
  return (await device.popErrorScope()) === null;
}

/** Of the same role, to compute and no more. */
const COMPUTE = { allow: ['@compute', '@transfer'], budget: { gpuMemory: '16MiB' } };

describe('a guest', () => {
  it('gives a part of what it may do and spend to a sandbox, and gets it back', async () => {
    const test = await TestBroker.startReal('unix', { policy: POLICY });
    const parent = await guest(test);
    const parentDevice = await deviceOf(parent); // 4 MiB
    expect(await fits(parentDevice, 60 * MiB)).toBe(true);

    const child = await guest(test, await parent.attenuate(COMPUTE));
    const device = await deviceOf(child);
    expect(await fits(parentDevice, 44 * MiB)).toBe(true);
    expect(await fits(parentDevice, 45 * MiB)).toBe(false);
    expect(await fits(device, 12 * MiB)).toBe(true);
    expect(await fits(device, 13 * MiB)).toBe(false);
    await test.logged(/^guest 2 connected/);
    expect(test.log.find(({ msg }) => msg === 'guest 2 connected')).toMatchObject({ role: 'tenant/delegated' });

    device.pushErrorScope('validation');
    device.createRenderBundleEncoder({ colorFormats: ['rgba8unorm'] });
    expect((await device.popErrorScope())?.message).toMatch(/does not allow it \(allow\)/);

    // Delegated once more, it is smaller still.
    const grandchild = await guest(test, await child.attenuate({ ...COMPUTE, budget: { gpuMemory: '8MiB' } }));
    const last = await deviceOf(grandchild);
    expect(await fits(last, 4 * MiB)).toBe(true);
    expect(await fits(last, 5 * MiB)).toBe(false);

    await child.close();
    // With the one that gave it away, the capability of the last is gone.
    expect((await last.lost).message).toMatch(/the session that delegated its capability has ended/);
    await test.logged(/^guest 2 left/);
    expect(await fits(parentDevice, 60 * MiB)).toBe(true);
  });

  it('cannot give away what it does not have', async () => {
    const test = await TestBroker.startReal('unix', { policy: POLICY });
    const parent = await guest(test);
    await expect(parent.attenuate({ budget: { gpuMemory: '65MiB' } })).rejects.toMatchObject({
      name: 'OperationError',
      message: expect.stringMatching(/gpuMemory: 68157440 were asked for/),
    });
    await expect(parent.attenuate({ allow: ['@compute'] })).rejects.toThrow(/gpuMemory has to be named/);
    await expect(parent.attenuate({ alow: [] })).rejects.toThrow(/alow/);
    await expect(parent.attenuate({ allow: ['x'.repeat(1 << 20)] })).rejects.toThrow(/more than/);
  });

  it('uses a capability once, and a guessed one never', async () => {
    const test = await TestBroker.startReal('unix', { policy: POLICY });
    const parent = await guest(test);
    const token = await parent.attenuate(COMPUTE);
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    await guest(test, token);
    await expect(guest(test, token)).rejects.toThrow(/was never given, or has been used or withdrawn/);
    await expect(guest(test, '0'.repeat(64))).rejects.toThrow(/was never given/);
    const other = await parent.attenuate(COMPUTE);
    await parent.close();
    await test.logged(/^guest 1 left/);
    await expect(guest(test, other)).rejects.toThrow(/withdrawn/);
    expect(JSON.stringify(test.log)).not.toContain(token);
  });
});

describe('the account of who gave what to whom', () => {
  const nobody = (): Delegator => ({ returned: () => {}, withdraw: () => {} });

  it.each<[string, unknown]>([
    ['no policy', 'everything'],
    ['nothing', undefined],
    ['a policy that says nothing of what the session is held to', { ...DEFAULT_POLICY }],
    ['more memory', { ...POLICY, budget: { ...POLICY.budget, gpuMemory: 65 * MiB } }],
    ['less than no memory', { ...POLICY, budget: { ...POLICY.budget, gpuMemory: -1 } }],
    ['commands that the session may not use', { ...POLICY, allow: [...POLICY.allow, 'GPUDevice.other'] }],
    ['an enumeration in a list', { ...POLICY, adapterInfo: ['deny'] }],
    ['an enumeration of its own', { ...POLICY, adapterInfo: 'toString' }],
    ['a quantum in words', { ...POLICY, timestamps: { quantumUs: 'Infinity' } }],
    ['a limit that is none', { ...POLICY, limits: { maxBufferSize: {} } }],
    ['a set in words', { ...POLICY, where: { 'GPUBufferDescriptor.usage': { oneOf: 'abc' } } }],
    ['a negative time', { ...POLICY, wgsl: { compileMs: -1e9 } }],
    ['a budget of something else', { ...POLICY, budget: { ...POLICY.budget, other: 1 } }],
    ['half a command', { ...POLICY, budget: { ...POLICY.budget, commands: 0.5 } }],
    ['more than it can have to say', { ...POLICY, where: { ['x'.repeat(500_000)]: {} } }],
    ['lists of something else', { ...POLICY, allow: [{}] }],
  ])('does not trust an executor that asks for %s', (_, wanted) => {
    const delegations = new Delegations();
    const session = nobody();
    delegations.begin(session, POLICY);
    expect(() => delegations.grant(session, wanted)).toThrow(/more than the session has/);
  });

  it('never lets a session give away more than it has', () => {
    const delegations = new Delegations();
    const session = nobody();
    delegations.begin(session, POLICY);
    const wanted = { ...POLICY, budget: { ...POLICY.budget, gpuMemory: 24 * MiB } };
    const tokens = [delegations.grant(session, wanted), delegations.grant(session, wanted)];
    expect(() => delegations.grant(session, wanted)).toThrow(/more than the session has/);
    const child = nobody();
    delegations.begin(child, delegations.take(tokens[0]!)!.policy, session);
    expect(() => delegations.grant(session, wanted)).toThrow(/more than the session has/);
    delegations.end(child);
    delegations.grant(session, wanted);
  });

  it('names roles itself', () => {
    const delegations = new Delegations();
    const session = nobody();
    delegations.begin(session, POLICY);
    const wanted = { ...POLICY, role: 'R\u2028\u202e\n'.repeat(10_000), budget: { ...POLICY.budget, gpuMemory: 1 } };
    expect(delegations.take(delegations.grant(session, wanted))!.policy.role).toBe('tenant/delegated');
  });

  it('takes nothing back that can be used up', () => {
    const delegations = new Delegations();
    const session = nobody();
    const budget = { bytes: 1000, commands: 100, gpuMsTotal: 10, gpuMemory: MiB };
    delegations.begin(session, { ...POLICY, budget });
    const child = nobody();
    delegations.begin(child, delegations.take(delegations.grant(session, { ...POLICY, budget }))!.policy, session);
    delegations.end(child);
    expect(() => delegations.grant(session, { ...POLICY, budget })).toThrow(/more than the session has/);
    delegations.grant(session, { ...POLICY, budget: { bytes: 0, commands: 0, gpuMsTotal: 0, gpuMemory: MiB } });
  });

  it('bounds how much of it one session can cause', () => {
    const delegations = new Delegations();
    const session = nobody();
    delegations.begin(session, { ...POLICY, budget: {} });
    for (let i = 0; i < 64; i++) delegations.grant(session, { ...POLICY, budget: {} });
    expect(() => delegations.grant(session, { ...POLICY, budget: {} })).toThrow(/64 delegated capabilities/);
    delegations.end(session);
    expect(() => delegations.grant(session, POLICY)).toThrow(/the session is over/);
  });
});
