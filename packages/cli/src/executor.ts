/**
 * The program of an executor: loads the driver, tells the broker that it is ready, serves one guest, reports, exits.
 * It runs what a guest sends, so a crash in here is one guest's alone.
 */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { openGPU } from '@vesper-gpu/dawn/gpu';
import { Learner, serveGuest, type HostMemory, type Policy, type Session } from '@vesper-gpu/host';
import type { api } from '@vesper-gpu/protocol';
import {
  acceptSharedMemory,
  deviceTransport,
  portTransport,
  readingIntoOneBuffer,
  socketTransport,
} from '@vesper-gpu/transport';
import type { Transport } from '@vesper-gpu/wire';
import { adapterWords, type Assignment, type BrokerMessage } from './broker/messages.ts';
import { watchClose } from './broker/watch-close.ts';
import { News } from './executor-news.ts';
import { openTalk } from './executor-talk.ts';
import { startWatch } from './watch-control.ts';

/** For a device, the end of its data means "not yet" before the guest's first byte: in milliseconds, 24 days. */
const DEVICE_PATIENCE_MS = 2 ** 31 - 1;
const NO_STATISTICS = { receivedBytes: 0, sentBytes: 0, commands: 0, requests: 0, objects: 0 };

let session: Session | undefined;
/** Capabilities that the broker was asked for, by the number of the request. */
const delegations = new Map<number, (answer: Extract<BrokerMessage, { type: 'delegated' }>) => void>();
let delegationCount = 0;

process.on('SIGTERM', stop);
const { tell } = openTalk(
  (message) => {
    if (message.type === 'stop') stop();
    else if (message.type === 'delegated') delegated(message);
    else if (message.type === 'returned') session?.giveBack(message.given);
  },
  // Without a broker there is no one to report to, and no one who would end a guest that hangs.
  () => process.exit(1),
);
// The one message of this channel: the rest is said over the pipe.
process.once('message', (assignment: Assignment, socket?: Socket) => void serve(assignment, socket));

// Before the driver is loaded, so that the thread starts meanwhile.
const watch = startWatch();
// The generated types name the WebGPU API's parts in their own way; Dawn's objects are the API.
const gpu = openGPU() as unknown as api.GPU;
// Opening an adapter is what takes a driver its time. A variable of the module keeps it: Dawn crashes if it is collected.
export const firstAdapter = await gpu.requestAdapter();
tell({ type: 'ready', ...(firstAdapter === null ? {} : { adapter: adapterWords(firstAdapter.info) }) });

function stop(): void {
  if (session === undefined) process.exit(0);
  session.close();
}

async function serve(assignment: Assignment, socket: Socket | undefined): Promise<void> {
  watch.start(assignment.watch);
  let opened: OpenedGuest;
  try {
    opened = await openGuest(assignment, socket);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const report = { reason: 'fault', message, statistics: NO_STATISTICS } as const;
    tell({ type: 'ended', report, isFlushing: false }, () => process.exit(0));
    return;
  }
  const stream = watchClose(opened.transport, () => watch.sent(opened.waitingBytes));
  const learner = assignment.learn ? new Learner() : undefined;
  const news = new News(tell, learner);
  session = serveGuest(stream.transport, {
    gpu,
    agent: 'vesper serve',
    leaveDevices: true,
    activity: watch.activity,
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    delegate,
    budgetChanged: ({ processMemory }) => {
      if (processMemory !== undefined) watch.setProcessMemory(processMemory);
    },
    audit: news.audit,
    ...(assignment.policy === undefined ? {} : { policy: assignment.policy }),
    ...(learner === undefined ? {} : { learn: learner }),
    ...memory(),
    ...helloOf(assignment),
  });
  news.follow(session);
  const { reason, message } = await session.ended;
  watch.stop();
  news.end();
  const { receivedBytes, sentBytes, commands, requests, objects } = session.statistics;
  const statistics = { receivedBytes, sentBytes, commands, requests, objects };
  // The guest may still be reading why it was sent away; the transport bounds how long that takes.
  tell({ type: 'ended', report: { reason, message, statistics }, isFlushing: !stream.isClosed });
  await stream.closed;
  // The broker ends this process when it hears that: with work of the guest's on the GPU, some drivers never exit.
  tell({ type: 'flushed' }, () => process.exit(0));
}

/** Asks the broker for a capability. */
function delegate(policy: Policy): Promise<string> {
  return new Promise((resolve, reject) => {
    const id = ++delegationCount;
    delegations.set(id, ({ token, refusal }) => {
      if (token === undefined) reject(new Error(refusal));
      else resolve(token);
    });
    tell({ type: 'delegate', id, policy });
  });
}

function delegated(answer: Extract<BrokerMessage, { type: 'delegated' }>): void {
  delegations.get(answer.id)?.(answer);
  delegations.delete(answer.id);
}

/** A connection to a guest. */
interface OpenedGuest {
  readonly transport: Transport;
  /** How many bytes wait for the guest to read. */
  waitingBytes(): number;
}

async function openGuest(assignment: Assignment, socket: Socket | undefined): Promise<OpenedGuest> {
  if (assignment.type === 'device') {
    const transport = await deviceTransport(assignment.path, { connectTimeoutMs: DEVICE_PATIENCE_MS, end: 'host' });
    return { transport, waitingBytes: () => 0 };
  }
  if (socket === undefined) throw new Error('the guest had gone when its connection was handed over');
  if (assignment.receivedBytes !== undefined) {
    const transport = await acceptSharedMemory(socket, { receivedBytes: assignment.receivedBytes });
    return { transport, waitingBytes: () => transport.queuedBytes };
  }
  const own = readingIntoOneBuffer(socket);
  // What was received of a port has its marks, so it is not yet the session's.
  if (assignment.isPort) own.unshift(restOf(assignment));
  const stream = socketTransport(own);
  return {
    transport: assignment.isPort ? portTransport(stream, true) : stream,
    waitingBytes: () => (own.destroyed ? 0 : own.writableLength),
  };
}

/** Node has `gc` under --expose-gc, with which the broker starts this program. */
function memory(): { memory?: HostMemory } {
  const { gc } = globalThis;
  if (gc === undefined) return {};
  return {
    memory: { collect: (type) => void gc({ type, execution: 'sync' }), residentBytes: () => process.memoryUsage.rss() },
  };
}

function helloOf(assignment: Assignment) {
  if (assignment.type === 'device') return {};
  const rest = assignment.isPort ? new Uint8Array(0) : restOf(assignment);
  return { hello: { fields: new Map(assignment.fields), rest } };
}

/** What the broker had received behind the hello. */
function restOf({ rest }: { rest: string }): Buffer {
  return Buffer.from(rest, 'base64');
}
