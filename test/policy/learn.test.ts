/// <reference types="@webgpu/types" />
import { createHash } from 'node:crypto';
import {
  DEFAULT_POLICY,
  isWithin,
  Learner,
  mergeLearned,
  NOTHING_LEARNED,
  parsePolicyFile,
  policyOf,
  readLearned,
  type AuditEntry,
  type Learned,
  type LearnedPolicyOptions,
  type Policy,
  type ServeOptions,
} from '@vesper-gpu/host';
import {
  policyCommands,
  policyDictionaries,
  policyEnums,
  policyFlags,
  policyLimits,
  type PolicyField,
} from '@vesper-gpu/protocol/host';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Guard } from '../../packages/host/src/policy/guard.ts';
import { MAX_HASHES } from '../../packages/host/src/policy/learned.ts';
import { Arena, settle } from '../hostile/arena.ts';
import { baseline, selectFor, VARIANTS } from '../hostile/baselines.ts';
import { NullGpu } from '../hostile/null-gpu.ts';
import { connected } from '../session/pair.ts';
import { commands } from '../wire/schema.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function parsed(text: string): Policy {
  return [...parsePolicyFile(text, 'learned').values()][0]!;
}

/** What a program does with its device. */
type Program = (device: GPUDevice) => Promise<void> | void;

/** Runs a program to its end, on a null backend. @returns what was refused */
async function runs(program: Program, options: Partial<ServeOptions> = {}): Promise<AuditEntry[]> {
  const audit: AuditEntry[] = [];
  const { device, connection } = await connected({
    sha256,
    audit: (entry) => void audit.push(entry),
    ...options,
  });
  device.addEventListener('uncapturederror', (event) => event.preventDefault());
  await program(device);
  // Answered behind all that came before.
  device.pushErrorScope('internal');
  await device.popErrorScope();
  connection.close();
  return audit;
}

async function learn(program: Program, options: Partial<ServeOptions> = {}): Promise<Learned> {
  const learner = new Learner();
  await runs(program, { learn: learner, ...options });
  return learner.learned();
}

/** The audit of a program under what was learned, with a change. */
async function under(
  learned: Learned,
  program: Program,
  change: (policy: Policy) => Policy = (policy) => policy,
  options: LearnedPolicyOptions = {},
): Promise<AuditEntry[]> {
  return runs(program, { policy: change(parsed(policyOf(learned, options))) });
}

const CODE = '@compute @workgroup_size(1) fn main() { helper(); }\nfn helper() {}';

const compute: Program = (device) => {
  const module = device.createShaderModule({ code: CODE });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.dispatchWorkgroups(4, 2);
  pass.dispatchWorkgroups(5);
  pass.end();
  device.queue.submit([encoder.finish()]);
};

describe('a Learner', () => {
  it('says what a session used', async () => {
    const learned = await learn((device) => {
      compute(device);
      device.createBuffer({ size: 1 << 20, usage: 8 }).destroy();
      device.createBuffer({ size: 1 << 20, usage: 64 });
      device.createTexture({ size: [4, 4], format: 'r8unorm', usage: 4 });
    });
    expect(learned).toMatchObject({
      flags: { 'GPUBufferDescriptor.usage': 72, 'GPUTextureDescriptor.usage': 4 },
      enums: { 'GPUTextureDescriptor.format': ['r8unorm'], 'GPUTextureDescriptor.dimension': ['2d'] },
      features: [],
      limits: {},
      maxWorkgroups: 8,
      shaders: {
        modules: 1,
        maxBytes: CODE.length,
        maxFunctions: 2,
        maxExpandedCalls: 1,
        sha256: [sha256(Buffer.from(CODE))],
      },
      refusals: 0,
    });
    expect(learned.commands).toContain('GPUBuffer.destroy');
    expect(learned.commands).not.toContain('GPUTexture.destroy');
    // The device is charged with 4 MiB, and there was one buffer at a time.
    expect(learned.peakMemoryBytes).toBeGreaterThanOrEqual(5 << 20);
    expect(learned.peakMemoryBytes).toBeLessThan(6 << 20);
    expect(learned.peakObjects).toBeGreaterThan(6);
    expect(learned.totalCommands).toBeGreaterThan(10);
    expect(learned.totalBytes).toBeGreaterThan(100);
  });

  it('knows of devices that were made, not of those that could not be', async () => {
    const learner = new Learner();
    const backend = new NullGpu();
    backend.limits = { maxBufferSize: 2 ** 31, maxBindGroups: 8, minUniformBufferOffsetAlignment: 32 };
    const { connection } = await connected({ learn: learner }, backend);
    const request = async (requiredLimits: Record<string, number>, features: GPUFeatureName[] = []): Promise<void> => {
      const adapter = await connection.gpu.requestAdapter();
      await adapter!.requestDevice({ requiredLimits, requiredFeatures: features });
    };
    await request({ maxBufferSize: 2 ** 30, minUniformBufferOffsetAlignment: 64, maxBindGroups: 2 });
    await request({ maxBufferSize: 2 ** 29, minUniformBufferOffsetAlignment: 32 }, ['timestamp-query']);
    backend.fail = (name) => {
      if (name === 'requestDevice') throw new Error('there is no such device');
    };
    await expect(request({ maxBufferSize: 2 ** 31, maxBindGroups: 8 })).rejects.toThrow('no such device');
    const learned = learner.learned();
    expect(learned.features).toEqual(['timestamp-query']);
    expect(learned.limits).toEqual({
      maxBindGroups: 2,
      maxBufferSize: 2 ** 30,
      minUniformBufferOffsetAlignment: 32,
    });
    // What every adapter has goes without saying.
    const { features, limits, timestamps } = parsed(policyOf(learned));
    expect({ features, limits, timestamps }).toEqual({
      features: ['timestamp-query'],
      limits: { maxBufferSize: 2 ** 30, minUniformBufferOffsetAlignment: 32 },
      timestamps: { quantumUs: 100 },
    });
    connection.close();
  });

  it('counts what was refused', async () => {
    const wgsl = { ...DEFAULT_POLICY.wgsl, maxBytes: 10 };
    const learned = await learn(compute, { policy: { ...DEFAULT_POLICY, wgsl } });
    expect(learned.refusals).toBe(1);
    expect(learned.shaders.modules).toBe(0);
  });

  it('is for one session', async () => {
    const learner = new Learner();
    await runs(compute, { learn: learner });
    await expect(runs(compute, { learn: learner })).rejects.toThrow('one session');
  });
});

/** Parts of programs: together they use most of WebGPU, each some of it. */
const STEPS: readonly Program[] = [
  compute,
  (device) => device.createBuffer({ size: 16, usage: 8 }).destroy(),
  (device) => device.queue.writeBuffer(device.createBuffer({ size: 16, usage: 8 | 64 }), 0, new Uint8Array(16)),
  async (device) => {
    const buffer = device.createBuffer({ size: 16, usage: 1 | 8 });
    await buffer.mapAsync(1);
    buffer.unmap();
  },
  (device) => device.createTexture({ size: [4], format: 'r8unorm', dimension: '1d', usage: 4 }).destroy(),
  (device) => device.queue.onSubmittedWorkDone().then(() => {}),
  (device) => void device.createSampler({ magFilter: 'linear', addressModeW: 'repeat' }),
  (device) => {
    const layout = device.createBindGroupLayout({
      entries: [{ binding: 0, visibility: 4, buffer: { type: 'read-only-storage' } }],
    });
    device.createPipelineLayout({ bindGroupLayouts: [layout] });
    const buffer = device.createBuffer({ size: 64, usage: 128 });
    device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
  },
  (device) => {
    const view = device.createTexture({ size: [4, 4], format: 'rgba8unorm', usage: 16 }).createView();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginRenderPass({ colorAttachments: [null, { view, loadOp: 'clear', storeOp: 'store' }] });
    pass.setViewport(0, 0, 4, 4, 0, 1);
    pass.setScissorRect(0, 0, 4, 4);
    pass.draw(3);
    pass.end();
    encoder.finish();
  },
  (device) => {
    const encoder = device.createRenderBundleEncoder({ colorFormats: ['rgba8unorm', null, 'r8unorm'] });
    encoder.setIndexBuffer(device.createBuffer({ size: 16, usage: 16 }), 'uint16');
    encoder.drawIndexed(3);
    encoder.finish();
  },
  (device) => {
    const module = device.createShaderModule({ code: `${CODE} // another` });
    device.createRenderPipeline({
      layout: 'auto',
      vertex: {
        module,
        buffers: [{ arrayStride: 8, attributes: [{ shaderLocation: 0, offset: 0, format: 'float32x2' }] }],
      },
      fragment: { module, targets: [{ format: 'rgba8unorm', writeMask: 3 }] },
    });
  },
  (device) => {
    const encoder = device.createCommandEncoder();
    encoder.pushDebugGroup('a');
    encoder.insertDebugMarker('b');
    encoder.popDebugGroup();
    encoder.label = 'c';
    encoder.finish();
  },
  async (device) => void (await device.createShaderModule({ code: 'fn a() {}' }).getCompilationInfo()),
  (device) => {
    const querySet = device.createQuerySet({ type: 'occlusion', count: 2 });
    device.createCommandEncoder().resolveQuerySet(querySet, 0, 2, device.createBuffer({ size: 512, usage: 512 }), 0);
    querySet.destroy();
  },
];

/** Programs that are some of the steps, in some order; two, so that less than all that they need is not nothing. */
const programs = fc.shuffledSubarray([...STEPS], { minLength: 2, maxLength: 5 }).map((steps): Program => {
  return async (device) => {
    for (const step of steps) await step(device);
  };
});

/** Objects that are not to be collected. */
const kept: object[] = [];

describe('a policy that was learned', () => {
  it('allows the program, and less than that not: whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        const learned = await learn(program);
        expect(learned.refusals).toBe(0);
        for (const shaders of ['hashes', 'limits'] as const)
          expect(await under(learned, program, undefined, { shaders })).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it('has no entry to spare', async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        const learned = await learn(program);
        const { roles } = JSON.parse(policyOf(learned)) as { roles: { learned: { allow: string[] } } };
        const { allow } = roles.learned;
        expect(allow.length).toBeGreaterThan(0);
        for (const entry of allow) {
          const role = { ...roles.learned, allow: allow.filter((one) => one !== entry) };
          const text = JSON.stringify({ vesperPolicy: 1, schemaRevision: 3, roles: { learned: role } });
          // Where a call is refused, what comes of it can end the program.
          const attempt: Program = async (device) => void (await Promise.allSettled([program(device)]));
          const audit = await runs(attempt, { policy: parsed(text) });
          expect(
            audit.map(({ rule }) => rule),
            `without ${entry}`,
          ).toContain('allow');
        }
      }),
      { numRuns: 15 },
    );
  });

  it('names a group where the whole of it was used', async () => {
    const core = policyCommands.filter(({ group }) => group === 'core').map(({ name }) => name);
    const debug = policyCommands.filter(({ group }) => group === 'debug').map(({ name }) => name);
    const of = (used: string[]): string[] => {
      const text = policyOf({ ...NOTHING_LEARNED, commands: used.toSorted() });
      return (JSON.parse(text) as { roles: { learned: { allow: string[] } } }).roles.learned.allow;
    };
    expect(of([...core, 'GPUQueue.submit', ...debug])).toEqual(['@debug', 'GPUQueue.submit']);
    expect(of(debug.slice(1))).toEqual(debug.slice(1).toSorted());
    expect(of([...core, 'GPU.requestAdapter', 'GPUAdapter.requestDevice'])).toEqual(['GPU.requestAdapter']);
    expect(of(core)).toEqual([]);
  });

  it.each([
    ['a larger dispatch', 'where.productMax', dispatch(9)],
    ['a flag', 'where.within', (device: GPUDevice) => void device.createBuffer({ size: 4, usage: 256 })],
    [
      'a value',
      'where.oneOf',
      (device: GPUDevice) => void device.createTexture({ size: [1], format: 'r8unorm', usage: 4 }),
    ],
    ['a command', 'allow', (device: GPUDevice) => void device.createSampler()],
    ['a shader', 'wgsl.sha256', (device: GPUDevice) => void device.createShaderModule({ code: 'fn main() {}' })],
    ['memory', 'budget.gpuMemory', (device: GPUDevice) => void device.createBuffer({ size: 1 << 28, usage: 64 })],
    [
      'objects',
      'budget.objects',
      (device: GPUDevice) => {
        for (let i = 0; i < 40; i++) kept.push(device.createBuffer({ size: 4, usage: 64 }));
      },
    ],
  ] as [string, string, Program][])('refuses %s more', async (_, rule, more) => {
    const program: Program = (device) => {
      compute(device);
      device.createBuffer({ size: 4, usage: 64 });
      device.createTexture({ size: [1], format: 'rgba8unorm', usage: 4 });
    };
    const learned = await learn(program);
    expect(await under(learned, program)).toEqual([]);
    const audit = await under(learned, async (device) => {
      await program(device);
      await more(device);
    });
    expect(new Set(audit.map((entry) => entry.rule))).toEqual(new Set([rule]));
  });

  it('may allow other shaders that cost no more', async () => {
    const learned = await learn(compute);
    const create =
      (code: string): Program =>
      (device) =>
        void device.createShaderModule({ code });
    const rules = async (code: string): Promise<string[]> =>
      (await under(learned, create(code), undefined, { shaders: 'limits' })).map(({ rule }) => rule);
    expect(await rules('fn other() {}')).toEqual([]);
    expect(await rules('fn a() {} fn b() {} fn c() {}')).toEqual(['wgsl.maxFunctions']);
    expect(await rules('fn a() {} fn b() { a(); a(); }')).toEqual(['wgsl.maxExpandedCalls']);
    expect(await rules(`/*${' '.repeat(200)}*/`)).toEqual(['wgsl.maxBytes']);
  });

  it('limits the cost of shaders where it cannot list them', async () => {
    const many = await learn((device) => {
      for (let i = 0; i <= MAX_HASHES; i++) device.createShaderModule({ code: `// ${i}` });
    });
    expect(many.shaders).toEqual({ modules: MAX_HASHES + 1, maxBytes: 7, maxFunctions: 0, maxExpandedCalls: 0 });
    expect(parsed(policyOf(many)).wgsl).toMatchObject({ maxBytes: 8, maxFunctions: 0, maxExpandedCalls: 0 });
    const learner = new Learner();
    const { device, connection } = await connected({ learn: learner });
    await compute(device);
    await device.queue.onSubmittedWorkDone();
    connection.close();
    expect(learner.learned().shaders.sha256, 'without a function that makes them').toBeUndefined();
  });

  it('says nothing of bits that have no name', () => {
    const { where } = parsed(policyOf({ ...NOTHING_LEARNED, flags: { 'GPUBufferDescriptor.usage': 0x8001 } }));
    expect(where).toEqual({});
  });

  it('has a role whose name can be one', () => {
    expect(parsed(policyOf(NOTHING_LEARNED, { role: 'worker-1' })).role).toBe('worker-1');
    expect(() => policyOf(NOTHING_LEARNED, { role: 'no name' })).toThrow('this is no name for a role');
  });

  it('is readable', async () => {
    const text = policyOf(await learn(compute));
    expect(text.split('\n').filter((line) => line.length > 110)).toEqual([]);
    expect(text).toContain('"GPUComputePassEncoder.dispatchWorkgroups": { "productMax": 8 }');
    expect(text).toContain('"budget": { "gpuMemory": "8MiB", "objects": 16 }');
    expect(text.endsWith('}\n')).toBe(true);
  });
});

function dispatch(count: number): Program {
  return (device) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.dispatchWorkgroups(count);
    pass.end();
  };
}

/** Sends a record of a command that has all there is. @returns what a Learner saw, and what was refused */
async function send(name: string, variant: number, policy?: Policy): Promise<{ learned: Learned; refused: string[] }> {
  const arena = await Arena.open();
  const command = commands.find((one) => one.name === name)!;
  selectFor(command, arena, variant);
  const refused: string[] = [];
  const guard = new Guard(arena.handlers, ({ path, rule }) => refused.push(`${rule} ${path}`));
  const learner = new Learner();
  const count = (): number => 1;
  const session = { objectCount: count, commandCount: count, receivedBytes: count, peakMemoryBytes: count };
  learner.follow(guard, session, sha256);
  if (policy !== undefined) guard.enforce(policy);
  expect(arena.send(baseline(command, arena, variant).record()).refusal).toBeUndefined();
  await settle();
  return { learned: learner.learned(), refused };
}

describe.each(policyCommands.map(({ name }) => [name]))('%s', (name) => {
  it('is learned with all that is in it', async () => {
    for (let variant = 0; variant < VARIANTS; variant++) {
      const { learned } = await send(name, variant);
      expect(learned.commands).toEqual([name]);
      expect((await send(name, variant, parsed(policyOf(learned)))).refused).toEqual([]);
    }
  });
});

/** Fields and arguments of a kind, with the name of their type. */
function fieldsOf(kind: 'flags' | 'enum'): { path: string; type: string }[] {
  const all: [string, PolicyField][] = [
    ...policyCommands.flatMap(({ name, fields }) => fields.map((field): [string, PolicyField] => [name, field])),
    ...Object.entries(policyDictionaries).flatMap(([name, fields]) =>
      fields.map((field): [string, PolicyField] => [name, field]),
    ),
  ];
  return all.flatMap(([owner, { name, type }]) => {
    const leaf = type.kind === 'sequence' ? type.element : type;
    return leaf.kind === kind ? [{ path: `${owner}.${name}`, type: leaf.name }] : [];
  });
}

function someOf<T>(names: readonly T[], maxLength = 8): fc.Arbitrary<T[]> {
  return fc.subarray([...names], { maxLength: Math.min(maxLength, names.length) }).map((some) => some.toSorted());
}

/** Whatever may be learned. */
const anything: fc.Arbitrary<Learned> = fc.record({
  commands: someOf(policyCommands.map(({ name }) => name)),
  flags: fc
    .subarray(fieldsOf('flags'))
    .map((fields) => Object.fromEntries(fields.map(({ path, type }) => [path, bitsOf(type)]))),
  enums: fc
    .subarray(fieldsOf('enum'), { maxLength: 5 })
    .chain((fields) =>
      fc.record(
        Object.fromEntries(
          fields.map(({ path, type }) => [
            path,
            someOf(Object.keys(policyEnums[type]!)).filter((some) => some.length > 0),
          ]),
        ),
      ),
    ),
  features: someOf(Object.keys(policyEnums['GPUFeatureName']!)),
  limits: fc
    .subarray([...policyLimits], { maxLength: 5 })
    .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, fc.nat(20).map((n) => 2 ** n)])))),
  maxWorkgroups: fc.maxSafeNat(),
  shaders: fc
    .record({
      modules: fc.nat(1000),
      maxBytes: fc.maxSafeNat(),
      maxFunctions: fc.maxSafeNat(),
      maxExpandedCalls: fc.maxSafeNat(),
      sha256: fc
        .uniqueArray(fc.nat(9), { maxLength: 3 })
        .map((some) => some.map((n) => String(n).repeat(64)).toSorted()),
    })
    .chain((shaders) => {
      const { sha256: _, ...costs } = shaders;
      return fc.constantFrom(shaders, costs);
    }),
  peakMemoryBytes: fc.maxSafeNat(),
  peakObjects: fc.maxSafeNat(),
  totalCommands: fc.nat(),
  totalBytes: fc.nat(),
  refusals: fc.nat(9),
});

function bitsOf(type: string): number {
  return Object.values(policyFlags[type]!).reduce((all, bit, i) => (i % 2 === 0 ? all | bit : all), 0);
}

/** A record's members in some order are the same record. */
function plain(learned: Learned): unknown {
  return JSON.parse(JSON.stringify(learned));
}

describe('what was learned', () => {
  it('is the same when it has been sent', () => {
    fc.assert(
      fc.property(anything, (learned) => {
        expect(readLearned(plain(learned))).toEqual(plain(learned));
      }),
    );
  });

  it('is bounded, and makes a policy, whatever is sent', () => {
    const names = [...Object.keys(NOTHING_LEARNED), ...Object.keys(NOTHING_LEARNED.shaders), 'GPUQueue.submit'];
    const foreign = fc.anything({ key: fc.constantFrom(...names, '__proto__', 'maxBufferSize'), maxDepth: 4 });
    const mixed = fc.record(
      Object.fromEntries(Object.keys(NOTHING_LEARNED).map((name) => [name, fc.oneof(foreign, fc.array(foreign))])),
    );
    fc.assert(
      fc.property(fc.oneof(foreign, mixed), (value) => {
        const learned = readLearned(value);
        expect(JSON.stringify(learned).length).toBeLessThan(10_000);
        policyOf(learned);
        policyOf(learned, { shaders: 'limits' });
      }),
      { numRuns: 500 },
    );
  });

  it('of two sessions is of either: in any order, and within the policy of both', () => {
    fc.assert(
      fc.property(anything, anything, anything, (a, b, c) => {
        expect(mergeLearned(a, b)).toEqual(mergeLearned(b, a));
        expect(mergeLearned(mergeLearned(a, b), c)).toEqual(mergeLearned(a, mergeLearned(b, c)));
        expect(plain(mergeLearned(NOTHING_LEARNED, a))).toEqual(plain(a));
        const both = mergeLearned(a, b);
        expect(Object.keys(both.flags).toSorted()).toEqual(
          [...new Set([...Object.keys(a.flags), ...Object.keys(b.flags)])].toSorted(),
        );
        for (const one of [a, b]) {
          for (const [path, bits] of Object.entries(one.flags)) expect(both.flags[path]! & bits).toBe(bits);
          for (const [path, names] of Object.entries(one.enums))
            expect(both.enums[path]).toEqual(expect.arrayContaining([...names]));
          expect(both.commands).toEqual(expect.arrayContaining([...one.commands]));
          expect(both.peakMemoryBytes).toBeGreaterThanOrEqual(one.peakMemoryBytes);
        }
      }),
    );
  });

  it('of more is a policy that permits more', () => {
    fc.assert(
      fc.property(anything, anything, (a, b) => {
        // What only the other has used is not limited where it was not: that is the same of both here.
        const same = { ...b, flags: a.flags, enums: a.enums, limits: a.limits, shaders: a.shaders };
        const both = mergeLearned(a, { ...same, maxWorkgroups: a.maxWorkgroups });
        expect(isWithin(parsed(policyOf(a)), parsed(policyOf(both)))).toBe(true);
      }),
    );
  });
});
