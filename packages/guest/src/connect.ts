import { generatedGlobals, PROTOCOL, wrapGPU } from '@vesper-gpu/protocol/guest';
import {
  BULK_CHUNK_BYTES,
  ConnectionError,
  DEFAULT_LIMITS,
  encodeHello,
  HelloReader,
  incompatibility,
  parseHostHello,
  ProtocolError,
  type Transport,
  type WireLimits,
} from '@vesper-gpu/wire';
import { Connection } from './connection.ts';
import {
  GPUError,
  GPUInternalError,
  GPUOutOfMemoryError,
  GPUPipelineError,
  GPUUncapturedErrorEvent,
  GPUValidationError,
} from './errors.ts';
import { installImplementations } from './implementations.ts';

/** What belongs on the global object for a program that expects WebGPU: classes and flag namespaces. */
export const globals: Readonly<Record<string, object>> = {
  ...generatedGlobals,
  GPUError,
  GPUValidationError,
  GPUOutOfMemoryError,
  GPUInternalError,
  GPUPipelineError,
  GPUUncapturedErrorEvent,
};

/** Counters of a connection; bytes as they stand in frames. */
export interface ConnectionStatistics {
  /** To the host. */
  readonly sentBytes: number;
  /** From the host. */
  readonly receivedBytes: number;
  /** Frames to the host: batches of commands. */
  readonly sentFrames: number;
  /** Requests: each a round trip. */
  readonly requests: number;
}

/** A connection to a host: what `connect` gives. */
export interface GuestConnection {
  /** The entry point of WebGPU, as `navigator.gpu` is in a browser. https://www.w3.org/TR/webgpu/#gpu */
  readonly gpu: GPU;
  /** GPUBuffer, GPUBufferUsage and the others, to be put on the global object. */
  readonly globals: Readonly<Record<string, object>>;
  /** Counts as it goes. */
  readonly statistics: ConnectionStatistics;
  /** Resolves once the connection has ended, whoever ended it. Never rejects. */
  readonly ended: Promise<void>;
  /**
   * Makes a narrower capability for a sandbox within this guest. Its budgets are carved out of this connection's, and
   * come back when the sandbox's connection has ended; it ends with this one.
   * @param role as policy files have it below `roles`
   * @returns a secret, good for one connection: give it to the sandbox as `capability` of its `connect`, or as
   *   VESPER_CAPABILITY
   * @throws OperationError where the role is malformed, or asks for more of a budget than there is
   */
  attenuate(role: object): Promise<string>;
  /** Sends what was written, ends the connection, and resolves once it has ended. */
  close(): Promise<void>;
}

/** What can be said of a connection before it is made. */
export interface ConnectOptions {
  /** How long the host may take to answer the handshake, in milliseconds. */
  timeoutMs?: number;
  /** What `attenuate` of another connection gave for this one. */
  capability?: string;
  /**
   * Node's function of that name, of `node:worker_threads`. HTML wants a DataCloneError when a program transfers a
   * detached ArrayBuffer, such as the range of a buffer that was unmapped; node 20 transfers an empty one, unless it is
   * marked. Browsers need nothing.
   */
  markAsUntransferable?: (buffer: ArrayBuffer) => void;
  /**
   * Runs the collector of the JavaScript engine, as node's `gc()` does. The host keeps an object until the guest's is
   * collected, and to the engine that is a few bytes, which can wait. It is called when the host's memory has grown.
   * Without it, what a program drops and does not destroy stays on the host until the engine happens to collect.
   */
  collectGarbage?: () => void;
  /**
   * Sends commands too that set the state of a pass to what it is. Nothing but their cost shows; for measurements and
   * tests. Default false.
   */
  sendsRepeated?: boolean;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Makes a connection to a host on a fresh stream: exchanges the handshake, and gives WebGPU.
 * @throws ConnectionError when the host ends the stream or does not answer.
 * @throws ProtocolError when the other side is no Vesper host, or one of another version; the message names both.
 */
export async function connect(transport: Transport, options: ConnectOptions = {}): Promise<GuestConnection> {
  installImplementations();
  const connection = await handshake(transport, options);
  transport.unref?.();
  return {
    gpu: wrapGPU(connection.root) as unknown as GPU,
    globals,
    statistics: connection.stream.statistics,
    ended: connection.ended,
    attenuate: (role) => connection.attenuate(JSON.stringify(role)),
    close() {
      // Whoever awaits the end of the connection is not over before it.
      if (connection.stream.closedBy === undefined) connection.stream.hold();
      connection.stream.close();
      return connection.ended;
    },
  };
}

/** A host must take the frames that every guest sends: one bulk record at least. */
function tooLow({ maxFrameBytes, maxStringBytes }: WireLimits): string | undefined {
  if (maxFrameBytes < 2 * BULK_CHUNK_BYTES)
    return `its frame limit of ${maxFrameBytes} bytes is below ${2 * BULK_CHUNK_BYTES}`;
  return maxStringBytes < 1024 ? `its string limit of ${maxStringBytes} bytes is below 1024` : undefined;
}

function handshake(transport: Transport, options: ConnectOptions): Promise<Connection> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    const reader = new HelloReader('host');
    let connection: Connection | undefined;
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
      transport.close();
    };
    const timer = setTimeout(
      () => fail(new ConnectionError(`the host did not answer the handshake within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const greet = (chunk: Uint8Array): void => {
      const received = reader.push(chunk);
      if (received === undefined) return;
      const host = parseHostHello(received.fields);
      const reason = host.refusal ?? incompatibility(PROTOCOL, host) ?? tooLow(host.limits);
      if (reason !== undefined) throw new ProtocolError('refused', `the host (${host.agent}) refuses: ${reason}`);
      clearTimeout(timer);
      connection = new Connection(transport, host, options);
      const { writer } = connection.stream;
      writer.revision = host.schemaRevision;
      writer.maxStringBytes = host.limits.maxStringBytes;
      writer.maxFrameBytes = host.limits.maxFrameBytes;
      writer.maxBulkBytes = host.limits.maxBulkBytes;
      resolve(connection);
      if (received.rest.byteLength > 0) connection.stream.receive(received.rest);
    };
    transport.start({
      bytes(chunk) {
        if (connection !== undefined) return connection.stream.receive(chunk);
        try {
          greet(chunk);
        } catch (error) {
          fail(error as Error);
        }
      },
      room: () => connection?.stream.room,
      sent: (bytes) => connection?.stream.sent(bytes),
      closed(error) {
        if (connection !== undefined) connection.closed(error);
        else fail(error ?? reader.endedEarly());
      },
    });
    const { capability } = options;
    const hello = { ...PROTOCOL, agent: 'vesper guest', limits: DEFAULT_LIMITS };
    transport.send(encodeHello(capability === undefined ? hello : { ...hello, capability }));
  });
}
