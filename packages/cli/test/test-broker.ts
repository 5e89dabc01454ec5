import type { Policy } from '@vesper-gpu/host';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROTOCOL } from '@vesper-gpu/protocol';
import { parseAddress } from '@vesper-gpu/transport';
import { DEFAULT_LIMITS, encodeHello, type GuestHello } from '@vesper-gpu/wire';
import { pino } from 'pino';
import { afterEach } from 'vitest';
import { startBroker, type Broker, type BrokerOptions } from '../src/broker/broker.ts';
import type { SessionReport } from '../src/broker/session.ts';

export type LogEntry = Record<string, unknown> & { msg: string };

const cleanUps: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** Does `action` when the test is over. */
export function afterwards(action: () => Promise<void> | void): void {
  cleanUps.push(action);
}

/** A folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vesper-test-'));
  afterwards(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A broker, what it logged, and what became of its guests. */
export class TestBroker {
  readonly log: LogEntry[] = [];
  readonly reports: SessionReport[] = [];
  broker!: Broker;

  /** Starts a broker with executors that echo, at a Unix socket or a TCP port of its own. */
  static start(kind: 'unix' | 'tcp' = 'unix', options: Partial<BrokerOptions> = {}): Promise<TestBroker> {
    const executorFile = fileURLToPath(new URL('fake-executor.mjs', import.meta.url));
    return TestBroker.startReal(kind, { executorFile, chosenDriver: fakeDriver(), ...options });
  }

  /** The same with executors that have a GPU; the packages must be built. */
  static async startReal(
    kind: 'unix' | 'tcp' = 'unix',
    { policy, ...options }: Partial<BrokerOptions> & { policy?: Policy } = {},
  ): Promise<TestBroker> {
    const test = new TestBroker();
    const address = kind === 'unix' ? `unix:${join(temporaryFolder(), 'gpu')}` : 'tcp:127.0.0.1:0';
    test.broker = await startBroker({
      listen: [policy === undefined ? address : { address, policy }],
      logger: pino({ level: 'debug' }, { write: (line: string) => void test.log.push(JSON.parse(line) as LogEntry) }),
      sessionEnded: (report) => void test.reports.push(report),
      ...options,
    });
    afterwards(() => test.broker.close());
    return test;
  }

  /** A connection that has said nothing yet. */
  async connect(): Promise<Client> {
    const address = parseAddress(this.broker.addresses[0]!);
    if (address.kind === 'dev') throw new Error('a device cannot be connected to');
    const socket = connect(address.kind === 'tcp' ? address : { path: address.path });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new Client(socket);
  }

  /** A guest that was let in and hears its own words. */
  async guest(): Promise<Client> {
    const client = await this.connect();
    client.socket.write(Buffer.concat([guestHello(), Buffer.from('ping')]));
    await client.received(4);
    return client;
  }

  /** The first entry of the log with such a message, waited for. */
  logged(pattern: RegExp): Promise<LogEntry> {
    return eventually(`a log entry that matches ${pattern}`, () => this.log.find(({ msg }) => pattern.test(msg)));
  }
}

/** The guest's end of a connection. */
export class Client {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #chunks: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    afterwards(() => void socket.destroy());
  }

  get bytes(): Buffer {
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }

  /** All bytes, once there are as many. */
  received(byteLength: number): Promise<Buffer> {
    const enough = () => this.#chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0) >= byteLength;
    return eventually(`${byteLength} bytes`, () => (enough() ? this.bytes : undefined));
  }
}

/** The hello of a guest of this version, or of another one. */
export function guestHello(changes: Partial<GuestHello> = {}, wireVersion?: number): Uint8Array {
  return encodeHello({ ...PROTOCOL, agent: 'test guest', limits: DEFAULT_LIMITS, ...changes }, wireVersion);
}

/** Polls until `find` finds something. @throws Error that names what did not come within 20 s */
export async function eventually<T>(what: string, find: () => T | undefined): Promise<T> {
  const giveUpAt = performance.now() + 20_000;
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    if (performance.now() > giveUpAt) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The process that runs a program behind whatever was put in front of it: the last of its descendants. */
export function innermostProcess(pid: number): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return child === undefined || child === '' ? pid : innermostProcess(Number(child));
}

/** @param loadMs how long, in milliseconds, the fake executors take to load */
export function fakeDriver(loadMs = 0): NonNullable<BrokerOptions['chosenDriver']> {
  const adapter = {
    vendor: '',
    architecture: '',
    device: '',
    description: 'fake',
    isFallbackAdapter: true,
    subgroupMinSize: 4,
    subgroupMaxSize: 4,
  };
  return { kind: 'user', reason: ['A fake.'], environment: { LP_FAKE_DELAY_MS: String(loadMs) }, adapter };
}
