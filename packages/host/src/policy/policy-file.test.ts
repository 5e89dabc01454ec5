import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { policyCommands, policyGroups, PROTOCOL } from '@vesper-gpu/protocol/host';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policyFeatures, policyLimits, policyPaths } from './catalog.ts';
import { DEFAULT_POLICY, DEFAULTS } from './defaults.ts';
import { PolicyError } from './policy-error.ts';
import { parsePolicyFile, parsePolicyRole, readPolicyFile } from './policy-file.ts';
import type { Policy } from './policy.ts';

/** The policy of a file with one role. */
function policyOf(role: unknown, file: object = {}): Policy {
  return parsePolicyFile(JSON.stringify({ vesperPolicy: 1, ...file, roles: { one: role } }), 'test.json').get('one')!;
}

/** What is wrong with a text, one line a problem. @throws Error for anything but a PolicyError that has remedies */
function problemsOf(text: string): string[] {
  try {
    parsePolicyFile(text, 'test.json');
    return [];
  } catch (error) {
    if (!(error instanceof PolicyError) || error.code !== 'VESPER_POLICY') throw error;
    for (const { file, remedy } of error.problems) {
      if (file !== 'test.json' || !/[.?]$/.test(remedy)) throw new Error('no remedy', { cause: error });
    }
    return error.problems.map(({ path, message, remedy }) => `${path}: ${message}. ${remedy}`);
  }
}
const problemsOfRole = (role: unknown) => problemsOf(JSON.stringify({ vesperPolicy: 1, roles: { one: role } }));
const example = (name: string) => readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8');

describe('the example policies', () => {
  const policies = parsePolicyFile(example('policy.json'), 'policy.json');

  it('load', () => {
    expect([...policies.keys()]).toEqual(['llm-worker', 'display', 'build-step']);
    expect(policies.get('llm-worker')).toMatchObject({
      role: 'llm-worker',
      features: ['shader-f16', 'subgroups'],
      limits: { maxBufferSize: 2 ** 31 },
      wgsl: { maxBytes: 262_144, maxFunctions: DEFAULTS.maxFunctions, maxExpandedCalls: 4096, compileMs: 5000 },
      budget: { gpuMemory: 6 * 2 ** 30, bytesPerSec: 2 ** 30, hangMs: 10_000 },
      timestamps: 'deny',
      forceFallbackAdapter: false,
    });
    expect(policies.get('display')).toMatchObject({
      adapterInfo: 'redacted',
      features: [],
      timestamps: { quantumUs: 100 },
    });
  });

  it('inherit: keys replace, and members of where, wgsl, budget and limits merge', () => {
    const [worker, step] = [policies.get('llm-worker')!, policies.get('build-step')!];
    expect(step).toMatchObject({
      allow: worker.allow,
      where: worker.where,
      features: [],
      budget: { ...worker.budget, gpuMemory: 128 * 2 ** 20, wallMs: 30_000 },
      adapterInfo: 'deny',
      forceFallbackAdapter: true,
    });
    const { sha256, ...wgsl } = step.wgsl;
    expect(wgsl).toEqual(worker.wgsl);
    expect(sha256).toEqual([createHash('sha256').update(example('double.wgsl')).digest('hex')]);
  });

  it('know which role says what', () => {
    const { saidBy } = readPolicyFile(example('policy.json'), 'policy.json').roles.get('build-step')!;
    expect(Object.fromEntries(saidBy)).toMatchObject({
      allow: 'llm-worker',
      features: 'build-step',
      'budget.hangMs': 'llm-worker',
      'budget.gpuMemory': 'build-step',
      'where.GPUBufferDescriptor.usage': 'llm-worker',
    });
  });
});

describe('what a policy allows', () => {
  it('is nothing where it says nothing', () => {
    const policy = policyOf({});
    const core = policyCommands.filter(({ group, since }) => group === 'core' && since <= DEFAULTS.schemaRevision);
    expect(policy.allow).toEqual(core.map(({ name }) => name).toSorted());
    expect(policy).toMatchObject({
      features: [],
      limits: {},
      where: {},
      wgsl: { maxBytes: 2 ** 23, maxFunctions: 4096, maxExpandedCalls: 16_384, compileMs: 30_000 },
      budget: { hangMs: 30_000 },
      adapterInfo: 'redacted',
      timestamps: 'deny',
      forceFallbackAdapter: false,
    });
    expect(policyOf({ allow: [] })).toEqual(policy);
  });

  it.each(policyGroups)('of @%s is what the group had at its revision', (group) => {
    for (let schemaRevision = 1; schemaRevision <= PROTOCOL.schemaRevision; schemaRevision++) {
      const { allow } = policyOf({ allow: [`@${group}`] }, { schemaRevision });
      const expected = policyCommands.filter(
        (one) => ['core', 'adapter', group].includes(one.group) && one.since <= schemaRevision,
      );
      expect(allow).toEqual(expected.map(({ name }) => name).toSorted());
    }
  });

  it.each(policyCommands.map(({ name }) => name))('has %s only by its name, its interface or its group', (name) => {
    const command = policyCommands.find((one) => one.name === name)!;
    const owner = name.split('.')[0]!;
    const schemaRevision = Math.max(command.since, 1);
    expect(policyOf({ allow: [name] }, { schemaRevision: 1 }).allow).toContain(name);
    expect(policyOf({ allow: [owner] }, { schemaRevision }).allow).toContain(name);
    expect(policyOf({ allow: [`@${command.group}`] }, { schemaRevision }).allow).toContain(name);
    if (command.group === 'core' || command.group === 'adapter') return;
    const others = policyCommands.filter((one) => one.name !== name).map((one) => one.name);
    expect(policyOf({ allow: others }).allow).not.toContain(name);
  });

  it('lacks what is newer than its revision and that it does not name', () => {
    const all = policyOf({ allow: policyGroups.map((group) => `@${group}`) });
    const newer = [...policyPaths.values()].filter(
      (one) =>
        (one.kind === 'value' && one.since > DEFAULTS.schemaRevision) ||
        (one.kind === 'field' &&
          one.field.since > DEFAULTS.schemaRevision &&
          (one.command === undefined || all.allow.includes(one.command.name))),
    );
    expect(all.deny).toEqual(newer.map(({ path }) => path).toSorted());
    for (const { path } of newer) expect(policyOf({ allow: [path] }).deny).not.toContain(path);
    // The first command behind the revision at which policies came: a policy that does not know it does not give it.
    expect(all.allow).not.toContain('VesperStream.attenuate');
    const named = policyOf({ allow: ['VesperStream.attenuate'] });
    expect(named.allow).toContain('VesperStream.attenuate');
    expect(named.deny).not.toContain('VesperStream.attenuate.policy');
  });

  it('is everything for a host without a policy file', () => {
    const all = policyOf(
      {
        allow: policyGroups.map((group) => `@${group}`),
        features: policyFeatures,
        adapterInfo: 'full',
        timestamps: 'full',
      },
      { schemaRevision: PROTOCOL.schemaRevision },
    );
    expect({ ...all, role: DEFAULT_POLICY.role }).toEqual(DEFAULT_POLICY);
    expect(JSON.parse(JSON.stringify(DEFAULT_POLICY))).toEqual(DEFAULT_POLICY);
  });

  it.each(policyLimits)('names the limit %s', (name) => {
    expect(policyOf({ limits: { [name]: 256 } }).limits).toEqual({ [name]: 256 });
  });

  it('takes sizes as numbers and as text', () => {
    const sizes = [
      ['64KiB', 65_536],
      ['1.5MiB', 1_572_864],
      ['2GiB', 2 ** 31],
      ['1TiB', 2 ** 40],
      [12, 12],
    ] as const;
    for (const [text, bytes] of sizes) {
      const where = { 'GPUBufferDescriptor.size': { max: text }, 'GPUQueue.writeBuffer.data': { lengthMax: text } };
      expect(policyOf({ budget: { bytes: text }, limits: { maxBufferSize: text }, where })).toMatchObject({
        budget: { bytes },
        limits: { maxBufferSize: bytes },
        where: { 'GPUBufferDescriptor.size': { max: bytes }, 'GPUQueue.writeBuffer.data': { lengthMax: bytes } },
      });
    }
    expect(policyOf({ timestamps: 'quantised' }).timestamps).toEqual({ quantumUs: 100 });
  });

  it('can be asked for role by role', () => {
    expect(parsePolicyRole('{"allow":["VesperStream"],"budget":{"objects":5}}', 'child')).toMatchObject({
      role: 'child',
      allow: expect.arrayContaining(['GPU.requestAdapter', 'VesperStream.attenuate']),
      budget: { objects: 5 },
    });
    expect(() => parsePolicyRole('{"extends":"x"}', 'child')).toThrow(/^child: extends: a role by itself/);
  });
});

describe('a policy file that is wrong', () => {
  it.each([
    ['', /no JSON at line 1, column 1/],
    ['{"vesperPolicy": 1,\n "roles": {},}', /no JSON at line 2, column 14: a key/],
    ['{"vesperPolicy": 1, "roles": {"a": {}}} x', /more text follows/],
    ['['.repeat(100), /more than 16/],
    ['[]', /^: an array is not an object/],
    ['{"roles": {"a": {}}}', /^: vesperPolicy is missing/],
    ['{"vesperPolicy": 2, "roles": {"a": {}}}', /^vesperPolicy: 2 is no version/],
    ['{"vesperPolicy": 1}', /^: roles is missing/],
    ['{"vesperPolicy": 1, "roles": {}}', /^roles: there is no role/],
    [
      '{"vesperPolicy": 1, "rolls": {"a": {}}, "roles": {"a": {}}}',
      /^rolls: there is no such key. Did you mean "roles"\?/,
    ],
    ['{"vesperPolicy": 1, "roles": {"a b": {}}}', /^roles\."a b": this is no name/],
    ['{"vesperPolicy": 1, "roles": {"__proto__": {}}}', /^roles\.__proto__: this is no name/],
    [
      `{"vesperPolicy": 1, "schemaRevision": ${PROTOCOL.schemaRevision + 1}, "roles": {"a": {}}}`,
      /^schemaRevision: .* newer/,
    ],
    ['{"vesperPolicy": 1, "roles": {"a": {"allow": [], "allow": []}}}', /^roles\.a\.allow: the key is there twice/],
    ['{"vesperPolicy": 1, "roles": {"abc": {"extends": "abd"}, "abe": {}}}', /no role "abd"/],
    ['{"vesperPolicy": 1, "roles": {"a": {"extends": "a"}}}', /^roles\.a\.extends: the roles extend each other/],
  ])('%j is refused', (text, message) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    [{ alow: [] }, 'roles.one.alow: there is no such key. Did you mean "allow"?'],
    [{ allow: '@compute' }, 'roles.one.allow: "@compute" is not an array'],
    [{ allow: ['@compote'] }, 'Did you mean "@compute"?'],
    [{ allow: ['GPUDevice.createBufer'] }, 'roles.one.allow[0]: "GPUDevice.createBufer" is nothing'],
    [{ features: ['shader-f61'] }, 'roles.one.features[0]: "shader-f61" is not known here. Did you mean "shader-f16"?'],
    [
      { limits: { maxBufferSise: 1 } },
      'roles.one.limits.maxBufferSise: there is no such limit. Did you mean "maxBufferSize"?',
    ],
    [{ limits: { maxBufferSize: '2GB' } }, 'roles.one.limits.maxBufferSize: "2GB" is not'],
    [{ limits: { minUniformBufferOffsetAlignment: 3 } }, 'no power of two'],
    [{ wgsl: { sha256: ['…'] } }, 'roles.one.wgsl.sha256[0]: "…" is no SHA-256'],
    [{ budget: { objects: '5KiB' } }, 'without a unit'],
    [{ budget: { hangMs: 0 } }, 'out of range'],
    [{ budget: { gpuMemory: -1 } }, 'out of range'],
    [{ budget: { wallMs: 2 ** 31 } }, 'out of range'],
    [{ adapterInfo: 'none' }, 'roles.one.adapterInfo: "none" is not known here'],
    [{ timestamps: 'quantized' }, 'Did you mean "quantised"?'],
    [{ timestamps: {} }, 'quantumUs is missing'],
    [{ forceFallbackAdapter: 1 }, 'not true or false'],
    [{ where: { 'GPUBufferDescriptor.sise': {} } }, 'Did you mean "GPUBufferDescriptor.size"?'],
    [{ where: { GPUDevice: {} } }, 'no value to constrain'],
    [
      { where: { 'GPUBufferDescriptor.usage': { noneOf: ['VERTX'] } } },
      'roles.one.where."GPUBufferDescriptor.usage".noneOf[0]: "VERTX"',
    ],
    [{ where: { 'GPUBufferDescriptor.usage': { oneOf: ['VERTEX'] } } }, 'flags are sets'],
    [{ where: { 'GPUBufferDescriptor.usage': { min: 1 } } }, 'it is no number'],
    [{ where: { 'GPUTextureDescriptor.format': { min: 1 } } }, 'it takes oneOf, noneOf, absent'],
    [{ where: { 'GPUTextureDescriptor.format': { oneOf: ['rgba8'] } } }, '"rgba8" is not known here'],
    [{ where: { 'GPUTextureDescriptor.format': { within: ['x'] } } }, 'it is no flags'],
    [{ where: { 'GPUQueue.submit.commandBuffers': { productMax: 1 } } }, 'no numbers to multiply'],
    [{ where: { 'GPUDevice.destroy': { productMax: 1 } } }, 'takes no constraint'],
    [{ where: { 'GPUBufferDescriptor.size': { lengthMax: 1 } } }, 'it has no length'],
    [{ where: { 'GPUBufferDescriptor.size': { min: 2, max: 1 } } }, 'min 2 is above max 1'],
    [{ where: { 'GPUBufferDescriptor.size': { absent: false } } }, 'false is not true'],
  ])('%j is refused', (role, message) => {
    expect(problemsOfRole(role)).toEqual([expect.stringContaining(message)]);
  });

  it('is told all that is wrong at once', () => {
    const role = { alow: [], allow: ['@x', 7], limits: { a: 1 }, where: { b: {} }, adapterInfo: 3 };
    expect(problemsOfRole(role)).toHaveLength(6);
  });

  it('is told no more than can be read', () => {
    const problems = problemsOfRole({ allow: Array.from({ length: 5000 }, (_, i) => `GPUDevice.createBufer${i}`) });
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toBe(': there are 4900 more problems. Solve these first.');
  });

  it('never throws anything else', () => {
    const valid = example('policy.json');
    const mutated = fc
      .array(
        fc.tuple(
          fc.nat(valid.length),
          fc.nat(20),
          fc.constantFrom('', '"', '{', '}', '[', ']', ',', '1', '-', 'null', '\\'),
        ),
      )
      .map((edits) =>
        edits.reduce((text, [at, length, by]) => text.slice(0, at) + by + text.slice(at + length), valid),
      );
    fc.assert(
      fc.property(fc.oneof(mutated, fc.json(), fc.string()), (text) => {
        expect(Array.isArray(problemsOf(text))).toBe(true);
      }),
    );
  });

  it('is read as JSON.parse() reads it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        const file = `{"vesperPolicy":1,"roles":{"a":{}},"x":${text}}`;
        expect(problemsOf(file).filter((one) => one.includes('no JSON'))).toEqual([]);
      }),
    );
  });
});
