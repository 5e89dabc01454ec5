import { policyCommands, policyGroups } from '@vesper-gpu/protocol/host';
import {
  doubtsOf,
  type Budget,
  type Constraint,
  type Policy,
  type PolicyRole,
  type WgslLimits,
} from '@vesper-gpu/host';

/** A role in some lines for people: what it may do, what not, and what it may spend. */
export function roleText({ policy }: PolicyRole): string {
  const { limits, where } = policy;
  const rows: [string, string][] = [
    ...groupRows(policy),
    ['features', policy.features.join(', ') || 'none'],
    ...Object.entries(limits).map(([name, value]): [string, string] => {
      const isBytes = name.endsWith('Size') && !name.includes('Workgroup');
      return [
        'limit',
        `${name} ${name.startsWith('min') ? 'at least' : 'at most'} ${isBytes ? bytesText(value) : value}`,
      ];
    }),
    ...Object.entries(where).map(([path, one]): [string, string] => ['where', `${path}: ${constraintText(one)}`]),
    ['shaders', shaderText(policy.wgsl)],
    ['budget', budgetText(policy.budget)],
    ['adapter', `${policy.adapterInfo}${policy.forceFallbackAdapter ? ', a fallback adapter only' : ''}`],
    [
      'timestamps',
      typeof policy.timestamps === 'object' ? `rounded to ${policy.timestamps.quantumUs} µs` : policy.timestamps,
    ],
    ...doubtsOf(policy).map((doubt): [string, string] => ['doubtful', doubt]),
  ];
  return [policy.role, ...rows.map(([key, text]) => `  ${key.padEnd(12)}${text}`)].join('\n');
}

/** The groups that are allowed, allowed in part, and not. */
function groupRows({ allow, deny }: Policy): [string, string][] {
  const allowed = new Set(allow);
  const groups = policyGroups.map((group) => {
    const names = policyCommands.filter((one) => one.group === group).map((one) => one.name);
    return { group, names, given: names.filter((name) => allowed.has(name)) };
  });
  const whole = groups.filter(({ names, given }) => names.length > 0 && given.length === names.length);
  const rows: [string, string][] = [['may', whole.map(({ group }) => `@${group}`).join(' ') || 'nothing as a whole']];
  for (const { group, names, given } of groups) {
    if (given.length === 0 || given.length === names.length) continue;
    const isShort = given.length <= names.length / 2;
    const list = isShort ? `only ${given.join(', ')}` : `not ${names.filter((name) => !allowed.has(name)).join(', ')}`;
    rows.push(['', `@${group}: ${list}`]);
  }
  const none = groups.filter(({ names, given }) => names.length > 0 && given.length === 0);
  if (none.length > 0) rows.push(['may not', none.map(({ group }) => `@${group}`).join(' ')]);
  if (deny.length > 0) rows.push(['too new', deny.join(', ')]);
  return rows;
}

/** A constraint in words. */
export function constraintText(constraint: Constraint): string {
  const { min, max, oneOf, noneOf, within, productMax, lengthMax, absent } = constraint;
  const parts: string[] = [];
  if (min !== undefined) parts.push(`at least ${min}`);
  if (max !== undefined) parts.push(`at most ${max}`);
  if (oneOf !== undefined) parts.push(`one of ${oneOf.join(', ') || 'nothing'}`);
  if (noneOf !== undefined) parts.push(`none of ${noneOf.join(', ')}`);
  if (within !== undefined) parts.push(`only ${within.join(', ') || 'nothing'}`);
  if (productMax !== undefined) parts.push(`product at most ${productMax}`);
  if (lengthMax !== undefined) parts.push(`length at most ${lengthMax}`);
  if (absent) parts.push('has to be left out');
  return parts.join('; ') || 'anything';
}

function shaderText(wgsl: WgslLimits): string {
  const { maxBytes, maxFunctions, maxExpandedCalls, compileMs, sha256 } = wgsl;
  const parts: string[] = [];
  if (sha256 !== undefined) parts.push(sha256.length === 1 ? 'one module only' : `${sha256.length} modules only`);
  if (maxBytes !== undefined) parts.push(bytesText(maxBytes));
  if (maxFunctions !== undefined) parts.push(`${maxFunctions} functions`);
  if (maxExpandedCalls !== undefined) parts.push(`${maxExpandedCalls} expanded calls`);
  if (compileMs !== undefined) parts.push(`${compileMs} ms to compile`);
  return parts.join(', ');
}

/** How each part of a budget is said. */
const BUDGET_TEXT: { [K in keyof Budget]-?: (value: number) => string } = {
  gpuMemory: (value) => `${bytesText(value)} of GPU memory`,
  processMemory: (value) => `${bytesText(value)} of process memory`,
  objects: (value) => `${value} objects`,
  inflightSubmits: (value) => `${value} submits in flight`,
  gpuMsPerSec: (value) => `${value} ms of GPU time each second`,
  gpuMsTotal: (value) => `${value} ms of GPU time in all`,
  hangMs: (value) => `${value} ms without progress`,
  bytesPerSec: (value) => `${bytesText(value)} each second`,
  commandsPerSec: (value) => `${value} commands each second`,
  bytes: (value) => `${bytesText(value)} in all`,
  commands: (value) => `${value} commands in all`,
  wallMs: (value) => `${value} ms from begin to end`,
};

function budgetText(budget: Budget): string {
  const names = Object.keys(BUDGET_TEXT) as (keyof Budget)[];
  return names.flatMap((name) => (budget[name] === undefined ? [] : [BUDGET_TEXT[name](budget[name])])).join(', ');
}

/** Bytes in the largest unit that leaves them whole, or nearly. */
function bytesText(bytes: number): string {
  const units = ['GiB', 'MiB', 'KiB'];
  for (const [i, unit] of units.entries()) {
    const size = 2 ** (10 * (units.length - i));
    if (bytes >= size) return `${Number((bytes / size).toFixed(2))} ${unit}`;
  }
  return `${bytes} bytes`;
}
