import { GenerateError, Problems } from '../errors.ts';
import type { RemotingClass, StateEffect } from '../schema/schema.ts';

/** How one member is remoted: what Web IDL cannot say. */
export interface OverlayMember {
  class: RemotingClass;
  guest: 'generated' | 'hand';
  host: 'generated' | 'hand';
  ownership: string;
  cost: string;
  group: string;
  /** Interfaces whose ids the guest allocates, where the return type does not say it. */
  creates: string[];
  /** What it does to the state of its encoder. */
  state?: StateEffect;
  reason?: string;
}

export interface Overlay {
  file: string;
  /** Interfaces whose commands go to the current encoder. */
  encoders: string[];
  /** Interfaces with one object a connection, which needs no id. */
  singletons: string[];
  /** Interfaces whose class is written by hand in packages/guest, with the reason. */
  handWritten: Record<string, string>;
  members: Record<string, OverlayMember>;
}

const CLASSES: readonly string[] = ['command', 'create', 'bulk', 'request', 'local', 'event', 'excluded', 'runtime'];
const WAYS = ['generated', 'hand'];
const OWNERSHIPS = ['none', 'uses', 'creates', 'consumes'];
const COSTS = ['constant', 'bytes', 'objects', 'memory', 'compile', 'gpu-time'];
const GROUPS = ['core', 'adapter', 'transfer', 'compute', 'render', 'query', 'debug', 'external', 'present'];
const KEYS = ['class', 'guest', 'host', 'ownership', 'cost', 'group', 'creates', 'state', 'reason'];
const STATE = /^(?:(keeps|clears|sets)|sets by (\w+))$/;

type Json = Record<string, unknown>;

/** @throws GenerateError that names every entry which is wrong. */
export function parseOverlay(text: string, file: string): Overlay {
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch (error) {
    throw new GenerateError(`${file}: ${(error as Error).message}. Correct the JSON.`);
  }
  const problems = new Problems();
  const expect = (ok: boolean, what: string): void => {
    if (!ok) problems.add(`${file}: ${what}`);
  };
  for (const key of Object.keys(json)) {
    expect(['encoders', 'singletons', 'handWritten', 'members'].includes(key), `unknown key "${key}"; remove it`);
  }
  const members: Record<string, OverlayMember> = {};
  for (const [name, entry] of Object.entries((json['members'] ?? {}) as Record<string, Json>)) {
    const member = {
      guest: 'generated',
      host: 'generated',
      ownership: 'none',
      cost: 'constant',
      creates: [],
      ...entry,
    } as unknown as OverlayMember;
    const one = (value: string | undefined, allowed: readonly string[], key: string): void =>
      expect(
        value !== undefined && allowed.includes(value),
        `${name}: ${value === undefined ? `"${key}" is missing` : `${key} "${value}" is unknown`}; it is one of ${allowed.join(', ')}`,
      );
    one(member.class, CLASSES, 'class');
    one(member.guest, WAYS, 'guest');
    one(member.host, WAYS, 'host');
    one(member.ownership, OWNERSHIPS, 'ownership');
    one(member.cost, COSTS, 'cost');
    one(member.group, GROUPS, 'group');
    if (member.state !== undefined) {
      const [, kind, key] = STATE.exec(String(member.state)) ?? [];
      expect(
        kind !== undefined || key !== undefined,
        `${name}: state "${String(member.state)}" is unknown; it is one of keeps, clears, sets, sets by ARGUMENT`,
      );
      member.state = key === undefined ? { kind: kind as StateEffect['kind'] } : { kind: 'sets', key };
    }
    for (const key of Object.keys(entry)) expect(KEYS.includes(key), `${name}: unknown key "${key}"; remove it`);
    if (member.class === 'excluded')
      expect(Boolean(member.reason), `${name} is excluded without a reason; add "reason"`);
    else if (member.class !== 'local') {
      expect('ownership' in entry, `${name}: "ownership" is missing; say what it does with objects`);
      expect('cost' in entry, `${name}: "cost" is missing; say what the host spends on it`);
    }
    members[name] = member;
  }
  problems.throwIfAny();
  return {
    file,
    encoders: (json['encoders'] ?? []) as string[],
    singletons: (json['singletons'] ?? []) as string[],
    handWritten: (json['handWritten'] ?? {}) as Record<string, string>,
    members,
  };
}
