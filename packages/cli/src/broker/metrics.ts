import type { SessionUsage } from './messages.ts';
import type { SessionReport } from './session.ts';
import type { Violation } from './watch.ts';

type Kind = 'counter' | 'gauge';
type Labels = Readonly<Record<string, string>>;

/** One metric, with a value for each set of labels. */
class Family {
  readonly #values = new Map<string, number>();
  readonly #name: string;
  readonly #kind: Kind;
  readonly #help: string;

  constructor(name: string, kind: Kind, help: string) {
    this.#name = name;
    this.#kind = kind;
    this.#help = help;
  }

  add(labels: Labels, amount: number): void {
    const key = labelText(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }

  get(labels: Labels): number {
    return this.#values.get(labelText(labels)) ?? 0;
  }

  set(labels: Labels, value: number): void {
    this.#values.set(labelText(labels), value);
  }

  text(): string {
    const lines = [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} ${this.#kind}`];
    for (const [labels, value] of this.#values) lines.push(`${this.#name}${labels} ${value}`);
    return `${lines.join('\n')}\n`;
  }
}

/** What sessions did since the last time they were asked, by the metric that counts it. */
const COUNTED = {
  receivedBytes: ['vesper_received_bytes_total', 'Bytes received from guests.', 1],
  sentBytes: ['vesper_sent_bytes_total', 'Bytes sent to guests.', 1],
  commands: ['vesper_commands_total', 'Commands of guests that were executed.', 1],
  requests: ['vesper_requests_total', 'Requests of guests, each a round trip.', 1],
  refusals: ['vesper_refusals_total', 'Calls that a policy refused.', 1],
  gpuMs: ['vesper_gpu_seconds_total', 'GPU time that guests used.', 0.001],
} as const satisfies Partial<Record<keyof SessionUsage, readonly [string, string, number]>>;
type Counted = keyof typeof COUNTED;
const COUNTED_NAMES = Object.keys(COUNTED) as Counted[];

const NO_USAGE: SessionUsage = {
  receivedBytes: 0,
  sentBytes: 0,
  commands: 0,
  requests: 0,
  objects: 0,
  gpuMemory: 0,
  gpuMs: 0,
  refusals: 0,
};

/** What a broker counts, in the text format of Prometheus. Labels are roles and reasons: their number is bounded. */
export class Metrics {
  readonly #families: Family[] = [];
  readonly #sessions = this.#family('vesper_sessions', 'gauge', 'Guests that are served now.');
  readonly #started = this.#family('vesper_sessions_started_total', 'counter', 'Guests that were let in.');
  readonly #ended = this.#family('vesper_sessions_ended_total', 'counter', 'Sessions that ended, by reason.');
  readonly #rejected = this.#family('vesper_rejections_total', 'counter', 'Connections that were not let in.');
  readonly #violations = this.#family(
    'vesper_protocol_violations_total',
    'counter',
    'Sessions that ended because the guest broke the protocol.',
  );
  readonly #kills = this.#family('vesper_executor_kills_total', 'counter', 'Executors that were ended, by what for.');
  readonly #ready = this.#family('vesper_executors_ready', 'gauge', 'Executors that wait for a guest.');
  readonly #objects = this.#family('vesper_objects', 'gauge', 'Objects that guests hold.');
  readonly #memory = this.#family('vesper_gpu_memory_bytes', 'gauge', 'GPU memory that the objects of guests occupy.');
  readonly #peak = this.#family(
    'vesper_gpu_memory_peak_bytes',
    'gauge',
    'The most GPU memory that was occupied at once.',
  );
  readonly #counted: Record<Counted, Family>;
  readonly #usage = new Map<number, SessionUsage>();
  readonly #roles = new Map<number, string>();

  constructor() {
    const entries = COUNTED_NAMES.map((key) => [key, this.#family(COUNTED[key][0], 'counter', COUNTED[key][1])]);
    this.#counted = Object.fromEntries(entries) as Record<Counted, Family>;
    this.#rejected.add({}, 0);
    this.executorsReady(0);
  }

  /** A guest was let in. */
  started(guest: number, role: string): void {
    this.#usage.set(guest, NO_USAGE);
    this.#roles.set(guest, role);
    this.#sessions.add({ role }, 1);
    this.#started.add({ role }, 1);
    // So that each series is there before something happens.
    for (const family of [this.#violations, this.#objects, this.#memory, this.#peak]) family.add({ role }, 0);
    for (const key of COUNTED_NAMES) this.#counted[key].add({ role }, 0);
  }

  /** A session has used so much, in all. */
  used(guest: number, role: string, usage: SessionUsage): void {
    const before = this.#usage.get(guest);
    if (before === undefined) return;
    this.#usage.set(guest, usage);
    for (const key of COUNTED_NAMES) {
      // An executor is not trusted: counters do not go down.
      this.#counted[key].add({ role }, Math.max(0, usage[key] - before[key]) * COUNTED[key][2]);
    }
    this.#hold(role);
    this.#peak.set({ role }, Math.max(this.#peak.get({ role }), this.#memory.get({ role })));
  }

  /** A session is over. */
  ended(guest: number, role: string, reason: SessionReport['reason'], violation: Violation | undefined): void {
    if (!this.#usage.delete(guest)) return;
    this.#roles.delete(guest);
    this.#hold(role);
    this.#sessions.add({ role }, -1);
    this.#ended.add({ role, reason }, 1);
    if (reason === 'protocol') this.#violations.add({ role }, 1);
    if (violation !== undefined) this.#kills.add({ role, reason: violation.kind }, 1);
  }

  /** A connection was not let in. */
  rejected(): void {
    this.#rejected.add({}, 1);
  }

  /** So many executors wait for a guest. */
  executorsReady(count: number): void {
    this.#ready.set({}, count);
  }

  /** All of it. https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
  text(): string {
    return this.#families.map((family) => family.text()).join('');
  }

  /** Sums up what the sessions of a role hold. Not kept by differences: an executor can say numbers that lose digits. */
  #hold(role: string): void {
    let [objects, memory] = [0, 0];
    for (const [guest, usage] of this.#usage) {
      if (this.#roles.get(guest) !== role) continue;
      objects += usage.objects;
      memory += usage.gpuMemory;
    }
    this.#objects.set({ role }, objects);
    this.#memory.set({ role }, memory);
  }

  #family(name: string, kind: Kind, help: string): Family {
    const family = new Family(name, kind, help);
    this.#families.push(family);
    return family;
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escaped)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`;
}
