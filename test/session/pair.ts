import { connect, type ConnectOptions, type GuestConnection } from '@vesper-gpu/guest';
import { serveGuest, type ServeOptions, type Session } from '@vesper-gpu/host';
import { inProcessPair } from '@vesper-gpu/transport/in-process';
import {
  DEFAULT_LIMITS,
  encodeHello,
  HelloReader,
  parseHostHello,
  type GuestHello,
  type HostHello,
  type Transport,
} from '@vesper-gpu/wire';
import { PROTOCOL } from '@vesper-gpu/protocol/guest';
import { NullGpu } from '../hostile/null-gpu.ts';

/** A host on a null backend, and the guest's end of its stream. */
export interface Served {
  backend: NullGpu;
  session: Session;
  guestEnd: Transport;
}

export function serve(options: Partial<ServeOptions> = {}, backend = new NullGpu()): Served {
  const [guestEnd, hostEnd] = inProcessPair();
  return { backend, guestEnd, session: serveGuest(hostEnd, { gpu: backend.api, ...options }) };
}

export interface Connected extends Served {
  connection: GuestConnection;
  adapter: GPUAdapter;
  device: GPUDevice;
}

/** A guest with a device. */
export async function connected(
  options: Partial<ServeOptions> = {},
  backend = new NullGpu(),
  guestOptions: ConnectOptions = {},
): Promise<Connected> {
  const served = serve(options, backend);
  const connection = await connect(served.guestEnd, guestOptions);
  const adapter = await connection.gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  return { ...served, connection, adapter: adapter!, device };
}

export const HELLO: GuestHello = {
  ...PROTOCOL,
  agent: 'a test',
  limits: DEFAULT_LIMITS,
};

export const HOST_HELLO: HostHello = { ...HELLO, wgslLanguageFeatures: [], preferredCanvasFormat: 'bgra8unorm' };

/** One end of a stream that is nobody's: it sends what it is told, and keeps what it gets. */
export class RawEnd {
  readonly #transport: Transport;
  readonly #received: Uint8Array[] = [];
  /** Resolves when the other side closed. */
  readonly closed: Promise<void>;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.closed = new Promise((resolve) => {
      transport.start({ bytes: (chunk) => void this.#received.push(chunk.slice()), closed: () => resolve() });
    });
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#transport.send(bytes);
  }

  close(): void {
    this.#transport.close();
  }

  get receivedBytes(): Uint8Array {
    return Buffer.concat(this.#received);
  }

  /** The hello that the host answered with. */
  hostHello(): HostHello | undefined {
    const received = new HelloReader('host').push(this.receivedBytes);
    return received && parseHostHello(received.fields);
  }
}

export function helloBytes(hello: GuestHello = HELLO, wireVersion?: number): Uint8Array<ArrayBuffer> {
  return encodeHello(hello, wireVersion);
}

/** A frame of these words. */
export function frameOf(...words: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Int32Array.of((words.length + 1) * 4, ...words).buffer);
}

/** A promise that the test resolves. */
export function gate(): { promise: Promise<void>; open(): void } {
  let open!: () => void;
  const promise = new Promise<void>((resolve) => (open = resolve));
  return { promise, open };
}

/** How a promise ended, in words. */
export async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    const value = await promise;
    return value === null ? 'null' : value === undefined ? 'undefined' : `a ${(value as object).constructor.name}`;
  } catch (error) {
    return (error as Error).name;
  }
}
